"""Prior matching: a teacher's label distribution, freed of its liking for some labels.

A small teacher prefers labels by their name or place in the prompt. Over real, unlabelled texts that preference shows
in the mean of its distributions; one weight a label, such that the weighted distributions have an even mean, takes it
out and costs no token (Liusie et al., arXiv 2309.04992; one step of it is the batch calibration of arXiv 2309.17249).
Labels of real texts are not equally common, though, so we differ: shares within a factor of NEAR of an even one may be
the texts' own and are left alone, those of a factor of FAR are made even, those in between are brought nearer; and an
even text for each label stands beside the real ones, so that a few texts say less. A sure teacher's labels hardly
change. Turn it off where a label is very rare and the teacher unsure. What it was worth: docs/what-we-learned.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

ENOUGH = 16
"""Real texts below which the mean says too little, and nothing is calibrated."""
NEAR, FAR = 1.5, 2.0
"""By how much a label may be commoner, or rarer, than one in `labels` before its share is doubted, and wholly so."""
STEPS = 40


def label_weights(distributions: Sequence[Mapping[str, float]]) -> dict[str, float] | None:
    """{label: weight}, which bring the mean of the weighted distributions to what `believed` makes of it.

    None for fewer than ENOUGH texts. A label that never got any probability has weight 0.
    """
    if len(distributions) < ENOUGH:
        return None
    labels = list(distributions[0])
    given = np.array([[one[label] for label in labels] for one in distributions])  # (N, L)
    seen = given.mean(axis=0) > 0
    share = given.mean(axis=0)[seen]
    wanted, weights = believed(share), seen.astype(float)
    if not np.allclose(wanted, share):
        given = np.vstack([given, np.tile(seen / seen.sum(), (int(seen.sum()), 1))])
        for _ in range(STEPS):
            weighted = given * weights
            mean = (weighted / weighted.sum(axis=1, keepdims=True)).mean(axis=0)
            weights[seen] *= wanted / mean[seen]
    return dict(zip(labels, (weights / weights.sum()).tolist(), strict=True))


def believed(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """(L,): the shares that the labels are taken to have where a teacher's mean is `share` (L,), all above 0."""
    furthest = float(np.abs(np.log(share * len(share))).max())
    doubt = np.clip((furthest - np.log(NEAR)) / np.log(FAR / NEAR), 0, 1)
    nearer: NDArray[np.float64] = share ** (1 - doubt)
    nearer /= nearer.sum()
    return nearer


def calibrate(distribution: Mapping[str, float], weights: Mapping[str, float]) -> dict[str, float]:
    """p(label) × weight(label), normalised."""
    weighted = {label: p * weights[label] for label, p in distribution.items()}
    total = sum(weighted.values())
    return {label: value / total for label, value in weighted.items()} if total > 0 else dict(distribution)
