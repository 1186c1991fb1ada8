"""A tagging Student without torch: logistic regression on hashed words and their neighbours."""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.student.adapter_folder import stamp, written
from agent.student.student import DEFAULT, Schedule, TrainLog, TrainRow, Written
from tasks.spans import tags, words
from tests.fakes.fake_student import FakeStudent

SIZE = 1024
"""Columns of the hashed features; the last one is constant."""
STEPS = 80
RATE = 12.0
MAX_WORDS = 64


class FakeTagger:
    """Full-batch gradient descent on soft cross-entropy, a row a word; the adapter is one JSON file."""

    biased = False

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tags(labels)
        self.device = "cpu"
        self.dtype = "float32"
        self._texts = FakeStudent(labels)

    def train(
        self, rows: Sequence[TrainRow], adapter: Path, start: Path | None, seed: int, schedule: Schedule = DEFAULT
    ) -> TrainLog:
        if not rows:
            raise ValueError("train: no rows")
        sizes = [len(words(row.text)) for row in rows]
        if any(np.shape(row.target) != (size, len(self.labels)) for row, size in zip(rows, sizes, strict=True)):
            raise ValueError(f"train: targets that are not of {len(self.labels)} tags for each word")
        weights = np.array([row.weight for row in rows], dtype=np.float64)  # (N,)
        if weights.min() < 0 or weights.sum() == 0:
            raise ValueError("train: weights must be ≥ 0 and not all 0")
        read = [min(size, MAX_WORDS) for size in sizes]
        features = np.concatenate([_features(row.text) for row in rows])  # (words, SIZE)
        targets = np.concatenate([np.array(row.target)[:size] for row, size in zip(rows, read, strict=True)])
        each = np.repeat(weights, read)[:, None]
        share = each / each.sum()
        matrix = np.random.default_rng(seed).normal(0, 0.01, (len(self.labels), SIZE))
        matrix = matrix if start is None else self._read(start)
        losses = []
        for _ in range(STEPS):
            given = _softmax(features @ matrix.T)
            losses.append(float(-(share * targets * np.log(given + 1e-12)).sum()))
            matrix = matrix - RATE * (share * (given - targets)).T @ features
        with written(adapter) as folder:
            (folder / "adapter.json").write_text(json.dumps(matrix.tolist()), encoding="utf-8")
        return TrainLog(tuple(losses), STEPS, len(rows), sum(size > MAX_WORDS for size in sizes), matrix.size)

    def predict(self, texts: Sequence[str], adapter: Path | None) -> NDArray[np.float64]:
        matrix = self._read(adapter)
        sizes = [len(words(text)) for text in texts]
        result = np.zeros((len(texts), max(sizes, default=0), len(self.labels)))
        for row, text, size in zip(result, texts, sizes, strict=True):
            row[:size] = 1 / len(self.labels)
            known = _softmax(_features(text) @ matrix.T)
            row[: len(known)] = known
        return result

    def write(self, texts: Sequence[str], adapter: Path | None) -> list[Written]:
        return []

    def embed(self, texts: Sequence[str]) -> NDArray[np.float64]:
        return self._texts.embed(texts)

    def nearest_words(self, word: str, count: int) -> list[str]:
        return self._texts.nearest_words(word, count)

    def average(self, one: Path, other: Path, share: float, adapter: Path) -> None:
        mixed = share * self._read(one) + (1 - share) * self._read(other)
        with written(adapter) as folder:
            (folder / "adapter.json").write_text(json.dumps(mixed.tolist()), encoding="utf-8")

    def shift(self, one: Path, by: NDArray[np.float64], adapter: Path) -> None:
        raise ValueError("shift: of labels of whole texts alone")

    def export(self, adapter: Path, folder: Path) -> None:
        stamp(adapter)
        with written(folder) as new:
            shutil.copy(adapter / "adapter.json", new / "adapter.json")
            shutil.copytree(adapter, new / "adapter")

    def _read(self, adapter: Path) -> NDArray[np.float64]:
        stamp(adapter)
        return np.array(json.loads((adapter / "adapter.json").read_text(encoding="utf-8")), dtype=np.float64)


def _features(text: str) -> NDArray[np.float64]:
    """(W, SIZE), W at most MAX_WORDS: each word, and the words beside it."""
    said = [text[start:end].lower() for start, end in words(text)][:MAX_WORDS]
    rows = np.zeros((len(said), SIZE))
    for place, row in enumerate(rows):
        for offset, weight in ((0, 1.0), (-1, 0.5), (1, 0.3)):
            if 0 <= place + offset < len(said):
                row[zlib.crc32(f"{offset}{said[place + offset]}".encode()) % (SIZE - 1)] += weight
        row[-1] = 0.2
    return rows


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    result: NDArray[np.float64] = raised / raised.sum(axis=1, keepdims=True)
    return result
