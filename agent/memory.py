"""Replay: which examples of the history are trained on again (EvoKD's "review history")."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.selection import quotas


def uniform(count: int, size: int | None, rng: np.random.Generator) -> list[int]:
    """`size` of `count` indices, each as likely as the other, ascending; all where size is None."""
    if size is None or size >= count:
        return list(range(count))
    return sorted(int(i) for i in rng.choice(count, size=size, replace=False))


def balanced(labels: Sequence[str], size: int | None, rng: np.random.Generator) -> list[int]:
    """`size` indices with labels as equal in number as the history allows; None = as many as balance allows.

    No index is drawn twice: a rare label gives all it has and the others share what is left.
    """
    groups = {label: [i for i, x in enumerate(labels) if x == label] for label in dict.fromkeys(labels)}
    if not groups:
        return []
    if size is None:
        size = min(len(group) for group in groups.values()) * len(groups)
    chosen: list[int] = []
    left = min(size, len(labels))
    while left > 0 and groups:
        shares = quotas(dict.fromkeys(groups, 1.0), left)
        for label in list(groups):
            take = min(shares[label], len(groups[label]))
            picked = rng.choice(len(groups[label]), size=take, replace=False)
            chosen += [groups[label][i] for i in picked]
            taken = set(chosen)
            groups[label] = [i for i in groups[label] if i not in taken]
        groups = {label: group for label, group in groups.items() if group}
        left = min(size, len(labels)) - len(chosen)
    return sorted(chosen)


def periodic(iteration: int, every: int, count: int, size: int | None, rng: np.random.Generator) -> list[int]:
    """`uniform` in every n-th iteration, nothing in the others."""
    return uniform(count, size, rng) if iteration % every == 0 else []
