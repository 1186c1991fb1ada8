"""What a grid's scores say: means, paired bootstrap intervals, F1 over teacher tokens. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]
"""(N,) indices of labels, one a test text."""
Texts = NDArray[np.bool_]
"""(N,) which of the test texts."""
DRAWS = 2000


@dataclass(frozen=True)
class Answers:
    """What one student said of the test texts: labels, or counts of entities."""

    gold: Labels
    predicted: Labels
    right: Labels | None = None
    """(N,) entities of each text that are right; `gold` and `predicted` are then how many it has and were said."""

    @property
    def correct(self) -> Texts:
        """The texts whose answer is right; of counts those of which all was found and nothing else said."""
        same: Texts = self.predicted == self.gold
        return same if self.right is None else same & (self.right == self.gold)

    def like(self, share: float) -> Texts:
        """Of free answers the texts whose answer is at least so much like the right one (tasks/instruction.py)."""
        return self.correct if self.right is None else np.asarray(self.right >= share * self.gold)

    def score(self, texts: Labels | slice, labels: int) -> float:
        """Macro-F1 over `labels`, or of counts micro-F1, on some of the texts."""
        if self.right is None:
            return macro_f1(self.gold[texts], self.predicted[texts], labels)
        return micro_f1(self.gold[texts], self.predicted[texts], self.right[texts])


@dataclass(frozen=True)
class Difference:
    """Mean difference of the score (0 to 1) and its 95 % interval."""

    mean: float
    low: float
    high: float


def mean_and_std(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean, and the sample standard deviation (n − 1) where there are two values."""
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else None


def macro_f1(gold: Labels, predicted: Labels, labels: int) -> float:
    """Mean over `labels` of 2·hits / (gold + predicted); 0 for a label that is in neither, as in scikit-learn."""
    hits = np.bincount(gold[gold == predicted], minlength=labels)
    total = np.bincount(gold, minlength=labels) + np.bincount(predicted, minlength=labels)
    return float(np.mean(np.divide(2.0 * hits, total, out=np.zeros(labels), where=total > 0)))


def micro_f1(gold: Labels, predicted: Labels, right: Labels) -> float:
    """2·right / (gold + predicted), each summed over the texts; 0 where there is no entity on either side."""
    total = int(gold.sum() + predicted.sum())
    return 2.0 * int(right.sum()) / total if total else 0.0


def paired_difference(ours: Sequence[Answers], theirs: Sequence[Answers], labels: int, seed: int = 0) -> Difference:
    """Score of `ours` minus `theirs` (see Answers), paired by seed and by test text.

    Percentile bootstrap of two levels: seeds are drawn again, and in each the test texts, the same for both. So the
    interval covers both what another seed and what other test texts would change.

    Args:
        ours, theirs: one Answers a seed, in the same order of seeds and over the same test texts.
    """
    rng = np.random.default_rng(seed)
    pairs = list(zip(ours, theirs, strict=True))
    size = len(pairs[0][0].gold)

    def gain(pair: tuple[Answers, Answers], texts: Labels | slice) -> float:
        one, other = pair
        return one.score(texts, labels) - other.score(texts, labels)

    draws = np.empty(DRAWS)
    for number in range(DRAWS):
        texts = rng.integers(size, size=size)
        draws[number] = np.mean([gain(pairs[i], texts) for i in rng.integers(len(pairs), size=len(pairs))])
    low, high = np.quantile(draws, [0.025, 0.975])
    return Difference(float(np.mean([gain(pair, slice(None)) for pair in pairs])), float(low), float(high))


def outcomes(old: Texts, new: Texts) -> dict[str, Texts]:
    """What became of each text that was right or not; every text is in one of the four."""
    return {"lost": old & ~new, "gained": ~old & new, "both_right": old & new, "both_wrong": ~old & ~new}


Curve = Sequence[tuple[float, float]]
"""(teacher tokens, score) of one run, tokens rising, first at 0."""


def area(curve: Curve, tokens: float) -> float:
    """Mean score over 0 … `tokens`: the curve in straight lines between its points, level after its last."""
    inside = [(x, y) for x, y in curve if x < tokens]
    xs, ys = [x for x, _ in curve], [y for _, y in curve]
    points = [*inside, (tokens, float(np.interp(tokens, xs, ys)))]
    return float(np.trapezoid([y for _, y in points], [x for x, _ in points])) / tokens


def tokens_to(curve: Curve, score: float) -> float | None:
    """Teacher tokens at which the curve first reaches `score`, in straight lines between points; None if never."""
    before: tuple[float, float] | None = None
    for x, y in curve:
        if y >= score:
            if before is None or y == before[1]:
                return x
            return before[0] + (x - before[0]) * (score - before[1]) / (y - before[1])
        before = (x, y)
    return None
