"""What the rest of a token budget still buys, so that nothing is chosen or written that could not be labelled."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, inf

from agent.rundir import read_jsonl
from agent.state import Context
from agent.teacher.usage import Usage

LANE = ("analyze", "generate", "label")
"""The nodes that spend, in their order within an iteration."""
LAST = 1.5
"""A batch may be so many times as large as asked when it is the last one: no training for a few left-over texts."""
MARGIN = 1.25
"""The last batch is chosen a quarter larger than the mean cost allows, so that it is the budget that ends it: cheap
texts of the pool cost less than the mean (SST-2: 64 texts at 53 tokens where the mean was 60)."""


def pool_texts(context: Context, iteration: int, wanted: int) -> int:
    """How many pool texts to choose where `wanted` are asked for: in the last batch what the rest of a token budget
    can label, be it less or (where less than half a batch would stay over for another iteration) more."""
    spent = {key: use for key, use in context.teacher.usage().by_node.items() if key[0] < iteration}
    limit, mean = context.config.budget.tokens, mean_cost(spent, "label")
    if limit is None or mean is None:
        return wanted
    left = max(0.0, limit - total(spent)) / (mean * calls_a_text(context))
    return max(1, ceil(MARGIN * left)) if left < LAST * wanted else wanted


def calls_a_text(context: Context) -> float:
    """Labelling calls for one text."""
    config = context.config.teacher
    if context.task.written:
        return context.config.batch.answers
    if not context.task.label_alone:
        return 1
    if config.texts_per_label_call > 1:
        return 1 / config.texts_per_label_call
    return 1 if context.teacher.can("labeller").top_logprobs > 0 else config.agreement_samples


def generating_calls(context: Context, iteration: int, node: str, apart: float = 1.0) -> float:
    """How many generating calls leave enough of a token budget to label what they write and the waiting pool texts.

    `apart`: the share of what they write that is labelled in a separate call.

    By the mean cost of this run's earlier calls, without what `node` and those after it spent in this iteration, so
    that a resumed run decides the same. No limit where there is none, or nothing to take a mean of.
    """
    limit = context.config.budget.tokens
    later = LANE[LANE.index(node) :]
    uses = context.teacher.usage().by_node
    spent = {key: use for key, use in uses.items() if key[0] != iteration or key[1] not in later}
    analyze, generate, label = (mean_cost(spent, name) for name in LANE)
    if limit is None or generate is None or label is None:
        return inf
    label *= calls_a_text(context)
    waiting = len(read_jsonl(context.run.iteration(iteration).sampled))
    left = limit - total(spent) - waiting * label
    if node == "analyze":
        left -= analyze or 0.0
    return max(0.0, left / (generate + context.config.batch.texts_per_call * apart * label))


def mean_cost(spent: Mapping[tuple[int, str], Usage], node: str) -> float | None:
    """Tokens of a call of `node`; None where there was none."""
    mine = [use for (_, other), use in spent.items() if other == node]
    calls = sum(use.calls for use in mine)
    return sum(use.tokens for use in mine) / calls if calls else None


def total(spent: Mapping[tuple[int, str], Usage]) -> int:
    return sum(use.tokens for use in spent.values())
