"""Trust in the generator: whether its texts are of the label they were written for, and its hard texts hard.

Not every teacher that labels well writes well. Where the two labels of a text agree hardly more than by chance, its
texts teach the student wrong labels, so the places of generated texts shrink with Cohen's kappa of the two and real
texts of the pool take them. And not every teacher that is asked for hard texts can write them: where the student had
nearly all of them right before it learned them, easy ones, which need no analysis, take their places.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent.example import read_examples
from agent.rundir import RunDir, read_jsonl

DISAGREES = "disagrees"
"""Reason of a drop: the separate label is not the intended one."""
PROVEN, ASKED = 0.9, 8
"""Kappa, over at least so many texts, from which easy texts are no longer labelled apart."""
PROBE = 24
"""Easy texts whose labels tell whether the other ones need any; of two labels, one that differs leaves it proven."""
TRIED = 12
"""Hard texts of a batch, at most, of a teacher that is proven, while too few were examined to tell whether they are
hard: they cost more than easy ones, and those of a teacher that always writes the label it is asked for were not hard
(SST-2, docs/what-we-learned.md)."""
LEAST = 0.25
"""Share of the places; a call for fewer texts pays its prompt for little."""
HARD = 0.7
"""Share of hard texts that the student may have right before it learns them, over at least ASKED texts."""


@dataclass(frozen=True)
class Guard:
    """What the places of generated texts depend on."""

    pool: bool = False
    """There are real texts to take the places of generated ones that nobody trusts."""
    hardness: bool = False
    """Hard texts are written only as long as they are hard."""


def kappa(agreed: int, asked: int, labels: int) -> float:
    """Cohen's kappa of intended and separate label with chance 1 / labels, not below 0; 1 where nothing was asked."""
    if asked == 0:
        return 1.0
    chance = 1 / labels
    return max(0.0, (agreed / asked - chance) / (1 - chance))


def agreement(run: RunDir, iteration: int) -> tuple[int, int]:
    """(texts whose two labels agree, texts with two labels) among those made before `iteration`."""
    made = [e.agrees for k in range(1, iteration + 1) for e in read_examples(run.iteration(k).candidates)]
    lost = [row for k in range(iteration) for row in read_jsonl(run.iteration(k).dropped) if row["reason"] == DISAGREES]
    return sum(agrees is True for agrees in made), sum(agrees is not None for agrees in made) + len(lost)


def proven(run: RunDir, iteration: int, labels: int) -> bool:
    """Whether easy texts may keep the label they were written for, unasked."""
    return enough(*agreement(run, iteration), labels)


def enough(agreed: int, asked: int, labels: int) -> bool:
    """Whether `agreed` of `asked` texts prove that the teacher writes what it is asked for."""
    return asked >= ASKED and kappa(agreed, asked, labels) >= PROVEN


def hard(run: RunDir, iteration: int) -> bool | None:
    """Whether texts that were written to be hard were, of the newest batches up to `iteration`, as many as hold ASKED
    of them; None where all hold fewer. Not of older ones: the student has learned since."""
    right: list[bool] = []
    for k in range(iteration, 0, -1):
        right += [bool(row["correct"]) for row in read_jsonl(run.iteration(k).predictions) if row["source"] == "hard"]
        if len(right) >= ASKED:
            return sum(right) <= HARD * len(right)
    return None


def to_write(run: RunDir, iteration: int, places: Mapping[str, int], labels: int, guard: Guard) -> dict[str, int]:
    """The generated texts of this iteration that shall be kept, by kind; see `shares`."""
    known = agreement(run, iteration)
    still_hard = hard(run, iteration) if guard.hardness else True
    if still_hard is None and not enough(*known, labels):
        still_hard = True
    return shares(places, iteration == 0, kappa(*known, labels), guard.pool, still_hard)


def shares(
    places: Mapping[str, int], first: bool, trust: float, pool: bool, still_hard: bool | None = True
) -> dict[str, int]:  # fmt: skip
    """As many of `places` as the generator is trusted with.

    In the first iteration the student has not been examined, so nothing is known to be hard: they are easy then; and so
    they are where what was written as hard is not (`still_hard`), and most of them where nobody knows yet (None).
    Without a `pool` that could take their places all are written, whatever the trust.
    """
    if still_hard is None and not first and {"hard", "easy"} <= places.keys():
        tried = min(places["hard"], TRIED)
        places = {"hard": tried, "easy": places["easy"] + places["hard"] - tried}
    if "easy" in places and (first or still_hard is False):
        places = {"easy": places["easy"] if pool else sum(places.values())}
        if first:
            return dict(places)
    if not pool:
        return dict(places)
    wanted = {kind: round(count * trust) for kind, count in places.items()}
    return wanted if sum(wanted.values()) >= LEAST * sum(places.values()) else dict.fromkeys(places, 0)
