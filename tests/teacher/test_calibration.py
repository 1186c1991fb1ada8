"""Prior matching on cases worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from agent.teacher.calibration import ENOUGH, believed, calibrate, label_weights


def test_weights_are_multiplied_in_and_normalised() -> None:
    # 0.6 × 0.2 = 0.12, 0.4 × 0.8 = 0.32; normalised by 0.44
    assert calibrate({"a": 0.6, "b": 0.4}, {"a": 0.2, "b": 0.8}) == pytest.approx({"a": 0.12 / 0.44, "b": 0.32 / 0.44})


def test_a_mean_far_from_even_is_made_even() -> None:
    given = [{"a": 0.9, "b": 0.08, "c": 0.02}, {"a": 0.6, "b": 0.3, "c": 0.1}, {"a": 0.7, "b": 0.1, "c": 0.2}] * 200
    weights = label_weights(given)
    assert weights is not None
    after = [calibrate(one, weights) for one in given]
    mean = [sum(one[label] for one in after) / len(after) for label in "abc"]
    assert mean == pytest.approx([1 / 3] * 3, abs=0.01)


def test_a_mean_that_real_texts_may_have_is_left_alone() -> None:
    weights = label_weights([{"a": 0.8, "b": 0.2}, {"a": 0.4, "b": 0.6}] * ENOUGH)  # a has 1.2 times an even share
    assert weights == pytest.approx({"a": 0.5, "b": 0.5})


def test_two_labels_where_the_weights_are_known() -> None:
    # 2 n texts with odds 4, a share of 0.2, below half of an even one: made even, so odds of 1
    weights = label_weights([{"a": 0.8, "b": 0.2}] * 2000)
    assert weights is not None
    assert weights["a"] / weights["b"] == pytest.approx(1 / 4, rel=0.01)


def test_shares_are_doubted_the_more_the_further_they_are_from_even() -> None:
    assert believed(np.array([0.6, 0.4])) == pytest.approx([0.6, 0.4])  # 1.2 and 0.8 of an even share
    assert believed(np.array([0.78, 0.22])) == pytest.approx([0.5, 0.5])  # 0.44 of it
    middle = believed(np.array([0.71, 0.29]))  # 0.58 of it: between 1 / 1.5 and 1 / 2
    assert 0.5 < middle[0] < 0.71 and middle.sum() == pytest.approx(1)
    near, far = (believed(np.array([share, 1 - share]))[0] for share in (0.667, 0.749))
    assert near == pytest.approx(0.667, abs=0.01) and far == pytest.approx(0.5, abs=0.01), "no jump"


def test_a_few_texts_are_corrected_less_than_many() -> None:
    one = {"a": 0.8, "b": 0.2}
    few, many = label_weights([one] * ENOUGH), label_weights([one] * 500)
    assert few is not None and many is not None
    assert 0.5 > few["a"] > many["a"] > 0.2


def test_a_sure_teacher_is_left_alone() -> None:
    given = [{"a": 0.999, "b": 0.001}] * 30 + [{"a": 0.001, "b": 0.999}] * 10
    weights = label_weights(given)
    assert weights is not None
    assert all(calibrate(one, weights)[max(one, key=lambda x: one[x])] > 0.9 for one in given[30:])
    assert sum(calibrate(one, weights)["a"] > 0.5 for one in given) == 30


def test_a_label_that_never_got_any_probability_stays_at_zero() -> None:
    weights = label_weights([{"a": 1.0, "b": 0.0}] * ENOUGH)
    assert weights == {"a": 1.0, "b": 0.0}
    assert calibrate({"a": 1.0, "b": 0.0}, weights) == {"a": 1.0, "b": 0.0}


def test_a_few_texts_are_not_enough() -> None:
    few = [{"a": 0.9, "b": 0.1}] * (ENOUGH - 1)
    assert label_weights(few) is None
    assert label_weights([*few, few[0]]) is not None
