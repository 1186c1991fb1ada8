"""The rules, worked by hand."""

from __future__ import annotations

from statistics import mean

import numpy as np
import pytest

from agent.das.rules import FEW, LENGTH, OTHER, REST, RULES, Candidate, Rule, choose, in_band


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def kept(rule: Rule, candidates: list[Candidate], keep: float | None = None, share: float = 0.3) -> list[int]:
    return [i for i, reason in enumerate(choose(rule, candidates, keep, share, rng())) if reason is None]


ANSWERS = [
    Candidate("a", 100, 2, 4), Candidate("a", 110, 3, 10), Candidate("a", 300, 9, 30),
    Candidate("b", 50, 0, 2), Candidate("b", 45, 0, 2),
]  # fmt: skip


def test_count_takes_the_most_teacher_sentences_among_candidates_of_like_length() -> None:
    assert choose("count", ANSWERS, None, 0.3, rng()) == [OTHER, None, LENGTH, OTHER, None]


def test_of_equals_count_takes_the_shorter() -> None:
    assert kept("count", [Candidate("a", 100, 2, 4), Candidate("a", 99, 2, 4), Candidate("a", 101, 2, 4)]) == [1]


def test_count_goes_by_the_number_and_ratio_by_the_share() -> None:
    two = [Candidate("a", 100, 3, 10), Candidate("a", 90, 2, 2)]
    assert kept("count", two) == [0]
    assert kept("ratio", two) == [1]  # 0.3 is not more than 0.3


def test_longest_takes_the_longest_and_random_one_of_each_prompt() -> None:
    assert kept("longest", ANSWERS) == [2, 3]
    draws = {
        tuple(i for i, why in enumerate(choose("random", ANSWERS, None, 0.3, rng(n))) if not why) for n in range(40)
    }
    assert draws == {(i, j) for i in (0, 1, 2) for j in (3, 4)}
    assert kept("random", ANSWERS) == kept("random", ANSWERS)


def test_ratio_keeps_any_number_of_a_prompt() -> None:
    assert choose("ratio", ANSWERS, None, 0.2, rng()) == [None, None, None, FEW, FEW]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("keep", [0.01, 0.25, 0.5, 1.0])
def test_a_fraction_keeps_its_number_and_every_other_one_has_a_reason(rule: Rule, keep: float) -> None:
    alone = [Candidate(f"p{i}", 10 + i % 37, i % 5, 5) for i in range(100)]
    found = choose(rule, alone, keep, 0.3, rng())
    assert found.count(None) == round(keep * 100)
    assert set(found) <= {None, REST}


def test_the_ratio_is_a_rank_where_a_fraction_is_asked() -> None:
    weak = [Candidate(f"p{i}", 10, 10 - i, 10) for i in range(4)]  # a weak student: all above 30 %
    assert kept("ratio", weak, keep=0.5) == [0, 1]


def test_a_fraction_by_count_is_as_long_as_what_was_there_and_longest_is_not() -> None:
    """A text of twice the length has twice the teacher sentences, so a bare count would be `longest`."""
    alone = [Candidate(f"p{i}", 100 * (1 + i), 1 + i, 1 + i) for i in range(60)]
    everything = mean(one.length for one in alone)
    assert mean(alone[i].length for i in kept("count", alone, 0.5)) == pytest.approx(everything, rel=0.1)
    assert mean(alone[i].length for i in kept("longest", alone, 0.5)) > 1.4 * everything


def test_a_fraction_by_count_takes_the_most_teacher_sentences_of_like_length() -> None:
    alone = [Candidate(f"p{i}", 100, i % 2, 4) for i in range(20)]
    assert kept("count", alone, 0.5) == list(range(1, 20, 2))


def test_the_median_is_in_its_own_band() -> None:
    assert in_band([7]) == [True]
    assert in_band([100, 300]) == [True, False]
    assert in_band([80, 100, 125, 126]) == [True, True, True, False]


@pytest.mark.parametrize("rule", RULES)
def test_of_nothing_nothing_is_kept(rule: Rule) -> None:
    assert choose(rule, [], None, 0.3, rng()) == choose(rule, [], 0.5, 0.3, rng()) == []
