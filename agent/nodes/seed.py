"""seed: the few labelled examples, and what the labels are called, become the batch of iteration 0."""

from __future__ import annotations

from langgraph.runtime import Runtime

from agent.example import LabelledExample, write_examples
from agent.rundir import write_jsonl
from agent.state import Context, State


def seed(state: State, runtime: Runtime[Context], names: bool) -> State:
    """Writes seed.jsonl and the first batch. The shots were drawn when the run was opened.

    `names`: each label's name and gloss is a text to learn too. An encoder knows words: with one example a class this
    is worth as much as several more (zero-shot SetFit, arXiv 2209.11055, trains on "This sentence is {label}").
    """
    context = runtime.context
    texts = [(shot.text, str(shot.label), "seed") for shot in context.shots]
    write_jsonl(context.run.seed, [{"text": text, "label": label} for text, label, _ in texts])
    if names:
        texts += [(text, label, "name") for label, text in context.task.named().items()]
    examples = [
        LabelledExample(id=f"i000-{n:04d}", text=text, label=label, iteration=0, source=source)
        for n, (text, label, source) in enumerate(texts)
    ]
    write_examples(context.run.iteration(0).batch, examples)
    return {"iteration": 0, "adapter": None}
