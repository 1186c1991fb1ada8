"""What the student's answers to one batch say: pairs that it mixes up, and accuracy by source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from agent.example import origin
from agent.report.record import Row

SOURCES = ("hard", "easy", "pool, hard", "pool, easy", "pool", "seed", "name", "gold")
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


def wrong(predictions: Sequence[Row]) -> list[Row]:
    """The wrong answers, grouped by (label, predicted): the most frequent pair first, surest answer first."""
    rows = [row for row in predictions if not row["correct"]]
    count = Counter((str(row["label"]), str(row["predicted"])) for row in rows)

    def order(row: Row) -> tuple[int, str, str, float]:
        pair = (str(row["label"]), str(row["predicted"]))
        return -count[pair], *pair, -float(row["confidence"] or 0)

    return sorted(rows, key=order)


def pairs(predictions: Sequence[Row]) -> list[tuple[str, str, int]]:
    """(label, predicted, times) of the wrong answers, the most frequent first."""
    count = Counter((str(row["label"]), str(row["predicted"])) for row in wrong(predictions))
    return [(label, predicted, times) for (label, predicted), times in count.most_common()]


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
