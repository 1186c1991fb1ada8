"""How tags follow one another: counted by hand, and against all sequences of a short text."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from agent.student.transitions import BEGIN, FLOOR, INSIDE, OUTSIDE, START, chained, counted, read_moves, write_moves

TAGS = 5
"""O, and B and I of two labels."""


def hot(*tags: int) -> np.ndarray:
    return np.eye(TAGS)[list(tags)]


def test_steps_are_counted_whatever_the_label() -> None:
    moves = counted([hot(1, 2, 0), hot(3, 4, 4, 0, 0), hot(0), np.zeros((0, TAGS))])
    assert moves.sum(axis=1) == pytest.approx(1)
    assert moves[OUTSIDE, INSIDE] == moves[START, INSIDE] == 0
    assert moves[BEGIN] == pytest.approx(np.array([0.1, 0.1, 2.1]) / 2.3)
    assert moves[INSIDE] == pytest.approx(np.array([2.1, 0.1, 1.1]) / 3.3)
    assert moves[START] == pytest.approx(np.array([1.1, 2.1, 0]) / 3.2)


@pytest.mark.parametrize("seed", range(5))
def test_answers_are_the_mean_over_all_sequences(seed: int) -> None:
    rng = np.random.default_rng(seed)
    given, moves = rng.dirichlet(np.ones(TAGS), size=4), counted([hot(1, 2, 0, 3), hot(0, 0, 1, 0)])
    kinds = [OUTSIDE, BEGIN, INSIDE, BEGIN, INSIDE]
    wanted = np.zeros((4, TAGS))
    for chosen in product(range(TAGS), repeat=4):
        likely, before = 1.0, None
        for word, tag in enumerate(chosen):
            start = START if before is None else kinds[before]
            step = moves[start, kinds[tag]]
            if kinds[tag] == BEGIN:
                step /= 2  # as likely of each label
            if kinds[tag] == INSIDE and (before is None or (before - 1) // 2 != (tag - 1) // 2):
                step = 0
            likely, before = likely * step * (given[word, tag] + FLOOR), tag
        wanted[range(4), chosen] += likely
    wanted /= wanted.sum(axis=1, keepdims=True)
    assert chained(given, moves) == pytest.approx(wanted)


def test_a_long_text_stays_finite_and_an_empty_one_is_none() -> None:
    moves = counted([hot(1, 2, 0)])
    sure = np.tile(np.eye(TAGS)[2], (2000, 1))  # I alone, which cannot be at the beginning
    found = chained(sure, moves)
    assert np.isfinite(found).all() and found.sum(axis=1) == pytest.approx(1) and found[0].argmax() == 1
    assert chained(np.zeros((0, TAGS)), moves).shape == (0, TAGS)


def test_pieces_become_one_entity() -> None:
    moves = counted([hot(0, 1, 2, 2, 0, 0), hot(0, 0, 3, 4, 0)] * 5)
    broken = np.full((4, TAGS), 0.02)
    broken[0, 0] = broken[3, 0] = 0.92
    broken[1, [1, 2]] = 0.5, 0.42
    broken[2, [1, 2]] = 0.5, 0.42  # by itself it begins another
    assert list(chained(broken, moves).argmax(axis=1)) == [0, 1, 2, 0]


def test_they_are_kept_beside_the_adapter(tmp_path: Path) -> None:
    assert read_moves(tmp_path) is None
    write_moves(tmp_path, counted([hot(1, 2, 0)]))
    assert read_moves(tmp_path) == pytest.approx(counted([hot(1, 2, 0)]))
