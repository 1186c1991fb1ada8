"""sample: real texts from the task's pool for the next batch: at random, or those worth most."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from langgraph.runtime import Runtime
from numpy.typing import NDArray

from agent.afford import pool_texts
from agent.earlier import pool_learned
from agent.rundir import read_jsonl, write_jsonl
from agent.selection import least_sure, spread
from agent.shortlist import SIZE, likeliest, likeness, narrowed, short
from agent.state import Context, State
from agent.teacher.labelling import label_request
from agent.teacher.marking import to_show
from agent.trust import Guard, to_write
from tasks.task import Task, joined, kind_module

AMONG = 512
"""Pool texts that are looked at in an iteration, where the student's doubt or their length chooses."""
AMONG_DIVERSE = 2000
"""The first ones in the run's order, looked at in all its iterations, where `diverse` chooses."""


def sample(state: State, runtime: Runtime[Context], places: Mapping[str, int], guard: Guard, narrow: bool) -> State:
    """Writes sampled.jsonl: texts of the pool that no earlier iteration took; more where fewer are generated.

    `narrow`: where the task has many labels, each text with those the teacher shall choose among (see shortlist.py).

    One order of the pool for the whole run: whatever the batch size or strategy, the same seed meets the same
    texts first, so that strategies differ by what they do with them.
    """
    context, iteration = runtime.context, state["iteration"]
    batch = context.config.batch
    narrow = narrow and short(context.task, context.config.teacher)
    written = to_write(context.run, iteration, places, context.task.choices, guard)
    count = pool_texts(context, iteration, batch.pool + sum(places.values()) - sum(written.values()))
    earlier = (read_jsonl(context.run.iteration(k).sampled) for k in range(iteration))
    taken = {row["index"] for rows in earlier for row in rows} | pool_learned(context)
    free = [index for index in range(len(context.task.pool)) if index not in taken]
    turn = context.rng(0, "sample").permutation(len(context.task.pool)).argsort()  # each text's place in the order
    order = sorted(free, key=lambda index: int(turn[index]))
    adapter = None if state.get("adapter") is None else context.run.root / str(state.get("adapter"))
    if batch.pool_policy == "uncertainty" and adapter is not None:
        among = [order[i] for i in context.rng(iteration, "sample").permutation(len(order))[:AMONG]]
        texts = [context.task.pool[index].text for index in among]
        outputs = context.student.predict(texts, adapter)
        whole = context.task.spans or context.task.free
        doubts = least_likely(context.task, texts, outputs) if whole else least_sure(outputs, count)
        order = [among[i] for i in doubts]
    if batch.pool_policy == "longest":
        among = [order[i] for i in context.rng(iteration, "sample").permutation(len(order))[:AMONG]]
        order = sorted(among, key=lambda index: -len(context.task.pool[index].text))
    if batch.pool_policy == "diverse":
        asked = narrowed(context.task, list(context.task.labels)[:SIZE]) if narrow else context.task
        order = diverse(context, iteration, [int(index) for index in turn.argsort()], taken, count, asked)
    rows: list[dict[str, Any]] = [{"index": i, "text": context.task.pool[i].text} for i in order[:count]]
    if narrow and rows:
        lists = shortlists(context, [row["text"] for row in rows], adapter)
        rows = [{**row, "labels": labels} for row, labels in zip(rows, lists, strict=True)]
    write_jsonl(context.run.iteration(iteration).sampled, rows)
    return {}


def least_likely(task: Task, texts: Sequence[str], outputs: NDArray[np.float64]) -> list[int]:
    """Indices of the texts, that first in whose own answer the student believes least; normalised by its words, as in
    active learning of entities (Shen et al., arXiv 1707.05928, §4)."""
    labels, kind = list(task.labels), kind_module(task.kind)
    sure = [kind.likelihood(kind.said(t, row, labels), row, labels) for t, row in zip(texts, outputs, strict=True)]
    return [int(i) for i in np.argsort(sure, kind="stable")]


def shortlists(context: Context, texts: Sequence[str], adapter: Path | None) -> list[list[str]]:
    """The labels that each text may have: by the student, or, before it is trained, by likeness to what is known."""
    labels = list(context.task.labels)
    if adapter is not None:
        return likeliest(context.student.predict(texts, adapter), labels)
    embed, features = context.student.embed, context.student.embed(texts)
    columns = [labels.index(str(shot.label)) for shot in context.shots]
    scores = likeness(features, embed([shot.text for shot in context.shots]), columns, len(labels))
    if names := context.task.named():
        scores += likeness(features, embed(list(names.values())), range(len(labels)), len(labels))
    return likeliest(scores, labels)


def standing(task: Task, text: str) -> str:
    """What of a text is looked at: of a pair the first one alone.

    An encoder that has learned nothing yet of what two texts have to do with one another still puts pairs that are
    alike together, so that those in the middle of many were of one label more than of others (SNLI: 53 % entailment,
    14 % contradiction, a third of each in the pool); and by such pairs a teacher's labels cannot be calibrated.
    """
    if not (task.label_alone and task.several):
        return text
    first, *others = task.parts(text)
    return joined([first, *[""] * len(others)])


def diverse(
    context: Context, iteration: int, order: Sequence[int], taken: Collection[int], count: int, asked: Task
) -> list[int]:
    """Pool indices of texts that stand for many others, in the run's order; what was taken is not chosen again.

    A text draws the more the fewer characters its label costs (cost-sensitive active learning: Settles et al. 2008).
    The student's doubt has no say: what it doubts, a small teacher mislabels (docs/what-we-learned.md).

    Args:
        asked: The task as the labeller is shown it.
    """
    among = order[:AMONG_DIVERSE]
    looked_at = [standing(context.task, context.task.pool[index].text) for index in among]
    features = context.student.embed(looked_at)  # (N, H)
    free = [place for place, index in enumerate(among) if index not in taken]
    left = [index for index in order if index not in taken]
    if not free:
        return left
    texts = [context.task.pool[among[place]].text for place in free]
    examples = to_show(context.shots, context.config.teacher.entity_examples)
    request = label_request(asked, joined([""] * len(asked.fields)), logprobs=True, examples=examples)
    prompt = sum(len(part) for _, part in request.messages)
    weights = np.array([1 / (prompt + min(len(text), context.config.teacher.longest_text)) for text in texts])
    seed = int(context.rng(iteration, "sample").integers(2**31))
    chosen = [among[free[i]] for i in spread(features[free], weights, count, seed)]
    already = set(chosen)
    return chosen + [index for index in left if index not in already]
