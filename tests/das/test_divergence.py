"""Divergence-aware sampling: d = teacher's confidence − student's probability of the same label."""

from __future__ import annotations

import pytest

from agent.das.divergence import divergence


def test_divergence_worked_by_hand() -> None:
    assert divergence([0.9, 0.5, 0.2], [0.4, 0.5, 1.0]).tolist() == pytest.approx([0.5, 0.0, -0.8])


def test_the_extremes_are_one_and_minus_one() -> None:
    assert divergence([1, 0], [0, 1]).tolist() == [1.0, -1.0]


def test_of_nothing_comes_nothing() -> None:
    assert divergence([], []).shape == (0,)


@pytest.mark.parametrize("odd", [float("nan"), -0.1, 1.1, float("inf")])
def test_what_is_no_probability_is_refused_on_either_side(odd: float) -> None:
    with pytest.raises(ValueError, match=r"teacher probabilities in \[0, 1\]"):
        divergence([0.5, odd], [0.5, 0.5])
    with pytest.raises(ValueError, match=r"student probabilities in \[0, 1\]"):
        divergence([0.5, 0.5], [0.5, odd])


def test_a_rounding_error_above_one_is_a_probability() -> None:
    assert divergence([1 + 1e-12], [0.0])[0] == pytest.approx(1)


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match=r"equal shapes, got \(2,\) and \(1,\)"):
        divergence([0.5, 0.5], [0.5])
