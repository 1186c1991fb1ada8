"""match: the labels that the student gives are made as common as those that the teacher gave.

A student of few texts holds too many for one label. What the teacher said of the pool's texts tells how common each
label is; the bias of the student's head is moved until it finds them as common, over pool texts that nobody labelled
(prior matching: Saerens et al. 2002; Liusie et al., arXiv 2309.04992). No token, no training; the weights stay those of
a plain model. A head without a bias (a decoder's) is left as it is, and so is a student whose teacher named too few.
"""

from __future__ import annotations

from langgraph.runtime import Runtime

from agent.example import learned
from agent.rundir import write_json
from agent.state import Context, State, StudentLane
from agent.unlabelled import teacher_share, unlabelled
from agent.valuation import ENOUGH, prior_weights, shrunk

TEXTS = 500
"""Pool texts that the student is asked about, at most: shares are then known to two points."""


def match(state: State, runtime: Runtime[Context]) -> StudentLane:
    """Writes adapter_matched/ (or adapter_self_matched/), then the student of this iteration, and matched.json."""
    context, iteration = runtime.context, state["iteration"]
    if not context.student.biased:
        return {}
    here, labels = context.run.iteration(iteration), list(context.task.labels)
    replayed, batch = learned(context.run, iteration)
    known = teacher_share([*replayed, *batch], labels)
    texts = unlabelled(context, iteration)[:TEXTS]
    if known is None or len(texts) < ENOUGH:
        return {}
    adapter = context.run.root / str(state["adapter"])
    own = context.student.predict(texts, adapter)  # (N, L)
    share = shrunk(*known, own.mean(axis=0))
    weights = prior_weights(own, share)
    new = here.matched_adapter(adapter)
    context.student.shift(adapter, weights, new)
    rows = zip(labels, share, own.mean(axis=0), weights, strict=True)
    write_json(
        here.matched,
        [
            {"label": label, "teacher": float(said), "student": float(gave), "weight": float(weight)}
            for label, said, gave, weight in rows
        ],
    )
    return {"adapter": context.run.relative(new)}
