"""measure: the student on test and dev. The only node that reads the test set; nothing else uses what it says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langgraph.runtime import Runtime

from agent.rundir import write_json
from agent.state import Context, State, StudentLane
from tasks.classification import metrics
from tasks.task import Example


def measure(state: State, runtime: Runtime[Context]) -> StudentLane:
    """Writes measured.json."""
    context = runtime.context
    test = score_of(context, state, context.task.test[: context.config.test_limit])
    dev = score_of(context, state, context.task.dev) if context.task.dev else None
    write_json(context.run.iteration(state["iteration"]).measured, {"test": test, "dev": dev})
    return {"test": float(test["macro_f1"])}


def score_of(context: Context, state: State, examples: Sequence[Example]) -> dict[str, Any]:
    """Metrics of the student's answers against the gold labels."""
    labels = list(context.task.labels)
    adapter = context.run.root / str(state["adapter"])
    probabilities = context.student.predict([example.text for example in examples], adapter)  # (N, L)
    predicted = [labels[i] for i in probabilities.argmax(axis=1)]
    return metrics([str(example.label) for example in examples], predicted, labels)
