"""weigh: generated examples get weights that make the student bear wrong labels (strategy sungen)."""

from __future__ import annotations

import numpy as np
from langgraph.runtime import Runtime

from agent.example import learned
from agent.rundir import write_jsonl
from agent.state import Context, State, StudentLane
from agent.valuation import robust_weights


def weigh(state: State, runtime: Runtime[Context]) -> StudentLane:
    """Writes weights.jsonl, which train reads: a row an example that is learned; seed examples weigh 1."""
    context, iteration = runtime.context, state["iteration"]
    replayed, batch = learned(context.run, iteration)
    made = [example for example in [*replayed, *batch] if example.source not in ("seed", "name")]
    labels = list(context.task.labels)
    weights = np.ones(0)
    if made:
        features = context.student.embed([example.text for example in made])
        targets = np.array([labels.index(example.label) for example in made])
        weights = robust_weights(features, targets, len(labels), context.rng(iteration, "weigh"))
    rows = [{"id": e.id, "weight": float(weight)} for e, weight in zip(made, weights, strict=True)]
    write_jsonl(context.run.iteration(iteration).weights, rows)
    return {}
