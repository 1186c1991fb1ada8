"""What the rest of a token budget still buys, so that nothing is written that could not be labelled."""

from __future__ import annotations

from math import inf

from agent.rundir import read_jsonl
from agent.state import Context

LANE = ("analyze", "generate", "label")
"""The nodes that spend, in their order within an iteration."""


def generating_calls(context: Context, iteration: int, node: str) -> float:
    """How many generating calls leave enough of a token budget to label what they write and the waiting pool texts.

    By the mean cost of this run's earlier calls, without what `node` and those after it spent in this iteration, so
    that a resumed run decides the same. No limit where there is none, or nothing to take a mean of.
    """
    limit = context.config.budget.tokens
    later = LANE[LANE.index(node) :]
    uses = context.teacher.usage().by_node
    spent = {key: use for key, use in uses.items() if key[0] != iteration or key[1] not in later}
    means: dict[str, float] = {}
    for name in LANE:
        mine = [use for (_, other), use in spent.items() if other == name]
        if calls := sum(use.calls for use in mine):
            means[name] = sum(use.tokens for use in mine) / calls
    if limit is None or "generate" not in means or "label" not in means:
        return inf
    waiting = len(read_jsonl(context.run.iteration(iteration).sampled))
    left = limit - sum(use.tokens for use in spent.values()) - waiting * means["label"]
    if node == "analyze":
        left -= means.get("analyze", 0.0)
    return max(0.0, left / (means["generate"] + context.config.batch.texts_per_call * means["label"]))
