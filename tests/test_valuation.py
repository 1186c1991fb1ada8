"""Weights that bear wrong labels, on points whose labels are known to be right or wrong."""

from __future__ import annotations

import numpy as np
import pytest

from agent.valuation import prior_weights, product, robust_weights, shrunk, trusted


def test_wrong_labels_weigh_less_than_right_ones() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(3, size=240)
    centres = np.eye(3, 8)
    features = centres[labels] + rng.normal(0, 0.25, (240, 8))
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    wrong = rng.random(240) < 0.25
    given = np.where(wrong, (labels + 1) % 3, labels)
    weights = robust_weights(features, given, 3, rng)
    assert weights.shape == (240,) and weights.min() >= 0 and weights.max() <= 1
    assert weights[~wrong].mean() > weights[wrong].mean() + 0.4


def test_one_example_weighs_one() -> None:
    assert robust_weights(np.ones((1, 3)), np.array([0]), 2, np.random.default_rng(0)).tolist() == [1.0]


def opinions(right: int, wrong: int, sure: float) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of two labels, `sure` of the first, and labels that are the first `right` times."""
    return np.tile([sure, 1 - sure], (right + wrong, 1)), np.array([0] * right + [1] * wrong)


def test_opinions_are_trusted_as_far_as_they_foretell_the_labels() -> None:
    assert trusted(*opinions(20, 20, 0.9)) == 0.0  # no better than chance
    assert trusted(*opinions(10, 30, 0.9)) == 0.0  # worse: nothing is turned round
    assert trusted(*opinions(40, 0, 0.9)) == 1.0  # never more than they say
    # sure of 0.9 and right in 3 of 4: p ** a / (p ** a + q ** a) = 3 / 4 at a = log 3 / log 9
    assert trusted(*opinions(30, 10, 0.9)) == pytest.approx(0.5)


def test_few_texts_say_nothing_of_trust() -> None:
    assert trusted(*opinions(15, 0, 0.9)) == 0.0
    assert trusted(*opinions(16, 0, 0.9)) == 1.0


def test_the_product_of_two_opinions() -> None:
    said, own = np.array([[0.8, 0.2], [0.8, 0.2]]), np.array([[0.2, 0.8], [0.5, 0.5]])
    assert product(said, own, 1.0) == pytest.approx(np.array([[0.5, 0.5], [0.8, 0.2]]), abs=2e-3)
    assert product(said, own, 0.0) == pytest.approx(said, abs=1e-3)
    assert product(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]), 1.0).tolist() == [[0.5, 0.5]]


def test_weights_bring_answers_to_a_share_and_keep_their_order_within_a_label() -> None:
    own = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]])
    weights = prior_weights(own, np.array([0.5, 0.5]))
    found = own * np.exp(weights)
    found /= found.sum(axis=1, keepdims=True)
    assert found.mean(axis=0) == pytest.approx([0.5, 0.5], abs=0.01) and weights.sum() == pytest.approx(0)
    assert list(np.argsort(found[:, 0])) == [3, 2, 1, 0] and list(found.argmax(axis=1)) == [0, 0, 1, 1]
    assert prior_weights(own, own.mean(axis=0)) == pytest.approx([0, 0], abs=0.02)
    assert np.isfinite(prior_weights(np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([0.5, 0.5]))).all()


def test_counted_shares_are_drawn_to_the_students_own_where_labels_are_many() -> None:
    counted, own = np.array([1.0, 0.0]), np.array([0.5, 0.5])
    assert shrunk(counted, 10, own) == pytest.approx([0.75, 0.25])  # as if five texts of each label had been seen too
    assert shrunk(counted, 990, own) == pytest.approx([0.995, 0.005])
