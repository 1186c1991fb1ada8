"""A model's tokens on the characters of a text: what makes two models with different tokenizers comparable."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True)
class TokenSpan:
    """One token of a text."""

    start: int
    """First character it spells, in part or whole."""
    end: int
    """One after the last; of two tokens that share a character, both spans hold it."""
    logprob: float
    """Natural logarithm of its probability after all that stands before it; 0 or less."""


def spelled(text: str, tokens: Sequence[tuple[bytes, float]]) -> tuple[TokenSpan, ...] | None:
    """The tokens (bytes, logprob) of a reply that spell `text`, or None where they do not spell it.

    An API gives each token's UTF-8 bytes, since a token may hold a part of a character (an emoji, a Chinese one). What
    the tokens spell before `text` (thoughts, white space that was stripped) and after it (the end token) is left out; a
    token that lies across such an edge counts with the characters it has inside. Of several places it is the last:
    thoughts come first.
    """
    whole, wanted = b"".join(piece for piece, _ in tokens), text.encode()
    begin = whole.rfind(wanted)
    if not text or begin < 0:
        return None
    starts = list(accumulate((len(character.encode()) for character in text), initial=0))
    spans, at = [], -begin  # bytes before the token, from the first of the text
    for piece, logprob in tokens:
        first, last = max(at, 0), min(at + len(piece), len(wanted)) - 1
        if first <= last:
            spans.append(TokenSpan(bisect_right(starts, first) - 1, bisect_right(starts, last), min(logprob, 0.0)))
        at += len(piece)
    return tuple(spans)


def geometric_mean(tokens: Sequence[TokenSpan] | None) -> float:
    """exp(mean log p(token)); 0 where no token was read."""
    return math.exp(math.fsum(token.logprob for token in tokens) / len(tokens)) if tokens else 0.0


def within(tokens: Sequence[TokenSpan], start: int, end: int) -> tuple[TokenSpan, ...]:
    """The tokens that spell a character of text[start:end], on the characters of that part."""
    inside = [token for token in tokens if token.start < end and token.end > start]
    return tuple(
        TokenSpan(max(token.start, start) - start, min(token.end, end) - start, token.logprob) for token in inside
    )  # fmt: skip
