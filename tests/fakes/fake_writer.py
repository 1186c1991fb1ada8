"""A writing Student without torch: a FakeStudent of letters, which gives a reason for each and now and then rambles."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.das.token_spans import TokenSpan
from agent.student.student import DEFAULT, Schedule, TrainLog, TrainRow, Written
from tasks.written import read_answer, written
from tests.fakes.fake_student import FakeStudent
from tests.fakes.fake_teacher import share

RAMBLES = 0.25
"""Share of texts whose answer never comes to an end."""


class FakeWriter(FakeStudent):
    """Learns the letter of each row, which must be written out."""

    def train(
        self, rows: Sequence[TrainRow], adapter: Path, start: Path | None, seed: int, schedule: Schedule = DEFAULT
    ) -> TrainLog:
        if any(read_answer(row.written, self.labels, reasoned=False).answer is None for row in rows):
            raise ValueError("train: a row without a written answer")
        return super().train(rows, adapter, start, seed)

    def predict(self, texts: Sequence[str], adapter: Path | None) -> NDArray[np.float64]:
        given = np.zeros((len(texts), len(self.labels))) if adapter is None else super().predict(texts, adapter)
        given[[share(text, "rambles") < RAMBLES for text in texts]] = 0.0
        return given

    def write(self, texts: Sequence[str], adapter: Path | None) -> list[Written]:
        given = self.predict(texts, adapter)
        letters = [self.labels[int(row.argmax())] for row in given]
        return [
            Written(written("it looks like that one", letter), True) if row.any() else Written("it looks", False)
            for letter, row in zip(letters, given, strict=True)
        ]

    def read(
        self, texts: Sequence[str], answers: Sequence[str], adapter: Path | None
    ) -> list[tuple[TokenSpan, ...] | None]:
        return [
            tuple(TokenSpan(word.start(), word.end(), -3 * share(word[0])) for word in re.finditer(r"\S+", answer))
            for answer in answers
        ]
