"""What a student's logits are: one distribution a text, or one a word. How each is learned and read.

A word is what tasks/spans.py cuts a text into. It is tagged where its first token is, as in BERT (arXiv 1810.04805,
§5.3); the other tokens of the word, and the special ones, are neither learned nor read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from agent.student.student import TrainRow
from tasks.spans import words

Loss = Callable[[torch.Tensor, list[int]], torch.Tensor]
"""(logits of a batch, indices of its texts) → mean over the batch of weight × cross-entropy, in nats."""
NOWHERE = -1
"""The place of a word without a token: the text was cut before it, or the tokenizer drops its characters."""


def text_loss(rows: Sequence[TrainRow], labels: int) -> Loss:
    """For logits (B, L). Raises ValueError: targets that are no distributions over `labels`."""
    targets = torch.tensor([row.target for row in rows], dtype=torch.float32)  # (N, L)
    if targets.shape != (len(rows), labels):
        raise ValueError(f"train: targets of shape {tuple(targets.shape)} for {labels} labels")
    weights = relative(rows)

    def loss(logits: torch.Tensor, batch: list[int]) -> torch.Tensor:
        return soft_cross_entropy(logits, targets[batch].to(logits.device), weights[batch].to(logits.device))

    return loss


def word_loss(rows: Sequence[TrainRow], places: Sequence[Sequence[int]], tags: int) -> Loss:
    """For logits (B, T, tags), of which those at `places` count, each word as much as another.

    Raises:
        ValueError: targets that are no distribution over `tags` for each word.
    """
    weights = relative(rows)
    known, targets = [], []
    for row, mine in zip(rows, places, strict=True):
        target = torch.tensor(row.target, dtype=torch.float32)  # (W, tags)
        if target.shape != (len(mine), tags):
            raise ValueError(f"train: targets of shape {tuple(target.shape)} for {len(mine)} words and {tags} tags")
        there = torch.tensor([place != NOWHERE for place in mine])
        known.append(torch.tensor(mine)[there])
        targets.append(target[there])

    def loss(logits: torch.Tensor, batch: list[int]) -> torch.Tensor:
        counts = torch.tensor([len(known[index]) for index in batch])
        if not counts.any():  # no word of the batch has a token
            return logits.sum() * 0.0
        texts = torch.arange(len(batch)).repeat_interleave(counts)  # (W,) of the whole batch
        chosen = logits[texts.to(logits.device), torch.cat([known[i] for i in batch]).to(logits.device)]  # (W, tags)
        wanted = torch.cat([targets[index] for index in batch]).to(logits.device)
        weight = weights[batch].repeat_interleave(counts).to(logits.device)
        return soft_cross_entropy(chosen, wanted, weight)

    return loss


def relative(rows: Sequence[TrainRow]) -> torch.Tensor:
    """(N,) weights of mean 1. Raises ValueError where there is a negative one, or none above 0."""
    weights = torch.tensor([row.weight for row in rows], dtype=torch.float32)
    if float(weights.min()) < 0 or float(weights.sum()) == 0:
        raise ValueError("train: weights must be ≥ 0 and not all 0")
    return weights / weights.mean()


def soft_cross_entropy(logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Mean over the batch of weight × cross-entropy, in nats. logits, targets: (B, L); weights: (B,)."""
    each = -(targets * functional.log_softmax(logits.float(), dim=-1)).sum(dim=-1)  # (B,)
    return (weights * each).mean()


def first_tokens(tokenizer: Any, texts: Sequence[str], max_length: int) -> list[list[int]]:
    """For each word of each text the place of its first token among those of `batches.tokenise`, or NOWHERE."""
    if not texts:
        return []
    read = tokenizer(list(texts), max_length=max_length, truncation=True, return_offsets_mapping=True, verbose=False)
    return [places(words(text), offsets) for text, offsets in zip(texts, read["offset_mapping"], strict=True)]


def places(spans: Sequence[tuple[int, int]], offsets: Sequence[tuple[int, int]]) -> list[int]:
    """The first of `offsets` (start and end of each token, empty for special ones) that shares a character with each
    of `spans`; both rise."""
    found, token = [], 0
    for start, end in spans:
        while token < len(offsets) and (offsets[token][0] == offsets[token][1] or offsets[token][1] <= start):
            token += 1
        there = token < len(offsets) and offsets[token][0] < end
        found.append(token if there else NOWHERE)
    return found


def read_words(probabilities: NDArray[np.float64], mine: Sequence[int], result: NDArray[np.float64]) -> None:
    """Writes the tags of one text's words into `result` (W, tags), from those of its tokens (T, tags). Of a word
    NOWHERE nothing is known: all its tags are as likely."""
    for word, place in enumerate(mine):
        result[word] = 1 / result.shape[1] if place == NOWHERE else probabilities[place]
