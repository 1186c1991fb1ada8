"""seed: the few labelled examples, and what the labels are called, become the batch of iteration 0."""

from __future__ import annotations

from pathlib import Path

from langgraph.runtime import Runtime

from agent.earlier import earlier_examples, measured_earlier
from agent.example import LabelledExample, as_row, write_examples
from agent.rundir import write_json, write_jsonl
from agent.state import Context, State
from tasks.data import text_key
from tasks.task import Example

SHOWN = ("text", "label", "entities", "reasoning", "output")
"""Of a seed example, in seed.jsonl."""


def seed(state: State, runtime: Runtime[Context], names: bool) -> State:
    """Writes seed.jsonl and the first batch: the shots, drawn when the run was opened, and what an earlier run learned.

    `names`: each label's name and gloss is a text to learn too. An encoder knows words: with one example a class this
    is worth as much as several more (zero-shot SetFit, arXiv 2209.11055, trains on "This sentence is {label}").
    """
    context = runtime.context
    known = [(shot, "seed") for shot in context.shots]
    if names:
        known += [(Example(text, label), "name") for label, text in context.task.named().items()]
    examples = [
        LabelledExample(
            f"i000-{n:04d}",
            one.text,
            str(one.label),
            0,
            source,
            entities=one.entities,
            reasoning=one.reasoning,
            output=one.output,
        )
        for n, (one, source) in enumerate(known)
    ]
    rows = [as_row(example) for example in examples[: len(context.shots)]]
    if context.config.earlier is not None:
        former = Path(context.config.earlier)
        mine = {text_key(one.text) for one in examples}
        examples += [one for one in earlier_examples(former) if text_key(one.text) not in mine]
        write_json(context.run.earlier, measured_earlier(former))
    write_jsonl(context.run.seed, [{key: row[key] for key in SHOWN if key in row} for row in rows])
    write_examples(context.run.iteration(0).batch, examples)
    return {"iteration": 0, "adapter": None}
