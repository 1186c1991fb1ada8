"""Divergence-aware sampling (DAS) for a classifier: how sure the teacher is where the student is not.

DAS is defined on sentences, d = p_teacher − p_student (arXiv 2601.09088, rule in 2512.20908). For a label
it is the teacher's confidence in its label minus the student's probability of that same label
(as in LLKD, arXiv 2411.08028).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def divergence(teacher_confidence: ArrayLike, student_probability: ArrayLike) -> NDArray[np.float64]:
    """d = p_teacher(label) − p_student(label), both (N,) in [0, 1]; the result (N,) is in [−1, 1].

    Raises:
        ValueError: shapes differ, or a value is not a probability. A missing one is never filled in.
    """
    teacher = np.asarray(teacher_confidence, dtype=np.float64)  # (N,)
    student = np.asarray(student_probability, dtype=np.float64)  # (N,)
    if teacher.shape != student.shape:
        raise ValueError(f"expected equal shapes, got {teacher.shape} and {student.shape}")
    for name, values in (("teacher", teacher), ("student", student)):
        if not np.all((values >= 0) & (values <= 1 + 1e-9)):
            raise ValueError(f"expected {name} probabilities in [0, 1], got {values.tolist()[:5]}")
    return teacher - student
