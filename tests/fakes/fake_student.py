"""A Student without torch: logistic regression on hashed words, in milliseconds. It obeys the same contract."""

from __future__ import annotations

import json
import re
import shutil
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.das.token_spans import TokenSpan
from agent.student.adapter_folder import stamp, written
from agent.student.student import DEFAULT, Schedule, TrainLog, TrainRow, Written

SIZE = 512
"""Columns of the hashed bag of words; the last one is constant."""
CONSTANT = 0.1
STEPS = 60
RATE = 8.0
MAX_WORDS = 64


class FakeStudent:
    """Full-batch gradient descent on soft cross-entropy; the adapter is one JSON file."""

    biased = True

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)
        self.device = "cpu"
        self.dtype = "float32"

    def train(
        self, rows: Sequence[TrainRow], adapter: Path, start: Path | None, seed: int, schedule: Schedule = DEFAULT
    ) -> TrainLog:
        if not rows:
            raise ValueError("train: no rows")
        targets = np.array([row.target for row in rows], dtype=np.float64)  # (N, L)
        if targets.shape != (len(rows), len(self.labels)):
            raise ValueError(f"train: targets of shape {targets.shape} for {len(self.labels)} labels")
        weights = np.array([row.weight for row in rows], dtype=np.float64)  # (N,)
        if weights.min() < 0 or weights.sum() == 0:
            raise ValueError("train: weights must be ≥ 0 and not all 0")
        features = _features([row.text for row in rows])  # (N, SIZE)
        if start is None:
            matrix = np.random.default_rng(seed).normal(0, 0.01, (len(self.labels), SIZE))
        else:
            matrix = self._read(start)
        share = (weights / weights.sum())[:, None]
        losses = []
        for _ in range(STEPS):
            given = _softmax(features @ matrix.T)
            losses.append(float(-(share * targets * np.log(given + 1e-12)).sum()))
            matrix = matrix - RATE * (share * (given - targets)).T @ features
        with written(adapter) as folder:
            value = {"labels": list(self.labels), "matrix": matrix.tolist()}
            (folder / "adapter.json").write_text(json.dumps(value), encoding="utf-8")
        truncated = sum(len(_words(row.text)) > MAX_WORDS for row in rows)
        return TrainLog(tuple(losses), STEPS, len(rows), truncated, matrix.size)

    def predict(self, texts: Sequence[str], adapter: Path | None) -> NDArray[np.float64]:
        if adapter is None:
            raise ValueError("predict: untrained, a classifier says nothing")
        matrix = self._read(adapter)
        return _softmax(_features(texts) @ matrix.T)

    def write(self, texts: Sequence[str], adapter: Path | None) -> list[Written]:
        return []

    def read(
        self, texts: Sequence[str], answers: Sequence[str], adapter: Path | None
    ) -> list[tuple[TokenSpan, ...] | None]:
        return []

    def embed(self, texts: Sequence[str]) -> NDArray[np.float64]:
        found = _features(texts)
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    def nearest_words(self, word: str, count: int) -> list[str]:
        return [f"{word}{n}" for n in range(count)]

    def average(self, one: Path, other: Path, share: float, adapter: Path) -> None:
        mixed = share * self._read(one) + (1 - share) * self._read(other)
        with written(adapter) as folder:
            (folder / "adapter.json").write_text(
                json.dumps({"labels": list(self.labels), "matrix": mixed.tolist()}), encoding="utf-8"
            )

    def shift(self, one: Path, by: NDArray[np.float64], adapter: Path) -> None:
        matrix = self._read(one)
        matrix[:, -1] += by / CONSTANT
        with written(adapter) as folder:
            value = {"labels": list(self.labels), "matrix": matrix.tolist()}
            (folder / "adapter.json").write_text(json.dumps(value), encoding="utf-8")

    def export(self, adapter: Path, folder: Path) -> None:
        stamp(adapter)
        with written(folder) as new:
            shutil.copy(adapter / "adapter.json", new / "adapter.json")
            shutil.copytree(adapter, new / "adapter")

    def _read(self, adapter: Path) -> NDArray[np.float64]:
        stamp(adapter)
        value = json.loads((adapter / "adapter.json").read_text(encoding="utf-8"))
        return np.array(value["matrix"], dtype=np.float64)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _features(texts: Sequence[str]) -> NDArray[np.float64]:
    rows = np.zeros((len(texts), SIZE))
    for row, text in zip(rows, texts, strict=True):
        words = _words(text)[:MAX_WORDS]
        for word in words:
            row[zlib.crc32(word.encode()) % (SIZE - 1)] += 1 / np.sqrt(len(words))
        row[-1] = CONSTANT
    return rows


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    result: NDArray[np.float64] = raised / raised.sum(axis=1, keepdims=True)
    return result
