"""The entities in a teacher's answer: what it copied from the text, put back to where it stands there.

A teacher names an entity in words, not in offsets. Where each belongs:

* Whole words of the text, letter for letter; where there are none, whatever the case; white space may differ.
* Named with one label, it is each of its occurrences. With several, the first naming is the first occurrence, and
  so on.
* Longer ones are placed first: an occurrence inside a longer entity is not the shorter one's.

What has no place is told with the reason and never moved to a place that is merely like it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.teacher.labels import parse_label
from tasks.spans import ordered, whole
from tasks.task import Entity

Mention = tuple[str, str]
"""What the teacher copied, and its label in the teacher's words."""


@dataclass(frozen=True)
class Placed:
    """The entities, in order, and the mentions that have no place: {"mention", "label", "reason"} each.

    Reasons: "unknown_label", "not_in_text", "inside_a_word", "overlaps" (all of it in longer entities),
    "named_too_often" (with several labels, more often than it occurs). A mention is in one of both.
    """

    entities: tuple[Entity, ...]
    misplaced: tuple[Mapping[str, str], ...]


def place(text: str, mentions: Sequence[Mention], labels: Sequence[str]) -> Placed:
    """Where in `text` the mentions are, each labelled as one of `labels`."""
    misplaced: list[Mapping[str, str]] = []
    named: dict[str, list[tuple[Mention, str]]] = {}
    for mention in mentions:
        label = parse_label(mention[1], labels)
        if label is None:
            misplaced.append(_row(mention, "unknown_label"))
        else:
            named.setdefault(" ".join(mention[0].split()), []).append((mention, label))
    found: list[Entity] = []
    for words in sorted(named, key=lambda words: -len(words)):
        mine = named[words]
        spans = occurrences(text, words)
        there = [span for span in spans if whole(text, *span)]
        free = [(start, end) for start, end in there if not any(e.start < end and start < e.end for e in found)]
        if not free:
            reason = "overlaps" if there else "inside_a_word" if spans else "not_in_text"
            misplaced += [_row(mention, reason) for mention, _ in mine]
        elif len({label for _, label in mine}) == 1:
            found += [Entity(start, end, mine[0][1]) for start, end in free]
        else:
            found += [Entity(start, end, label) for (start, end), (_, label) in zip(free, mine, strict=False)]
            misplaced += [_row(mention, "named_too_often") for mention, _ in mine[len(free) :]]
    return Placed(ordered(found), tuple(misplaced))


def occurrences(text: str, words: str) -> list[tuple[int, int]]:
    """(start, end) of `words` in `text` wherever it stands, letter for letter or else whatever the case."""
    pattern = r"\s+".join(map(re.escape, words.split()))
    if not pattern:
        return []
    exact = [match.span() for match in re.finditer(pattern, text)]
    return exact or [match.span() for match in re.finditer(pattern, text, re.IGNORECASE)]


def _row(mention: Mention, reason: str) -> dict[str, str]:
    return {"mention": mention[0], "label": mention[1], "reason": reason}
