"""Batch calibration: a teacher's label distribution, freed of its liking for some labels.

A small teacher prefers labels by their name or place in the prompt. Its mean distribution over real, unlabelled texts
shows that preference (together with how common the labels are); dividing by it costs no token (Zhou et al.,
arXiv 2309.17249). It assumes that no label is very rare among these texts: turn it off where one is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

ENOUGH = 16
"""Real texts below which the mean says too little, and nothing is calibrated."""


def mean_distribution(distributions: Sequence[Mapping[str, float]]) -> dict[str, float] | None:
    """The mean over texts, each {label: probability}; None for fewer than ENOUGH texts."""
    if len(distributions) < ENOUGH:
        return None
    labels = distributions[0]
    return {label: sum(one[label] for one in distributions) / len(distributions) for label in labels}


def calibrate(distribution: Mapping[str, float], mean: Mapping[str, float]) -> dict[str, float]:
    """p(label) / mean(label), normalised. A label the teacher never gave any probability keeps its zero."""
    ratios = {label: p / mean[label] if mean[label] > 0 else 0.0 for label, p in distribution.items()}
    total = sum(ratios.values())
    return {label: ratio / total for label, ratio in ratios.items()} if total > 0 else dict(distribution)
