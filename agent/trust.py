"""Trust in the generator: how often a text written for a label gets that label when the teacher is asked apart.

Not every teacher that labels well writes well. Where the two labels of a text agree hardly more than by chance, its
texts teach the student wrong labels, so the places of generated texts shrink with Cohen's kappa of the two and real
texts of the pool take them.
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.example import read_examples
from agent.rundir import RunDir, read_jsonl

DISAGREES = "disagrees"
"""Reason of a drop: the separate label is not the intended one."""
PROVEN, ASKED = 0.9, 8
"""Kappa, over at least so many texts, from which easy texts are no longer labelled apart."""
PROBE = 24
"""Easy texts whose labels tell whether the other ones need any; of two labels, one that differs leaves it proven."""
LEAST = 0.25
"""Share of the places; a call for fewer texts pays its prompt for little."""


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


def to_write(run: RunDir, iteration: int, places: Mapping[str, int], labels: int, pool: bool) -> dict[str, int]:
    """The generated texts of this iteration that shall be kept, by kind; see `shares`."""
    return shares(places, iteration == 0, kappa(*agreement(run, iteration), labels), pool)


def shares(places: Mapping[str, int], first: bool, trust: float, pool: bool) -> dict[str, int]:
    """As many of `places` as the generator is trusted with.

    In the first iteration the student has not been examined, so nothing is known to be hard: they are easy then.
    Without a `pool` that could take their places all are written, whatever the trust.
    """
    if first and "easy" in places:
        return {"easy": places["easy"] if pool else sum(places.values())}
    if not pool:
        return dict(places)
    wanted = {kind: round(count * trust) for kind, count in places.items()}
    return wanted if sum(wanted.values()) >= LEAST * sum(places.values()) else dict.fromkeys(places, 0)
