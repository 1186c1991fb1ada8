"""gold: sampled pool texts get the label that stands in the data (strategy full_shot; no teacher)."""

from __future__ import annotations

from langgraph.runtime import Runtime

from agent.example import LabelledExample, write_examples
from agent.rundir import put_drops, read_jsonl
from agent.state import Context, State, TeacherLane


def gold(state: State, runtime: Runtime[Context]) -> TeacherLane:
    """sampled → candidates of the next iteration; texts without a gold label are dropped and counted."""
    context, iteration = runtime.context, state["iteration"]
    after = context.run.iteration(iteration + 1)
    sampled = read_jsonl(context.run.iteration(iteration).sampled)
    found = [context.task.pool[row["index"]] for row in sampled]
    examples = [
        LabelledExample(
            f"i{iteration + 1:03d}-{n:04d}",
            one.text,
            one.label,
            iteration + 1,
            "gold",
            entities=one.entities,
            reasoning=one.reasoning,
            output=one.output,
        )
        for n, one in enumerate(found)
        if one.label is not None
    ]
    drops = [{"reason": "no_gold_label", "text": one.text, "detail": None} for one in found if one.label is None]
    write_examples(after.candidates, examples)
    write_examples(after.batch, examples)
    put_drops(context.run.iteration(iteration).dropped, "gold", drops)
    return {"waiting": len(examples)}
