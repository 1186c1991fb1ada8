"""average: the student's weights are averaged with those of the student before any of the teacher's texts.

What the teacher writes is not what the student will read; learning it, the student forgets some of what it knew from
the seed examples and the labels' names. Weights halfway between both keep much of either (WiSE-FT: Wortsman et al.,
arXiv 2109.01903). The earlier student's share follows the trust that reconcile measured: half where it foretells the
teacher's labels as well as it can, none where it foretells them poorly. Only where all texts are written.
"""

from __future__ import annotations

from langgraph.runtime import Runtime

from agent.rundir import read_jsonl
from agent.state import Context, State, StudentLane
from agent.valuation import earlier_share


def average(state: State, runtime: Runtime[Context]) -> StudentLane:
    """Writes adapter_averaged/, which is then the student of this iteration; nothing where there is no trust."""
    context = runtime.context
    here, first = context.run.iteration(state["iteration"]), context.run.iteration(0).adapter
    rows = read_jsonl(here.targets)
    share = earlier_share(float(rows[0]["trust"]) if rows else 0.0)
    if share == 0:
        return {}
    context.student.average(first, here.adapter, share, here.averaged_adapter)
    return {"adapter": context.run.relative(here.averaged_adapter)}
