"""eda: the seed examples with a few words changed; the label stays (strategy eda; no teacher)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from langgraph.runtime import Runtime

from agent.example import LabelledExample, write_examples
from agent.rundir import put_drops
from agent.state import Context, State, TeacherLane
from tasks.data import text_key

SHARE, COPIES = 0.05, 16
"""The paper's α, and new texts of one seed example."""
SYNONYMS, SHORTEST = 10, 4
"""Nearest words that count as synonyms, and letters of a word that may have one."""

Near = Callable[[str], Sequence[str]]
"""Words near a word, nearest first; none where it has none."""


def eda(state: State, runtime: Runtime[Context]) -> TeacherLane:
    """Seed examples → candidates of the next iteration; what repeats an earlier text is dropped and counted."""
    context, iteration = runtime.context, state["iteration"]
    after = context.run.iteration(iteration + 1)
    rng = context.rng(iteration, "eda")
    examples: list[LabelledExample] = []
    drops = []
    seen = {text_key(shot.text) for shot in context.shots}
    for shot in context.shots:
        changed = [variants(part, near(context), rng) for part in context.task.parts(shot.text)]
        for text in ("\n".join(parts) for parts in zip(*changed, strict=True)):
            if text_key(text) in seen:
                drops.append({"reason": "duplicate", "text": text, "detail": None})
                continue
            seen.add(text_key(text))
            name = f"i{iteration + 1:03d}-{len(examples):04d}"
            examples.append(LabelledExample(name, text, str(shot.label), iteration + 1, "eda"))
    write_examples(after.candidates, examples)
    write_examples(after.batch, examples)
    put_drops(context.run.iteration(iteration).dropped, "eda", drops)
    return {"waiting": len(examples)}


def near(context: Context) -> Near:
    return lambda word: context.student.nearest_words(word, SYNONYMS) if len(word) >= SHORTEST else []


def variants(text: str, similar: Near, rng: np.random.Generator) -> list[str]:
    """COPIES new texts, as many by each of the four operations."""
    words = text.split()
    count = max(1, round(SHARE * len(words)))
    ways = (replaced, inserted, swapped, deleted)
    return [" ".join(ways[i % len(ways)](words, count, similar, rng)) for i in range(COPIES)]


def replaced(words: Sequence[str], count: int, similar: Near, rng: np.random.Generator) -> list[str]:
    """`count` words that have synonyms, each by one of them."""
    result, left = list(words), count
    for i in rng.permutation(len(words)):
        options = similar(words[i])
        if options and left:
            result[i] = options[int(rng.integers(len(options)))]
            left -= 1
    return result


def inserted(words: Sequence[str], count: int, similar: Near, rng: np.random.Generator) -> list[str]:
    """A synonym of a word of the text at a place by chance, `count` times."""
    result = list(words)
    known = [options for options in map(similar, words) if options]
    for _ in range(count if known else 0):
        options = known[int(rng.integers(len(known)))]
        result.insert(int(rng.integers(len(result) + 1)), options[int(rng.integers(len(options)))])
    return result


def swapped(words: Sequence[str], count: int, similar: Near, rng: np.random.Generator) -> list[str]:
    """Two words change places, `count` times."""
    result = list(words)
    for _ in range(count):
        one, other = rng.integers(len(result), size=2)
        result[one], result[other] = result[other], result[one]
    return result


def deleted(words: Sequence[str], count: int, similar: Near, rng: np.random.Generator) -> list[str]:
    """Each word goes with probability SHARE; one stays."""
    result = [word for word in words if rng.random() >= SHARE]
    return result or [words[int(rng.integers(len(words)))]]
