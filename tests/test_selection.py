"""Quotas, need, near-duplicates and choices, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from agent.selection import (
    filled,
    fresh,
    least_sure,
    margin,
    near_duplicate,
    need,
    quotas,
    spread,
    surest,
    top_by_score,
)


@pytest.mark.parametrize(
    ("weights", "total", "places"),
    [
        ({"a": 3, "b": 1}, 8, {"a": 6, "b": 2}),
        ({"a": 1, "b": 1, "c": 1}, 7, {"a": 3, "b": 2, "c": 2}),  # 2.33 each; the tie goes to the earlier
        ({"a": 1, "b": 1, "c": 1}, 2, {"a": 1, "b": 1, "c": 0}),
        ({"a": 0.2, "b": 0.5, "c": 0.3}, 4, {"a": 1, "b": 2, "c": 1}),  # 0.8, 2, 1.2
        ({"a": 10, "b": 0.1, "c": 0.1}, 3, {"a": 1, "b": 1, "c": 1}),  # at least one place each
        ({"a": 10, "b": 0}, 3, {"a": 3, "b": 0}),  # but not for a weight of 0
        ({"a": 0, "b": 0}, 3, {"a": 0, "b": 0}),
        ({"a": 1, "b": 1}, 0, {"a": 0, "b": 0}),
        ({"a": 1, "b": 1}, -1, {"a": 0, "b": 0}),
        ({}, 3, {}),
    ],
)
def test_places_go_by_weight_with_the_largest_remainder(
    weights: dict[str, float], total: int, places: dict[str, int]
) -> None:
    assert quotas(weights, total) == places


def test_all_places_are_given_whatever_the_weights() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        weights = {str(n): float(w) for n, w in enumerate(rng.exponential(size=7))}
        total = int(rng.integers(7, 60))
        places = quotas(weights, total)
        assert sum(places.values()) == total
        assert min(places.values()) >= 1


def test_a_label_needs_more_the_more_the_student_fails() -> None:
    counts = {"a": 4, "b": 4, "c": 4}
    found = need(counts, {"a": 1.0, "b": 0.0, "c": None})
    assert found == pytest.approx({"a": 0.5, "b": 1.5, "c": 1.0})


def test_a_label_needs_more_the_rarer_it_is_up_to_twice() -> None:
    assert need({"a": 3, "b": 1}, {"a": None, "b": None}) == pytest.approx({"a": 3 / 4, "b": 3 / 2})  # mean 2
    assert need({"a": 19, "b": 1}, {"a": None, "b": None}) == pytest.approx({"a": 11 / 20, "b": 2.0})  # 11/2 is cut
    assert need({}, {"a": None, "b": None}) == {"a": 1.0, "b": 1.0}


@pytest.mark.parametrize(
    "text", ["The food was cold.", "the  FOOD was cold.", "cold. was food The", "The food was so cold."]
)
def test_case_order_and_a_small_word_make_no_new_text(text: str) -> None:
    assert near_duplicate(text, ["Another one.", "The food was cold."]) == "The food was cold."


def test_other_words_make_a_new_text() -> None:
    assert near_duplicate("The food was cold.", ["The room was dirty.", "The food was served on a boat."]) is None
    assert near_duplicate("The food was cold.", []) is None


def test_each_text_that_is_not_fresh_says_what_it_repeats() -> None:
    texts = ["Great hotel by the sea", "GREAT hotel  by the sea", "by the sea great hotel!", "I lost my card",
             "Where is my parcel now?"]  # fmt: skip
    kept, dropped = fresh(texts, seen=["where is my parcel now?"], seeds=["I lost my card."])
    assert kept == [0]
    assert dropped == {
        1: ("duplicate", texts[0]),
        2: ("near_duplicate", texts[0]),
        3: ("copy_of_seed", "I lost my card."),
        4: ("duplicate", "where is my parcel now?"),
    }


def test_the_best_of_each_group_are_kept_in_order_and_groups_without_places_whole() -> None:
    scores = [0.1, 0.9, 0.5, 0.9, 0.0, 0.3]
    groups = ["hard", "hard", "easy", "hard", "pool", "easy"]
    assert top_by_score(scores, groups, {"hard": 2, "easy": 1}) == [1, 2, 3, 4]
    assert top_by_score(scores, groups, {"hard": 0, "easy": 9}) == [2, 4, 5]


def test_the_earlier_of_two_equal_scores_is_kept() -> None:
    assert top_by_score([0.5, 0.5, 0.5], ["x"] * 3, {"x": 2}) == [0, 1]


def test_places_that_a_group_cannot_fill_go_to_the_others() -> None:
    assert filled({"hard": 8, "easy": 8}, {"easy": 16, "pool": 40}) == {"hard": 0, "easy": 16}
    assert filled({"hard": 8, "easy": 8}, {"hard": 12, "easy": 5}) == {"hard": 11, "easy": 5}
    assert filled({"hard": 2, "easy": 2}, {"hard": 9, "easy": 9}) == {"hard": 2, "easy": 2}
    assert filled({"hard": 2}, {}) == {"hard": 0}


def test_least_sure_is_the_smallest_margin_between_the_first_two_labels() -> None:
    rows = np.array([[0.90, 0.06, 0.04], [0.40, 0.35, 0.25], [0.50, 0.50, 0.00], [0.34, 0.33, 0.33]])
    assert least_sure(rows, 3) == [2, 3, 1]  # margins 0.84, 0.05, 0, 0.01
    assert least_sure(rows, 9) == [2, 3, 1, 0]
    assert least_sure(np.zeros((0, 3)), 2) == []


def test_the_surest_of_each_answer() -> None:
    sure, said = np.array([0.9, 0.6, 0.8, 0.7, 0.55]), ["a", "a", "a", "a", "b"]
    assert surest(sure, said, 0.5) == [0, 2, 4]
    assert surest(sure, said, 0.25) == [0, 4]
    assert surest(sure, said, 1.0) == [0, 1, 2, 3, 4]
    assert surest(np.array([0.5, 0.5]), [True, True], 0.5) == [0], "of equals the first"


def test_margin_is_first_less_second() -> None:
    assert margin(np.array([[0.7, 0.2, 0.1], [0.25, 0.5, 0.25]])).tolist() == pytest.approx([0.5, 0.25])


def test_spread_takes_one_of_each_heap_the_one_in_its_middle() -> None:
    heaps = np.array([[0.0, 0], [0.2, 0], [0.1, 0], [5, 5], [5.2, 5], [5.1, 5], [9, 0]])
    assert spread(heaps, np.ones(7), 3, seed=1) == [2, 5, 6]


def test_spread_is_drawn_to_what_weighs_more() -> None:
    line = np.array([[0.0], [1], [2], [3], [4], [10]])
    assert spread(line, np.ones(6), 2, seed=1) == [2, 5]
    assert spread(line, np.array([0.0, 0, 0, 0, 9, 9]), 2, seed=1) == [4, 5]


def test_spread_of_few_or_equal_rows() -> None:
    assert spread(np.zeros((2, 3)), np.ones(2), 5, seed=1) == [0, 1]
    assert spread(np.zeros((3, 3)), np.ones(3), 0, seed=1) == []
    assert spread(np.ones((4, 3)), np.zeros(4), 2, seed=1) == [0]  # nothing tells them apart
