"""A Student of free answers without torch: it answers as the most alike text that it learned was answered."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.das.token_spans import TokenSpan
from agent.student.adapter_folder import stamp, written
from agent.student.student import DEFAULT, Schedule, TrainLog, TrainRow, Written
from tests.fakes.fake_student import FakeStudent
from tests.fakes.fake_teacher import share

RAMBLES = 0.2
"""Share of texts whose answer never comes to an end."""


class FakeAnswerer(FakeStudent):
    """The adapter is the list of what it learned."""

    def train(
        self, rows: Sequence[TrainRow], adapter: Path, start: Path | None, seed: int, schedule: Schedule = DEFAULT
    ) -> TrainLog:
        if not rows or any(not row.written for row in rows):
            raise ValueError("train: a row without a written answer")
        learned = [] if start is None else self._learned(start)
        with written(adapter) as folder:
            content = json.dumps([*learned, *([row.text, row.written] for row in rows)])
            (folder / "adapter.json").write_text(content, encoding="utf-8")
        steps = int(schedule.get("max_steps") or 2)
        return TrainLog((1.0,) * steps, steps, len(rows), 0, 8)

    def predict(self, texts: Sequence[str], adapter: Path | None) -> NDArray[np.float64]:
        return np.array([[float(one.stopped) * 0.8] for one in self.write(texts, adapter)]).reshape(len(texts), 1)

    def write(self, texts: Sequence[str], adapter: Path | None) -> list[Written]:
        learned = self._learned(adapter)
        found = []
        for text in texts:
            _, answer = max(learned, key=lambda one: alike(one[0], text), default=("", "what is this"))
            found.append(Written(answer[:9], False) if share(text, "rambles") < RAMBLES else Written(answer, True))
        return found

    def read(
        self, texts: Sequence[str], answers: Sequence[str], adapter: Path | None
    ) -> list[tuple[TokenSpan, ...] | None]:
        """Words that it has written before are likely."""
        known = {word for _, answer in self._learned(adapter) for word in answer.split()}
        return [
            tuple(
                TokenSpan(word.start(), word.end(), -0.1 if word[0] in known else -3.0)
                for word in re.finditer(r"\S+", answer)
            )
            for answer in answers
        ]

    def average(self, one: Path, other: Path, share: float, adapter: Path) -> None:
        raise ValueError("average: of labels alone")

    def shift(self, one: Path, by: NDArray[np.float64], adapter: Path) -> None:
        raise ValueError("shift: of labels of whole texts alone")

    def _learned(self, adapter: Path | None) -> list[tuple[str, str]]:
        if adapter is None:
            return []
        stamp(adapter)
        return [(text, answer) for text, answer in json.loads((adapter / "adapter.json").read_text(encoding="utf-8"))]


def alike(one: str, other: str) -> float:
    first, second = set(one.lower().split()), set(other.lower().split())
    return len(first & second) / len(first | second)
