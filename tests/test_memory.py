"""Which examples of the history are trained on again."""

from __future__ import annotations

from collections import Counter

import numpy as np

from agent.memory import balanced, periodic, uniform


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_all_of_the_history_by_default() -> None:
    assert uniform(4, None, rng()) == [0, 1, 2, 3]
    assert uniform(4, 9, rng()) == [0, 1, 2, 3]
    assert uniform(0, 3, rng()) == []


def test_a_uniform_draw_is_ascending_without_repetition_and_fair() -> None:
    counts: Counter[int] = Counter()
    for seed in range(300):
        drawn = uniform(5, 2, rng(seed))
        assert len(drawn) == 2 and drawn == sorted(set(drawn))
        counts.update(drawn)
    assert all(90 <= counts[index] <= 150 for index in range(5))  # 120 expected


def test_nothing_is_drawn_where_nothing_is_asked() -> None:
    assert uniform(4, 0, rng()) == []
    assert balanced(["a", "b"], 0, rng()) == []
    assert balanced([], None, rng()) == []


def test_balanced_takes_the_labels_in_equal_number() -> None:
    labels = ["a"] * 6 + ["b"] * 3 + ["c"] * 3
    drawn = balanced(labels, 6, rng())
    assert Counter(labels[i] for i in drawn) == {"a": 2, "b": 2, "c": 2}
    assert drawn == sorted(set(drawn))


def test_balanced_without_a_size_takes_as_many_as_the_rarest_label_has() -> None:
    labels = ["a"] * 6 + ["b"] * 2
    assert Counter(labels[i] for i in balanced(labels, None, rng())) == {"a": 2, "b": 2}


def test_a_rare_label_gives_all_it_has_and_the_others_share_the_rest() -> None:
    labels = ["a"] * 5 + ["b"] + ["c"] * 5
    drawn = balanced(labels, 9, rng())
    assert Counter(labels[i] for i in drawn) == {"a": 4, "b": 1, "c": 4}
    assert len(set(drawn)) == 9


def test_balanced_gives_all_where_more_is_asked_than_there_is() -> None:
    assert balanced(["a", "b", "a"], 10, rng()) == [0, 1, 2]


def test_the_draw_depends_on_the_generator_alone() -> None:
    labels = ["a", "b"] * 20
    assert balanced(labels, 10, rng(1)) == balanced(labels, 10, rng(1))
    assert balanced(labels, 10, rng(1)) != balanced(labels, 10, rng(2))


def test_periodic_reviews_in_every_nth_iteration_only() -> None:
    reviewed = [bool(periodic(iteration, 3, 5, None, rng())) for iteration in range(1, 8)]
    assert reviewed == [False, False, True, False, False, True, False]
