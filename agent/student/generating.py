"""What a causal model writes: greedily, in batches padded on the left, each text up to its own end token."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import DynamicCache, GenerationConfig

from agent.student.batches import by_length
from agent.student.quiet import quiet

ROUND = 32
"""Tokens after which those texts leave a batch that have come to their end."""


@dataclass(frozen=True)
class Generated:
    """One text's new tokens."""

    ids: tuple[int, ...]
    """Without the end token."""
    stopped: bool
    """Whether it came to its end token; else it was cut at the most tokens allowed."""


@torch.inference_mode()
def generated(
    model: Any, prompts: Sequence[list[int]], ends: Collection[int], padding: int, most: int, budget: int, device: str
) -> list[Generated]:  # fmt: skip
    """Greedy continuations of `prompts`, in order, of at most `most` tokens each.

    A continuation does not depend on the texts beside it but for rounding: padding is on the left and masked.

    Args:
        ends: Tokens that end a text, the template's and the model's own.
        budget: Tokens of one batch, with padding and what is written.
    """
    result: list[Generated | None] = [None] * len(prompts)
    for batch in by_length([[*prompt, *[padding] * most] for prompt in prompts], budget):
        for index, one in zip(
            batch, _written([prompts[i] for i in batch], ends, padding, most, model, device), strict=True
        ):
            result[index] = one
    return [one for one in result if one is not None]


def _written(
    prompts: Sequence[list[int]], ends: Collection[int], padding: int, most: int, model: Any, device: str
) -> list[Generated]:
    """The continuations of one batch, ROUND tokens at a time: what has come to its end leaves the batch, its part of
    the cache with it, so that one text that goes on does not keep all others."""
    written: list[list[int]] = [[] for _ in prompts]
    stopped = [False] * len(prompts)
    ids, mask = padded_left(prompts, padding, device)
    cache, going = DynamicCache(config=model.config), list(range(len(prompts)))
    for start in range(0, most, ROUND):
        new = min(ROUND, most - start)
        settings = GenerationConfig(  # type: ignore[no-untyped-call]
            do_sample=False, max_new_tokens=new, eos_token_id=sorted(ends), pad_token_id=padding, use_cache=True
        )
        with quiet():
            out = model.generate(input_ids=ids, attention_mask=mask, past_key_values=cache, generation_config=settings)
        rows = out[:, ids.shape[1] :]
        for index, row in zip(going, rows.tolist(), strict=True):
            end = next((place for place, token in enumerate(row) if token in ends), None)
            written[index] += row if end is None else row[:end]
            stopped[index] = end is not None
        left = [place for place, index in enumerate(going) if not stopped[index]]
        if not left:
            break
        chosen = torch.tensor(left, device=ids.device)
        cache.batch_select_indices(chosen)
        going, ids = [going[place] for place in left], out[chosen]
        mask = torch.cat([mask[chosen], torch.ones_like(rows[chosen])], dim=1)
    return [Generated(tuple(row), end) for row, end in zip(written, stopped, strict=True)]


def padded_left(rows: Sequence[Sequence[int]], padding: int, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and attention mask, (B, T) each, every row ending in the last column."""
    longest = max(map(len, rows))
    ids = torch.full((len(rows), longest), padding, dtype=torch.long)
    mask = torch.zeros((len(rows), longest), dtype=torch.long)
    for number, row in enumerate(rows):
        ids[number, longest - len(row) :] = torch.tensor(list(row), dtype=torch.long)
        mask[number, longest - len(row) :] = 1
    return ids.to(device), mask.to(device)


@torch.inference_mode()
def next_logits(
    model: Any, prompts: Sequence[list[int]], padding: int, budget: int, device: str
) -> torch.Tensor:  # fmt: skip
    """(N, V) logits of the token after each prompt, float32 on the CPU. Padded on the left, as in `generated`."""
    result: list[torch.Tensor | None] = [None] * len(prompts)
    for batch in by_length(list(prompts), budget):
        ids, mask = padded_left([prompts[index] for index in batch], padding, device)
        places = (mask.cumsum(dim=1) - 1).clamp(min=0)
        logits = model(
            input_ids=ids, attention_mask=mask, position_ids=places, use_cache=False, logits_to_keep=1
        ).logits[:, -1]
        for index, row in zip(batch, logits.float().cpu(), strict=True):
            result[index] = row
    return torch.stack([row for row in result if row is not None])
