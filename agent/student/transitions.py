"""How tags follow one another, counted in what a tagger learned, and taken into its answers.

A tagger of few texts, which judges each word by itself, breaks entities into pieces and begins some with an I. So a
text's tags are one chain: the probability of a sequence is the product of each word's own and of each step's, over all
sequences (forward-backward: Rabiner 1989). Steps are between O, B and I, the same for each label, since a few texts
have too few entities to count more (StructShot: Yang and Katiyar, arXiv 2010.02405): O to O or B; B and I of a label to
O, any B, or I of that label.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

FILE = "transitions.json"
"""In the adapter folder of a tagger."""
OUTSIDE, BEGIN, INSIDE, START = range(4)
SEEN = 0.1
"""Times that a step was seen beside those counted."""
FLOOR = 1e-9


def counted(targets: Iterable[object]) -> Matrix:
    """(4, 3): the probability of O, B and I after O, B, I and the beginning of a text, I on O and at the beginning
    being none. targets: of each text (W, T), the probability of each word's tags as learned, in the order of
    tasks/spans.py."""
    found = np.full((4, 3), SEEN)
    for target in targets:
        previous = START
        for tag in np.asarray(target).argmax(axis=1) if len(np.asarray(target)) else ():
            now = _kind(int(tag))
            found[previous, now] += 1
            previous = now
    found[[OUTSIDE, START], INSIDE] = 0
    result: Matrix = found / found.sum(axis=1, keepdims=True)
    return result


def chained(probabilities: Matrix, moves: Matrix) -> Matrix:
    """(W, T): of each word the probability of each tag, those of all words known. probabilities: (W, T) of each word by
    itself; moves: as of `counted`."""
    words, tags = probabilities.shape
    if not words:
        return probabilities
    kinds = np.array([_kind(tag) for tag in range(tags)])
    steps = moves[kinds][:, kinds]  # (T, T)
    first = moves[START, kinds]  # (T,)
    label = (np.arange(tags) - 1) // 2
    goes_on = kinds[None, :] == INSIDE
    steps = np.where(goes_on & (label[:, None] != label[None, :]), 0.0, steps)
    begins = kinds == BEGIN
    steps[:, begins] /= begins.sum()
    first[begins] /= begins.sum()
    given = probabilities + FLOOR
    before, after = np.empty_like(given), np.ones_like(given)
    before[0] = first * given[0]
    for word in range(1, words):
        before[word - 1] /= before[word - 1].sum()
        before[word] = (before[word - 1] @ steps) * given[word]
    for word in range(words - 2, -1, -1):
        after[word] = steps @ (given[word + 1] * after[word + 1])
        after[word] /= after[word].sum()
    result: Matrix = before * after
    result /= result.sum(axis=1, keepdims=True)
    return result


def write_moves(folder: Path, moves: Matrix) -> None:
    (folder / FILE).write_text(json.dumps(moves.tolist()) + "\n", encoding="utf-8")


def read_moves(folder: Path) -> Matrix | None:
    """None where the folder has none: an adapter of a classifier, or of a run before there were any."""
    path = folder / FILE
    return np.array(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def _kind(tag: int) -> int:
    return OUTSIDE if tag == 0 else BEGIN if tag % 2 else INSIDE
