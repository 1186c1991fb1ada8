"""The pool texts that nobody labelled, and how common each label is among those that the teacher did."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent.earlier import pool_learned
from agent.example import LabelledExample
from agent.rundir import read_jsonl
from agent.state import Context
from agent.valuation import ENOUGH


def unlabelled(context: Context, iteration: int) -> list[str]:
    """Pool texts that no iteration so far, nor an earlier run, sent to the teacher, in an order of this run's own."""
    taken = {row["index"] for k in range(iteration + 1) for row in read_jsonl(context.run.iteration(k).sampled)}
    taken |= pool_learned(context)
    order = context.rng(0, "selftrain").permutation(len(context.task.pool))
    return [context.task.pool[int(index)].text for index in order if int(index) not in taken]


def teacher_share(known: Sequence[LabelledExample], labels: Sequence[str]) -> tuple[NDArray[np.float64], int] | None:
    """(L,): the mean of the teacher's label distributions of pool texts, and of how many; None for fewer than ENOUGH.

    A label that the teacher was not shown (`shortlist`) has nothing of that text."""
    said = [e.teacher_distribution for e in known if e.source == "pool" and e.teacher_distribution is not None]
    if len(said) < ENOUGH:
        return None
    share: NDArray[np.float64] = np.array([[one.get(label, 0.0) for label in labels] for one in said]).mean(axis=0)
    return share / share.sum(), len(said)
