"""DAS of candidates, and their rank where the teacher gave no confidence."""

from __future__ import annotations

import numpy as np
import pytest

from agent.example import LabelledExample
from agent.nodes.evaluate import rows_of
from agent.nodes.score import rank, with_scores
from agent.student.student import Said
from tasks.task import Example


def candidate(label: str, sure: float | None) -> LabelledExample:
    return LabelledExample(f"i-{label}", "text", label, 1, "hard", teacher_confidence=sure)


def test_das_is_the_teachers_confidence_less_the_students_probability_of_that_label() -> None:
    probabilities = np.array([[0.2, 0.8], [0.7, 0.3]])
    a, b = with_scores([candidate("a", 0.9), candidate("b", 0.5)], probabilities, ["a", "b"])
    assert (a.student_confidence, a.das) == (0.2, pytest.approx(0.7))
    assert (b.student_confidence, b.das) == (0.3, pytest.approx(0.2))


def test_without_a_confidence_there_is_no_das_and_the_students_doubt_ranks() -> None:
    (one,) = with_scores([candidate("a", None)], np.array([[0.2, 0.8]]), ["a", "b"])
    assert one.das is None and one.student_confidence == 0.2
    assert rank(one) == pytest.approx(0.8)


def test_what_the_student_does_not_know_ranks_before_what_it_knows() -> None:
    scored = with_scores(
        [candidate("a", 0.9), candidate("a", 0.9), candidate("a", 0.3)],
        np.array([[0.9, 0.1], [0.1, 0.9], [0.9, 0.1]]),
        ["a", "b"],
    )
    assert [rank(example) for example in scored] == pytest.approx([0.0, 0.8, -0.6])


def test_real_texts_that_the_student_is_less_sure_of_than_most_are_hard_whatever_their_label() -> None:
    real = [LabelledExample(f"i-{n}", "text", "a", 1, "pool", teacher_confidence=0.9) for n in range(3)]
    probabilities = np.array([[0.1, 0.9], [0.6, 0.4], [0.8, 0.2], [0.5, 0.5]])
    scored = with_scores([*real, candidate("a", 0.9)], probabilities, ["a", "b"])
    assert [example.hard for example in scored] == [False, True, False, None]


def test_of_no_candidates_none_are_scored() -> None:
    assert with_scores([], np.zeros((0, 2)), ["a", "b"]) == []


def test_an_answer_is_right_where_the_likeliest_label_is_the_examples_own() -> None:
    given = Said(np.array([[0.6, 0.4], [0.3, 0.7]]), [Example("text", "a"), Example("text", "b")], [])
    rows = rows_of([candidate("a", 0.9), candidate("a", None)], given, ["a", "b"])
    assert [(row["predicted"], row["confidence"], row["correct"]) for row in rows] == [
        ("a", 0.6, True), ("b", 0.7, False),
    ]  # fmt: skip
    assert [row["teacher_confidence"] for row in rows] == [0.9, None]
