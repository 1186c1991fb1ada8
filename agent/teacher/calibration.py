"""Prior matching: a teacher's label distribution, freed of its liking for some labels.

A small teacher prefers labels by their name or place in the prompt. Over real, unlabelled texts that preference shows
in the mean of its distributions; one weight a label, such that the weighted distributions have an even mean, takes it
out and costs no token (Liusie et al., arXiv 2309.04992; one step of it is the batch calibration of arXiv 2309.17249).
Labels of real texts are not equally common, though, so we differ: a mean within LEAST and MOST of an even share may be
the texts' own and is left alone, one beyond is brought back to there and no further, and an even text for each label
stands beside the real ones, so that a few texts say less. A sure teacher's labels hardly change. Turn it off where a
label is very rare and the teacher unsure. What it was worth, and an even mean in its place: docs/what-we-learned.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

ENOUGH = 16
"""Real texts below which the mean says too little, and nothing is calibrated."""
LEAST, MOST = 0.7, 1.5
"""A label's share of the mean, as a multiple of 1 / labels, that may well be the texts' own."""
STEPS = 40


def label_weights(distributions: Sequence[Mapping[str, float]]) -> dict[str, float] | None:
    """{label: weight}, which bring the mean of the weighted distributions within LEAST and MOST; None for fewer than
    ENOUGH texts.

    All equal where it is there already. A label that never got any probability has weight 0.
    """
    if len(distributions) < ENOUGH:
        return None
    labels = list(distributions[0])
    given = np.array([[one[label] for label in labels] for one in distributions])  # (N, L)
    seen = given.mean(axis=0) > 0
    share = given.mean(axis=0)[seen] * seen.sum()
    weights = seen.astype(float)
    if share.min() < LEAST or share.max() > MOST:
        wanted = bounded(share) / seen.sum()
        given = np.vstack([given, np.tile(seen / seen.sum(), (int(seen.sum()), 1))])
        for _ in range(STEPS):
            weighted = given * weights
            mean = (weighted / weighted.sum(axis=1, keepdims=True)).mean(axis=0)
            weights[seen] *= wanted / mean[seen]
    return dict(zip(labels, (weights / weights.sum()).tolist(), strict=True))


def bounded(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """(L,): `share` (L,), of mean 1, times one number and cut to LEAST and MOST, such that its mean is 1 again."""
    low, high = LEAST / share.max(), MOST / share.min()
    for _ in range(STEPS):
        middle = float(np.sqrt(low * high))
        if np.clip(middle * share, LEAST, MOST).mean() > 1:
            high = middle
        else:
            low = middle
    found: NDArray[np.float64] = np.clip(low * share, LEAST, MOST)
    found /= found.mean()
    return found


def calibrate(distribution: Mapping[str, float], weights: Mapping[str, float]) -> dict[str, float]:
    """p(label) × weight(label), normalised."""
    weighted = {label: p * weights[label] for label, p in distribution.items()}
    total = sum(weighted.values())
    return {label: value / total for label, value in weighted.items()} if total > 0 else dict(distribution)
