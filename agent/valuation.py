"""What an example is worth, as free functions on features and labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ROUNDS, STEPS = 60, 20
"""Updates of the weights, and steps of the inner model before each."""
INNER_RATE, OUTER_RATE = 4.0, 0.1
ENOUGH = 16
"""Texts below which agreement says too little."""
FLOOR = 1e-3
"""The least probability of a label."""
MATCHINGS = 100
"""Rounds in which the mean of many answers comes to what it should be."""

OWN = 5
"""Texts a label that the student's own shares stand for when they are matched to the teacher's."""

LEAST = 0.5
"""Trust below which nothing is averaged. AG News 1.0: four to nine points more; SST-2 0.25 to 0.35: four to five points
less, the earlier student being hardly better than chance there (docs/what-we-learned.md)."""

Matrix = NDArray[np.float64]


def robust_weights(features: Matrix, labels: NDArray[np.int64], classes: int, rng: np.random.Generator) -> Matrix:
    """(N,) weights in [0, 1] of examples whose labels may be wrong, after SunGen's bilevel problem (arXiv 2205.12679).

    The inner model learns half of the examples with their weights (cross-entropy); the outer loss, on the other
    half, is reverse cross-entropy, which for one label is 1 − p(label) up to a factor and bears wrong labels; the
    weights go down its gradient through the last inner step. Differs: the inner model is a linear head on fixed
    features, and the halves are drawn anew each round instead of one validation set.

    Args:
        features: (N, H), of length 1 each.
        labels: (N,) indices below `classes`.
    """
    count = len(labels)
    weights = np.ones(count)
    inputs = np.hstack([features, np.ones((count, 1))])  # (N, H + 1)
    wanted = np.eye(classes)[labels]  # (N, L)
    for _ in range(ROUNDS if count > 1 else 0):
        order = rng.permutation(count)
        inner, outer = order[: count // 2], order[count // 2 :]
        head = np.zeros((inputs.shape[1], classes))
        for _ in range(STEPS):
            pull = _softmax(inputs[inner] @ head) - wanted[inner]  # (n, L), the gradient by the logits
            before = head
            head = head - INNER_RATE * inputs[inner].T @ (weights[inner, None] * pull) / len(inner)
        pull = _softmax(inputs[inner] @ before) - wanted[inner]
        given = _softmax(inputs[outer] @ head)
        right = given[np.arange(len(outer)), labels[outer]]  # p(label)
        by_logits = -right[:, None] * (wanted[outer] - given)  # the gradient of 1 − p(label)
        by_head = inputs[outer].T @ by_logits / len(outer)
        by_weight = -((inputs[inner] @ by_head) * pull).sum(axis=1)
        largest = np.abs(by_weight).max()
        if largest > 0:
            weights[inner] = np.clip(weights[inner] - OUTER_RATE * by_weight / largest, 0.0, 1.0)
    return weights


def trusted(own: Matrix, labels: NDArray[np.int64]) -> float:
    """The power in [0, 1] that makes `own` (N, L) foretell `labels` (N,) best: how far to trust these opinions.

    Temperature scaling (Guo et al., arXiv 1706.04599) of the student's probabilities on the teacher's labels, never
    above 1. 0 for fewer than ENOUGH texts, and near it where the two agree no more than by chance.
    """
    if len(labels) < ENOUGH:
        return 0.0
    logs = np.log(own + FLOOR)
    powers = np.linspace(0.0, 1.0, 21)
    likely = [np.log(_softmax(power * logs)[np.arange(len(labels)), labels]).mean() for power in powers]
    return float(powers[int(np.argmax(likely))])


def product(said: Matrix, own: Matrix, trust: float) -> Matrix:
    """(N, L): `said` × `own` ** `trust`, normalised. FLOOR keeps a label that one of them rules out possible."""
    return _softmax(np.log(said + FLOOR) + trust * np.log(own + FLOOR))


def prior_weights(own: Matrix, share: NDArray[np.float64]) -> NDArray[np.float64]:
    """(L,) of mean 0: what must be added to the logits of `own` (N, L) for its mean to be `share` (L,), as nearly as
    MATCHINGS rounds come.

    Prior matching (Liusie et al., arXiv 2309.04992), but to a share that is known; for a classifier whose training had
    other priors: Saerens et al. 2002. FLOOR keeps a label that the student rules out possible.
    """
    logs = np.log(own + FLOOR)
    weights = np.zeros(own.shape[1])
    for _ in range(MATCHINGS):
        weights += np.log((share + FLOOR) / (_softmax(logs + weights).mean(axis=0) + FLOOR))
    result: NDArray[np.float64] = weights - weights.mean()
    return result


def shrunk(share: NDArray[np.float64], count: int, own: NDArray[np.float64]) -> NDArray[np.float64]:
    """(L,): `share` (L,), counted on `count` texts, as if OWN texts a label more had been counted as `own` (L,) says.

    The mean of a Dirichlet posterior: where labels are many and texts few, counts tell little."""
    more = OWN * len(own)
    return (count * share + more * own) / (count + more)


def earlier_share(trust: float) -> float:
    """Of the student before any of the teacher's texts in the average with the one after: the two count as `trust` to
    1, as in the product."""
    return trust / (1.0 + trust) if trust >= LEAST else 0.0


def _softmax(logits: Matrix) -> Matrix:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    result: Matrix = raised / raised.sum(axis=1, keepdims=True)
    return result
