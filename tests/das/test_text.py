"""p(sentence) and its class, worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from agent.das.text import Cut, classify, probabilities, scored
from agent.das.token_spans import TokenSpan

TEXT = "One.  Two."
SPANS = ((0, 6), (6, 10))


def token(start: int, end: int, probability: float) -> TokenSpan:
    return TokenSpan(start, end, math.log(probability))


def test_the_probability_of_a_sentence_is_the_geometric_mean_of_its_tokens() -> None:
    tokens = [token(0, 3, 0.8), token(3, 4, 0.2), token(4, 9, 0.5), token(9, 10, 0.5)]
    assert probabilities(TEXT, SPANS, tokens).tolist() == pytest.approx([0.4, 0.5])  # √(0.8 · 0.2); " Two" is the 2nd's


def test_the_number_of_tokens_does_not_matter_by_itself() -> None:
    whole = [token(0, 4, 0.5), token(5, 10, 0.5)]
    letters = [token(at, at + 1, 0.5) for at in range(10)]
    assert probabilities(TEXT, SPANS, whole).tolist() == pytest.approx(probabilities(TEXT, SPANS, letters).tolist())


def test_a_sentence_without_a_token_of_its_own_has_no_probability() -> None:
    """Fault of public DAS code: what is missing was replaced by 0.8."""
    found = scored(TEXT, SPANS, [token(0, 4, 0.9), token(5, 10, 0.9)], [token(0, 10, 0.1)], Cut(0.1))
    assert [one.of for one in found] == ["teacher", "unscored"]
    assert (found[1].p_teacher, found[1].p_student, found[1].d) == (pytest.approx(0.9), None, None)
    assert np.isnan(probabilities(TEXT, SPANS, [])).all()


def test_classes_by_d() -> None:
    teacher, student = np.array([0.9, 0.2, 0.5, np.nan, 0.5]), np.array([0.2, 0.9, 0.45, 0.5, np.nan])
    assert classify(teacher, student, Cut(0.1)) == ["teacher", "student", "shared", "unscored", "unscored"]


def test_the_margin_itself_is_not_above_the_margin() -> None:
    assert classify(np.array([0.5, 0.25]), np.array([0.25, 0.5]), Cut(0.25)) == ["shared", "shared"]


def test_a_sentence_whose_teacher_is_unsure_is_nobodys() -> None:
    """Fault of public DAS code: sentences with p_teacher under 0.6 were called the student's."""
    teacher, student = np.array([0.5, 0.61, 0.6]), np.array([0.1, 0.1, 0.1])
    assert classify(teacher, student, Cut(0.2, sure=0.6)) == ["shared", "teacher", "shared"]


def test_the_sentences_tell_their_span_and_d() -> None:
    (only,) = scored("Hi.", ((0, 3),), [token(0, 3, 0.75)], [token(0, 2, 0.25), token(2, 3, 0.25)], Cut(0.1))
    assert (only.start, only.end, only.of) == (0, 3, "teacher")
    assert only.d == pytest.approx(0.5)
