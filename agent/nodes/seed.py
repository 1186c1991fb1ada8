"""seed: the few labelled examples become the batch of iteration 0."""

from __future__ import annotations

from langgraph.runtime import Runtime

from agent.example import LabelledExample, write_examples
from agent.rundir import write_jsonl
from agent.state import Context, State


def seed(state: State, runtime: Runtime[Context]) -> State:
    """Writes seed.jsonl and the first batch. The shots were drawn when the run was opened."""
    context = runtime.context
    examples = [
        LabelledExample(id=f"i000-{n:04d}", text=shot.text, label=str(shot.label), iteration=0, source="seed")
        for n, shot in enumerate(context.shots)
    ]
    write_jsonl(context.run.seed, [{"text": e.text, "label": e.label} for e in examples])
    write_examples(context.run.iteration(0).batch, examples)
    return {"iteration": 0, "adapter": None}
