"""Statistics of a grid on cases worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from agent.experiments.statistics import (
    Answers,
    area,
    macro_f1,
    mean_and_std,
    outcomes,
    paired_difference,
    tokens_to,
)

GOLD = np.array([0, 0, 1, 1, 2, 2])


def test_mean_and_sample_deviation() -> None:
    assert mean_and_std([0.5, 0.7]) == (pytest.approx(0.6), pytest.approx(0.1 * 2**0.5))
    assert mean_and_std([0.5]) == (0.5, None)


@pytest.mark.parametrize("predicted", [[0, 0, 1, 1, 2, 2], [0, 1, 1, 1, 0, 0], [2, 2, 2, 2, 2, 2]])
def test_macro_f1_is_scikit_learns(predicted: list[int]) -> None:
    said = np.array(predicted)
    expected = f1_score(GOLD, said, labels=[0, 1, 2, 3], average="macro", zero_division=0)
    assert macro_f1(GOLD, said, 4) == pytest.approx(expected)


def test_a_student_against_itself_differs_by_nothing() -> None:
    one = Answers(GOLD, np.array([0, 1, 1, 1, 2, 0]))
    found = paired_difference([one, one], [one, one], 3)
    assert (found.mean, found.low, found.high) == (0.0, 0.0, 0.0)


def test_a_clear_gain_has_an_interval_above_zero_and_a_doubtful_one_has_not() -> None:
    rng = np.random.default_rng(0)
    gold = rng.integers(2, size=400)

    def right(share: float) -> Answers:
        return Answers(gold, np.where(rng.random(400) < share, gold, 1 - gold))

    clear = paired_difference([right(0.9) for _ in range(3)], [right(0.7) for _ in range(3)], 2)
    assert clear.low > 0.1 and clear.mean == pytest.approx(0.2, abs=0.05) and clear.high < 0.3
    lost, won = Answers(gold, gold.copy()), Answers(gold, gold.copy())  # 10 texts won, 10 lost
    lost.predicted[:10], won.predicted[10:20] = 1 - gold[:10], 1 - gold[10:20]
    doubtful = paired_difference([won], [lost], 2)
    assert doubtful.low < 0 < doubtful.high


def test_seeds_that_disagree_widen_the_interval() -> None:
    gold = np.array([0, 1] * 50)
    good, bad = Answers(gold, gold), Answers(gold, 1 - gold)
    found = paired_difference([good, bad], [bad, good], 2)
    assert (found.mean, found.low, found.high) == (0.0, -1.0, 1.0)


def test_the_area_is_the_mean_of_the_curve_over_the_budget() -> None:
    curve = [(0.0, 0.2), (100.0, 0.6), (300.0, 0.6)]
    assert area(curve, 100) == pytest.approx(0.4)
    assert area(curve, 200) == pytest.approx((0.4 + 0.6) / 2)
    assert area(curve, 50) == pytest.approx(0.3)
    assert area(curve, 600) == pytest.approx((0.4 * 100 + 0.6 * 500) / 600)


def test_the_tokens_at_which_a_score_is_reached() -> None:
    curve = [(0.0, 0.2), (100.0, 0.6), (300.0, 0.5), (400.0, 0.9)]
    assert tokens_to(curve, 0.1) == 0
    assert tokens_to(curve, 0.4) == pytest.approx(50)
    assert tokens_to(curve, 0.6) == pytest.approx(100)
    assert tokens_to(curve, 0.7) == pytest.approx(350)
    assert tokens_to(curve, 0.95) is None


def test_counts_of_entities_are_scored_as_micro_f1_and_paired_by_text() -> None:
    gold = np.array([2, 1, 0, 1])
    good, bad = Answers(gold, np.array([2, 1, 1, 0]), np.array([2, 1, 0, 0])), Answers(gold, gold, np.zeros(4, int))
    assert good.score(slice(None), 3) == pytest.approx(2 * 3 / (4 + 4))
    assert good.score(np.array([2]), 3) == 0.0
    assert Answers(gold[2:3], gold[2:3], gold[2:3]).score(slice(None), 3) == 0.0
    found = paired_difference([good], [bad], 3)
    assert found.mean == pytest.approx(0.75) and 0 <= found.low <= found.high <= 1


def test_every_text_has_one_of_four_outcomes() -> None:
    gold = np.array([0, 1, 0, 1])
    found = outcomes(Answers(gold, np.array([0, 1, 1, 0])).correct, Answers(gold, np.array([0, 0, 0, 0])).correct)
    assert {name: np.flatnonzero(texts).tolist() for name, texts in found.items()} == {
        "both_right": [0],
        "lost": [1],
        "gained": [2],
        "both_wrong": [3],
    }


def test_a_text_of_entities_is_right_where_all_were_found_and_nothing_else() -> None:
    gold, predicted, right = np.array([2, 2, 2, 0, 0]), np.array([2, 3, 1, 0, 1]), np.array([2, 2, 1, 0, 0])
    assert Answers(gold, predicted, right).correct.tolist() == [True, False, False, True, False]
