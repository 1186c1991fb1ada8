"""reconcile: what a text is learned as: the teacher's label distribution times that of the student before any of them.

The student that knows the seed examples and the labels' names alone is a second opinion that costs no token, and its
mistakes are its own. A product of experts (Hinton 2002): where both are sure of one label little changes, where they
are sure of different ones nothing is learned surely. How much the student's opinion counts is measured.
"""

from __future__ import annotations

import numpy as np
from langgraph.runtime import Runtime

from agent.example import learned
from agent.rundir import write_jsonl
from agent.state import Context, State, StudentLane
from agent.valuation import product, trusted


def reconcile(state: State, runtime: Runtime[Context]) -> StudentLane:
    """Writes targets.jsonl, which train and selftrain read: a row an example with a distribution of the teacher's."""
    context, iteration = runtime.context, state["iteration"]
    here, labels = context.run.iteration(iteration), list(context.task.labels)
    replayed, batch = learned(context.run, iteration)
    taught = [e for e in [*replayed, *batch] if e.teacher_distribution is not None]
    if not taught:
        write_jsonl(here.targets, [])
        return {}
    said = np.array([e.target(labels, soft=True) for e in taught])  # (N, L)
    own = context.student.predict([e.text for e in taught], context.run.iteration(0).adapter)  # (N, L)
    trust = trusted(own, said.argmax(axis=1))
    rows = product(said, own, trust).tolist()
    write_jsonl(
        here.targets, [{"id": e.id, "trust": trust, "target": row} for e, row in zip(taught, rows, strict=True)]
    )
    return {}
