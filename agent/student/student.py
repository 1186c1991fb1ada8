"""The Student protocol and what goes in and out of it. Imports no torch, so that nodes can name it for nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from agent.das.token_spans import TokenSpan
from tasks.task import Example, Kind, Target, WrittenKind


@dataclass(frozen=True)
class TrainRow:
    """One example as the trainer sees it."""

    text: str
    target: Target
    """(L,) distribution over the labels, in the task's order; one-hot for a hard label. Of a student that tags (W, T):
    one for each word, over the tags."""
    weight: float = 1.0
    written: str = ""
    """What a student that writes its answers learns to write, in place of `target`."""
    begun: int = 0
    """Characters at the beginning of `written` that it has before it and does not learn, as the question."""


@dataclass(frozen=True)
class Written:
    """What a student wrote as the answer to one text."""

    text: str
    stopped: bool
    """Whether it came to an end by itself; else it was cut."""


@dataclass(frozen=True)
class TrainLog:
    """What a training did."""

    losses: tuple[float, ...]
    """One an optimiser step: mean over the batch of weight / mean weight × cross-entropy, in nats."""
    steps: int
    examples: int
    truncated: int
    """Texts longer than `max_length` tokens."""
    trainable_parameters: int


Schedule = Mapping[str, float | int | None]
"""Of SCHEDULED, and `probe_share`, what a training does in another way than the student was opened for."""
SCHEDULED = ("learning_rate", "epochs", "min_steps", "max_steps")
DEFAULT: Schedule = MappingProxyType({})


class Student(Protocol):
    """A classifier of texts, or a tagger of their words, whose weights are a function of the adapter path, and of
    nothing that happened before. Words and tags are those of tasks/spans.py."""

    labels: tuple[str, ...]
    """Its outputs: the task's labels; of a tagger the tags."""

    def train(
        self, rows: Sequence[TrainRow], adapter: Path, start: Path | None, seed: int, schedule: Schedule = DEFAULT
    ) -> TrainLog:
        """Trains on `rows` from the base (start None) or from adapter `start`; writes folder `adapter`.

        The same rows, start, seed and schedule give the same bytes. An old folder `adapter` is replaced.
        """
        ...

    def predict(self, texts: Sequence[str], adapter: Path | None) -> NDArray[np.float64]:
        """(N, L) probabilities in input order; a text's row does not depend on the other texts (to 1e-5).

        Of a tagger (N, W, T), W the words of the longest text: of each word the probability of each tag, all the same
        where it read none of it; zeros after a text's last word.

        Of a student that writes its answers, which alone can be asked untrained (adapter None): zeros where what it
        wrote is none. Where they are free (N, 1), the geometric mean probability of the tokens of what it wrote.
        """
        ...

    def write(self, texts: Sequence[str], adapter: Path | None) -> list[Written]:
        """What it writes as the answer to each text; [] of a student that writes none. After `predict` of the same
        texts this costs nothing."""
        ...

    def read(
        self, texts: Sequence[str], answers: Sequence[str], adapter: Path | None
    ) -> list[tuple[TokenSpan, ...] | None]:
        """How likely it finds each answer to each text, token by token on the answer's characters; None where both are
        longer than it reads. [] of a student that writes none."""
        ...

    def embed(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """(N, H) features of the texts by the base model, before any training: the mean of its tokens, of length 1."""
        ...

    def nearest_words(self, word: str, count: int) -> list[str]:
        """Up to `count` other words whose input embeddings are nearest to that of `word`, nearest first.

        Whole words of the student's vocabulary alone; [] where `word` is none of them.
        """
        ...

    def average(self, one: Path, other: Path, share: float, adapter: Path) -> None:
        """Writes folder `adapter`: `share` of the weights of `one` and the rest of `other`'s, both trained from one
        start with one seed."""
        ...

    @property
    def biased(self) -> bool:
        """Whether its head has a bias for each label: not that of a decoder, nor of a tagger."""
        ...

    def shift(self, one: Path, by: NDArray[np.float64], adapter: Path) -> None:
        """Writes folder `adapter`: `one` with `by` (L,) added to its logits. Raises ValueError where it is not
        `biased`."""
        ...

    def export(self, adapter: Path, folder: Path) -> None:
        """Writes `folder`, loadable by plain transformers, and the adapter as `folder/adapter`.

        The base takes that adapter with peft when it is loaded with `config=AutoConfig.from_pretrained(folder)`.
        """
        ...


@dataclass(frozen=True)
class Said:
    """What a student answers to texts, a row a text each."""

    outputs: NDArray[np.float64]
    """As of `predict`."""
    answers: list[Example]
    written: list[Written]
    """[] of a student that writes none."""


def asked(student: Student, kind: Kind, labels: Sequence[str], texts: Sequence[str], adapter: Path | None) -> Said:
    """The student's answers to `texts`, as the task kind reads them."""
    outputs, written = student.predict(texts, adapter), student.write(texts, adapter)
    answers = [kind.said(text, row, labels) for text, row in zip(texts, outputs, strict=True)]
    if written:
        writes = cast(WrittenKind, kind)
        answers = [writes.with_written(one, wrote.text) for one, wrote in zip(answers, written, strict=True)]
    return Said(outputs, answers, written)
