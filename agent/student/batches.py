"""Texts to tensors: tokenised once, batched with texts of like length, padded to the longest of the batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

Tokens = list[list[int]]
"""Token ids of each text, special tokens included, unpadded."""


def tokenise(tokenizer: Any, texts: Sequence[str], max_length: int, pairs: bool = False) -> tuple[Tokens, int]:
    """Token ids of each text, and how many texts were cut to `max_length` tokens.

    `pairs`: each text is two, a line each, which the tokenizer joins in its model's way; the longer one is cut first.
    """
    if not texts:
        return [], 0
    options = {"truncation": True, "return_attention_mask": False, "return_token_type_ids": False, "verbose": False}

    def ids_of(some: Sequence[str], longest: int) -> Tokens:
        columns = zip(*(text.split("\n") for text in some), strict=True) if pairs else [some]
        ids: Tokens = tokenizer(*map(list, columns), max_length=longest, **options)["input_ids"]
        return ids

    tokens = ids_of(texts, max_length + 1)
    long = [index for index, ids in enumerate(tokens) if len(ids) > max_length]
    if long:
        for index, ids in zip(long, ids_of([texts[index] for index in long], max_length), strict=True):
            tokens[index] = ids
    return tokens, len(long)


def by_length(tokens: Tokens, budget: int) -> list[list[int]]:
    """Indices of the texts in batches of like length, each of at most `budget` tokens with padding (or one text)."""
    batches: list[list[int]] = []
    order = sorted(range(len(tokens)), key=lambda index: (-len(tokens[index]), index))
    for index in order:
        if batches and (len(batches[-1]) + 1) * len(tokens[batches[-1][0]]) <= budget:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches


def shuffled(tokens: Tokens, size: int, generator: torch.Generator, window: int = 8) -> list[list[int]]:
    """One epoch: batches of `size` in random order; within `window` batches, texts of like length lie together."""
    order = torch.randperm(len(tokens), generator=generator).tolist()
    batches: list[list[int]] = []
    for start in range(0, len(order), size * window):
        part = sorted(order[start : start + size * window], key=lambda index: len(tokens[index]))
        batches += [part[begin : begin + size] for begin in range(0, len(part), size)]
    return [batches[index] for index in torch.randperm(len(batches), generator=generator).tolist()]


def padded(tokens: Sequence[list[int]], padding: int, device: str) -> dict[str, torch.Tensor]:
    """`input_ids` and `attention_mask`, (B, T) each."""
    longest = max(map(len, tokens))
    ids = torch.full((len(tokens), longest), padding, dtype=torch.long)
    mask = torch.zeros((len(tokens), longest), dtype=torch.long)
    for row, text in enumerate(tokens):
        ids[row, : len(text)] = torch.tensor(text, dtype=torch.long)
        mask[row, : len(text)] = 1
    return {"input_ids": ids.to(device), "attention_mask": mask.to(device)}
