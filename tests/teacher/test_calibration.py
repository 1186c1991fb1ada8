"""Batch calibration on cases worked by hand."""

from __future__ import annotations

import pytest

from agent.teacher.calibration import ENOUGH, calibrate, mean_distribution


def test_a_liking_for_one_label_is_divided_out() -> None:
    # 0.6/0.8 = 0.75, 0.4/0.2 = 2; normalised by 2.75
    found = calibrate({"a": 0.6, "b": 0.4}, {"a": 0.8, "b": 0.2})
    assert found == pytest.approx({"a": 0.75 / 2.75, "b": 2 / 2.75})


def test_an_even_mean_changes_nothing() -> None:
    assert calibrate({"a": 0.7, "b": 0.3}, {"a": 0.5, "b": 0.5}) == pytest.approx({"a": 0.7, "b": 0.3})


def test_a_label_that_never_got_any_probability_stays_at_zero() -> None:
    assert calibrate({"a": 1.0, "b": 0.0}, {"a": 1.0, "b": 0.0}) == {"a": 1.0, "b": 0.0}


def test_the_mean_of_a_few_texts_is_not_used() -> None:
    few = [{"a": 0.9, "b": 0.1}] * (ENOUGH - 1)
    assert mean_distribution(few) is None
    assert mean_distribution([*few, {"a": 0.9, "b": 0.1}]) == pytest.approx({"a": 0.9, "b": 0.1})
