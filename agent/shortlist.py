"""The labels a teacher chooses among where a task has many: those that the student holds likeliest.

A question with 77 labels costs 400 tokens a text, and a small teacher loses its way in it. The student, which learns
in the same loop, rules most of them out for nothing; the teacher decides among the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from agent.config import TeacherConfig
from tasks.task import Task

MANY = 16
"""Labels up to which the teacher is always asked to choose among all."""
SIZE = 10
"""Labels of a shortlist."""


def short(task: Task, config: TeacherConfig) -> bool:
    """Whether the labels of this task are many enough; a call for several texts has one list for all."""
    return len(task.labels) > MANY and config.texts_per_label_call == 1


def narrowed(task: Task, labels: Collection[str]) -> Task:
    """The task with no other labels than these, in its own order."""
    return replace(task, labels={label: gloss for label, gloss in task.labels.items() if label in labels})


def likeliest(scores: NDArray[np.float64], labels: Sequence[str]) -> list[list[str]]:
    """The SIZE labels with the highest scores in each row of (N, L), in the order of `labels`."""
    chosen = np.argsort(-scores, axis=1, kind="stable")[:, :SIZE]
    return [[labels[column] for column in sorted(row)] for row in chosen]


def likeness(
    texts: NDArray[np.float64], known: NDArray[np.float64], columns: Sequence[int], labels: int
) -> NDArray[np.float64]:
    """(N, L): cosine of each text to the nearest known text of each label, before there is a student to ask.

    Args:
        texts: (N, H) embeddings of unit length, as `known`, (K, H).
        columns: Label of each known text. A label without one scores −1.
    """
    near = texts @ known.T  # (N, K)
    result = np.full((len(texts), labels), -1.0)
    for place, column in enumerate(columns):
        result[:, column] = np.maximum(result[:, column], near[:, place])
    return result
