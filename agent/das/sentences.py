"""Sentences of a text as spans of characters that tile it: no space between them is lost, so no boundary drifts.

The boundaries are pysbd's (Sadvilkar and Neumann, 2020), rules for 23 languages. Its spans alone do not tile: white
space before the first sentence is in none, and a sentence with one of the characters it works with inside is left out.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from pysbd import Segmenter
from pysbd.languages import LANGUAGE_CODES

LANGUAGES = tuple(sorted(LANGUAGE_CODES))
"""What `language` may be: two letters of ISO 639-1."""
_CODES = {named.__name__.casefold(): code for code, named in LANGUAGE_CODES.items()} | {"german": "de"}
Span = tuple[int, int]
"""(start, end) in characters, end not included."""


def code_of(language: str) -> str:
    """The code of a language by its English name, or by the code itself; "en" for one without rules of its own."""
    named = language.strip().casefold()
    return named if named in LANGUAGE_CODES else _CODES.get(named, "en")


def sentences(text: str, language: str = "en") -> tuple[Span, ...]:
    """The sentences of `text`, each with the white space after it (the first also with what stands before it): the
    first starts at 0, each starts where the one before ends, the last ends at len(text). () for an empty text.

    What pysbd leaves out belongs to the sentence before. A text of white space alone is one sentence.
    """
    if not text:
        return ()
    starts, end = [0], 0
    for found in Segmenter(language=language, clean=False, char_span=True).segment(text):
        if found.start >= end:
            starts += [found.start] if end else []
            end = found.end
    return tuple(zip(starts, [*starts[1:], len(text)], strict=True))


def owner(text: str, spans: Sequence[Span], start: int, end: int) -> int:
    """The index of the sentence that owns the characters [start, end) of a token, which may lie across a boundary.

    It is the one that holds the token's first character that is no white space: " The" begins in the space after a
    sentence and says the first word of the next. A token of white space alone, or of no character at all, belongs to
    the sentence in which it begins.
    """
    inside = text[start:end]
    at = start + (len(inside) - len(inside.lstrip()) if inside.strip() else 0)
    return bisect_right(spans, at, key=lambda span: span[0]) - 1
