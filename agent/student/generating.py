"""What a causal model writes: greedily, in batches padded on the left, each text up to its own end token."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import GenerationConfig

from agent.student.batches import by_length
from agent.student.quiet import quiet


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
    settings = GenerationConfig(  # type: ignore[no-untyped-call]
        do_sample=False, max_new_tokens=most, eos_token_id=sorted(ends), pad_token_id=padding, use_cache=True
    )
    for batch in by_length([[*prompt, *[padding] * most] for prompt in prompts], budget):
        ids, mask = padded_left([prompts[index] for index in batch], padding, device)
        with quiet():
            out = model.generate(input_ids=ids, attention_mask=mask, generation_config=settings)
        for index, row in zip(batch, out[:, ids.shape[1] :].tolist(), strict=True):
            end = next((place for place, token in enumerate(row) if token in ends), None)
            result[index] = Generated(tuple(row if end is None else row[:end]), end is not None)
    return [one for one in result if one is not None]


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
