"""What the student's answers to one batch say: pairs that it mixes up, and accuracy by source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from agent.example import entities_of, origin
from agent.report.record import Row
from tasks.span_errors import KINDS, errors
from tasks.spans import in_words, ordered

SOURCES = ("hard", "easy", "pool, hard", "pool, easy", "pool", "continued", "seed", "name", "earlier", "gold")
HARD = ("hard", "pool, hard")
NOT_HARD = 0.7
"""Above this accuracy on the texts meant to be hard, the report says that they were not."""


@dataclass(frozen=True)
class Tally:
    """How many texts the student was right on."""

    right: int
    n: int


def by_source(predictions: Sequence[Row]) -> dict[str, Tally]:
    """Answers counted by origin, in the order of SOURCES."""
    n = Counter(origin(row) for row in predictions)
    right = Counter(origin(row) for row in predictions if row["correct"])
    order = sorted(n, key=lambda source: (SOURCES.index(source) if source in SOURCES else 9, source))
    return {source: Tally(right[source], n[source]) for source in order}


def spans(predictions: Sequence[Row]) -> bool:
    """Whether these answers are entities."""
    return any("entities" in row for row in predictions)


def free(predictions: Sequence[Row]) -> bool:
    """Whether these answers are texts of their own."""
    return any("output" in row for row in predictions)


def mistakes(row: Row) -> list[tuple[str, str]]:
    """What is wrong with one wrong answer: (label, predicted); of entities (type, kind of mistake) of each; of a free
    one nothing that has a name."""
    if "output" in row:
        return []
    gold = entities_of(row)
    if gold is None:
        return [(str(row["label"]), str(row["predicted"]))]
    return [(error.label, error.kind) for error in errors(gold, entities_of(row, "predicted_entities") or ())]


def answer(row: Row, side: str) -> str:
    """What is shown of a row for `label` or `predicted`."""
    if "output" in row:
        return str({"label": row["output"], "predicted": row.get("written") or "(nothing)"}[side])
    found = entities_of(row, {"label": "entities", "predicted": "predicted_entities"}[side])
    return str(row[side]) if found is None else in_words(str(row["text"]), found)


def room(row: Row) -> int:
    """Characters of an answer that are shown."""
    return 300 if "output" in row else 160 if "entities" in row else 60


def wrong(predictions: Sequence[Row]) -> list[Row]:
    """The wrong answers, grouped by their (most frequent) mistake: the most frequent first, surest answer first; free
    ones that least like the right one first."""
    rows = [row for row in predictions if not row["correct"]]
    if free(rows):
        return sorted(rows, key=lambda row: float(row["likeness"]))
    count = Counter(one for row in rows for one in mistakes(row))

    def order(row: Row) -> tuple[int, str, str, float]:
        first = min(mistakes(row), key=lambda one: (-count[one], *one))
        return -count[first], *first, -float(row["confidence"] or 0)

    return sorted(rows, key=order)


def pairs(predictions: Sequence[Row]) -> list[tuple[str, str, int]]:
    """(label, predicted, times) of the wrong answers, of entities (type, kind of mistake, times): the most frequent
    first."""
    count = Counter(one for row in wrong(predictions) for one in mistakes(row))
    return [(label, predicted, times) for (label, predicted), times in count.most_common()]


def by_type(predictions: Sequence[Row]) -> dict[str, dict[str, int]]:
    """Of each entity type in these answers how many entities were to be found, how many were, and mistakes by kind."""
    table: dict[str, Counter[str]] = {}
    for row in predictions:
        gold, said = entities_of(row) or (), set(entities_of(row, "predicted_entities") or ())
        for entity in gold:
            table.setdefault(entity.label, Counter()).update(["entities", *(["right"] if entity in said else [])])
        for error in errors(gold, ordered(list(said))):
            table.setdefault(error.label, Counter())[error.kind] += 1
    return {label: {name: table[label][name] for name in ("entities", "right", *KINDS)} for label in sorted(table)}


def was_not_hard(tally: Tally) -> bool:
    return tally.right > NOT_HARD * tally.n


def hard_was_not_hard(predictions: Sequence[Row]) -> str | None:
    """The honest sentence, when the student was right on most of the texts, written or real, that were to be hard."""
    found = [tally for name, tally in by_source(predictions).items() if name in HARD]
    tally = Tally(sum(one.right for one in found), sum(one.n for one in found))
    if tally.n == 0 or not was_not_hard(tally):
        return None
    share = f"{100 * tally.right / tally.n:.0f} %"
    return (
        f"“Hard” was not hard: the student was right on {tally.right} of the {tally.n} texts "
        f"meant to be hard ({share}), before it had trained on them."
    )
