"""The words nearest to a word in a student's input embedding, as synonyms of any language it was trained on."""

from __future__ import annotations

from functools import lru_cache

import torch

from agent.student.base import Base

SHORTEST = 3
"""Letters of a word that can be an answer."""


def nearest(base: Base, word: str, count: int) -> list[str]:
    """Up to `count` other whole words, nearest by cosine first; [] where `word` is no whole word of the vocabulary."""
    words, matrix = _vocabulary(id(base), base)
    place = {known.casefold(): row for row, known in reversed(list(enumerate(words)))}
    row = place.get(word.strip().casefold())
    if row is None:
        return []
    likeness = matrix @ matrix[row]
    found = [words[i] for i in likeness.argsort(descending=True)[: count + 5].tolist()]
    return [other for other in found if other.casefold() != words[row].casefold()][:count]


@lru_cache(maxsize=2)
def _vocabulary(_: int, base: Base) -> tuple[list[str], torch.Tensor]:
    """The whole words of the vocabulary, and their embeddings, each of length 1: (V, H)."""
    tokenizer = base.tokenizer
    ids, words = [], []
    for number in range(len(tokenizer)):
        text = tokenizer.decode([number]).strip()
        if (
            len(text) >= SHORTEST
            and text.isalpha()
            and any(tokenizer(form, add_special_tokens=False)["input_ids"] == [number] for form in (text, f" {text}"))
        ):
            ids.append(number)
            words.append(text)
    with torch.inference_mode():
        rows = base.model.get_input_embeddings().weight[ids].float()
        return words, torch.nn.functional.normalize(rows, dim=-1)
