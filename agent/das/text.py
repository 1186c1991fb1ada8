"""Divergence-aware sampling (DAS) for text: how much likelier a sentence is to the teacher than to the student.

p(sentence) = exp(mean log p(token)), the geometric mean over its tokens, for each model with its own tokenizer on the
same characters (arXiv 2601.09088); the classes by d = p_teacher − p_student (rule in arXiv 2512.20908).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from agent.das.divergence import divergence
from agent.das.sentences import Span, owner
from agent.das.token_spans import TokenSpan

Class = Literal["teacher", "student", "shared", "unscored"]
CLASSES: tuple[Class, ...] = ("teacher", "student", "shared", "unscored")


@dataclass(frozen=True)
class Cut:
    """When a sentence is the teacher's."""

    margin: float
    """d must be greater. Below minus this it is the student's."""
    sure: float = 0.0
    """p_teacher must be greater."""


@dataclass(frozen=True)
class Sentence:
    """One sentence of an example with what both models think of it."""

    start: int
    end: int
    p_teacher: float | None
    """None where it has no token of its own, as in `probabilities`."""
    p_student: float | None
    of: Class

    @property
    def d(self) -> float | None:
        return None if self.p_teacher is None or self.p_student is None else self.p_teacher - self.p_student


def probabilities(text: str, spans: Sequence[Span], tokens: Sequence[TokenSpan]) -> NDArray[np.float64]:
    """p(sentence) = exp(mean log p(token)) of the tokens that each sentence owns (see sentences.py), (S,) in [0, 1].

    NaN where it owns none: a token spells the whole of it and begins before, or it is the first word of a text without
    a prompt, of which a model without a token for the beginning cannot say how likely it is. Nothing is put in its
    place.
    """
    owned: list[list[float]] = [[] for _ in spans]
    for token in tokens:
        owned[owner(text, spans, token.start, token.end)].append(token.logprob)
    return np.array([np.exp(np.mean(logprobs)) if logprobs else np.nan for logprobs in owned], dtype=np.float64)


def classify(p_teacher: NDArray[np.float64], p_student: NDArray[np.float64], cut: Cut) -> list[Class]:
    """The class of each sentence, both (S,) in [0, 1] or NaN.

    teacher: d > margin and p_teacher > sure. student: d < −margin. shared: all others, also those whose teacher is
    unsure; they are nobody's. unscored: one of the models has no token of its own in it.
    """
    known = ~(np.isnan(p_teacher) | np.isnan(p_student))
    d = np.full(len(known), np.nan)
    d[known] = divergence(p_teacher[known], p_student[known])
    classes: list[Class] = []
    for scored, teacher, difference in zip(known, p_teacher, d, strict=True):
        if not scored:
            classes.append("unscored")
        elif difference > cut.margin and teacher > cut.sure:
            classes.append("teacher")
        else:
            classes.append("student" if difference < -cut.margin else "shared")
    return classes


def scored(
    text: str, spans: Sequence[Span], teacher: Sequence[TokenSpan], student: Sequence[TokenSpan], cut: Cut
) -> tuple[Sentence, ...]:
    """The sentences of `text` with both probabilities and the class."""
    p_teacher, p_student = probabilities(text, spans, teacher), probabilities(text, spans, student)
    rows = zip(spans, p_teacher, p_student, classify(p_teacher, p_student, cut), strict=True)
    return tuple(Sentence(start, end, _known(one), _known(other), of) for (start, end), one, other, of in rows)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
