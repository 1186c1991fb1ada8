"""Entities and words: a text is cut into words, and what it holds is written as a BIO tag for each.

A word is a run of letters and digits, one other sign, or, in scripts that put no space between words, one character.
So an entity that begins or ends within a word cannot be tagged; who reads or aligns entities tells it (`whole`).
Tags: Ramshaw and Marcus, "Text Chunking using Transformation-Based Learning" (1995), every entity begun with B.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tasks.task import OUTSIDE as OUTSIDE
from tasks.task import Entity

_UNSPACED = "\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Thai, Lao, Khmer, Japanese and Chinese."""
_WORD = re.compile(f"[{_UNSPACED}]|(?:[^\\W_{_UNSPACED}][\u0300-\u036f]*)+|\\S")


def words(text: str) -> list[tuple[int, int]]:
    """(start, end) of each word of `text`, in characters."""
    return [match.span() for match in _WORD.finditer(text)]


def tags(labels: Sequence[str]) -> tuple[str, ...]:
    """The outputs of a student that tags: O, then B and I of each label."""
    return (OUTSIDE, *(f"{part}-{label}" for label in labels for part in "BI"))


def whole(text: str, start: int, end: int) -> bool:
    """Whether text[start:end] begins where a word begins and ends where one ends."""
    spans = words(text)
    return start in {first for first, _ in spans} and end in {last for _, last in spans}


def encoded(text: str, entities: Sequence[Entity], labels: Sequence[str]) -> tuple[int, ...]:
    """The tag of each word, as its index in `tags(labels)`. Words only half in an entity are in it."""
    places = {label: 1 + 2 * number for number, label in enumerate(labels)}
    result = []
    for start, end in words(text):
        mine = next((e for e in entities if e.start < end and start < e.end), None)
        result.append(0 if mine is None else places[mine.label] + (start > mine.start))
    return tuple(result)


def likeliest(probabilities: NDArray[np.float64]) -> list[int]:
    """The tags of a text's words, as indices in `tags`: of all sequences in which no I goes on nothing, or on another
    label, the likeliest (Viterbi 1967).

    Args:
        probabilities: (W, T) of each word's tags.
    """
    size = probabilities.shape[1]
    each = np.arange(size)
    inside = (each % 2 == 0) & (each > 0)
    begun = np.where(inside, each - 1, 0)  # of an I the B before it
    best = np.where(each == 0, 0.0, -np.inf)  # a text begins as after an O
    came: list[NDArray[np.int64]] = []
    for row in np.log(np.maximum(probabilities, 1e-12)):
        source = np.where(inside, np.where(best > best[begun], each, begun), best.argmax())
        best = best[source] + row
        came.append(source)
    chosen = [int(best.argmax())]
    for source in reversed(came[1:]):
        chosen.append(int(source[chosen[-1]]))
    return chosen[::-1] if came else []


def decoded(text: str, chosen: Sequence[int], labels: Sequence[str]) -> tuple[Entity, ...]:
    """The entities of tags, given as indices in `tags(labels)`. An I that goes on nothing begins one (conlleval)."""
    found: list[Entity] = []
    open_ = ""
    for (start, end), tag in zip(words(text), chosen, strict=True):
        label = labels[(tag - 1) // 2] if tag else ""
        if label and label == open_ and tag % 2 == 0:
            found[-1] = Entity(found[-1].start, end, label)
        elif label:
            found.append(Entity(start, end, label))
        open_ = label
    return tuple(found)


def likelihood(
    text: str, entities: Sequence[Entity], probabilities: NDArray[np.float64], labels: Sequence[str]
) -> float:
    """How likely a tagger holds it that `entities` are what `text` holds, 0 to 1.

    The geometric mean of the probabilities of their tags, as DAS takes it over the tokens of a sentence
    (arXiv 2512.20908), over the words in question: those in one of the entities, or in one of the tagger's own. Over
    all words it would be near 1 for every text, since most words are plainly in none; over all where none is in
    question.

    Args:
        probabilities: (W, T) of each word's tags, in the order of `tags(labels)`; later rows do not count.
    """
    chosen = np.array(encoded(text, entities, labels), dtype=np.int64)  # (W,)
    given = probabilities[: len(chosen)]
    asked = (chosen > 0) | (given.argmax(axis=1) > 0)
    each = given[np.arange(len(chosen)), chosen][asked if asked.any() else slice(None)]
    return float(np.exp(np.log(np.maximum(each, 1e-12)).mean()))


def certainty(text: str, entity: Entity, probabilities: NDArray[np.float64], labels: Sequence[str]) -> float:
    """How sure a tagger is of one entity: the geometric mean of the probabilities of its words' tags."""
    chosen = encoded(text, [entity], labels)
    each = [float(probabilities[word, tag]) for word, tag in enumerate(chosen) if tag]
    return float(np.exp(np.log(np.maximum(each, 1e-12)).mean()))


def ordered(entities: Sequence[Entity]) -> tuple[Entity, ...]:
    return tuple(sorted(entities, key=lambda entity: (entity.start, entity.end)))


def overlapping(entities: Sequence[Entity]) -> tuple[Entity, Entity] | None:
    """The first two of them that share a character, or None."""
    return next(((one, other) for one, other in pairwise(ordered(entities)) if other.start < one.end), None)


def standing_for(entities: Sequence[Entity]) -> str:
    """The one label under which a text with these entities is counted: that of the first, O where there is none."""
    return entities[0].label if entities else OUTSIDE


def in_words(text: str, entities: Sequence[Mapping[str, object] | Entity]) -> str:
    """Entities as they are shown: `Oslo (place), Ann (person)`."""
    fields = [vars(one) if isinstance(one, Entity) else one for one in entities]
    said = [f"{text[int(str(one['start'])) : int(str(one['end']))]} ({one['label']})" for one in fields]
    return ", ".join(said) or "no entity"
