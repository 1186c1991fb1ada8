"""Answers that are written out, and read: of choices reasoning between its tags, then the answer between its own, and
nothing else.

    <reasoning>Bread is baked, and what bakes it is hot.</reasoning>
    <answer>B</answer>

Read strictly: what is written in another form is no answer, whatever letter stands somewhere in it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

NO_ANSWER = "no answer"
"""What the student said where what it wrote is none."""
SHORTEST = 4
"""Words of a reasoning that says something."""
REPEATED = 3
"""Times that a run of RUN words stands in a text that goes round in circles."""
RUN = 6
OPEN, CLOSE = "<answer>", "</answer>"
REASONING, END = "<reasoning>", "</reasoning>"
FORM = (
    "Write your reasoning, one or two sentences, between <reasoning> and </reasoning>, then the letter of the one "
    "right choice between <answer> and </answer>."
)
_WHOLE = re.compile(r"\s*<reasoning>(?P<reasoning>.*?)</reasoning>\s*<answer>(?P<answer>.*?)</answer>\s*", re.DOTALL)
_BARE = re.compile(r"\s*<answer>(?P<answer>.*?)</answer>\s*", re.DOTALL)


@dataclass(frozen=True)
class Answered:
    """What was read of a written answer."""

    reasoning: str | None
    answer: str | None
    """One of the choices, or of a free answer the label of all; None where there is none, and `fault` says why."""
    fault: str | None = None
    """"empty", "no_reasoning" (the answer alone), "no_answer" (not in the form, so without a conclusion),
    "not_a_choice", "too_short" or "repeats" (of the reasoning, or of a free answer)."""
    output: str | None = None
    """A free answer itself."""


def written(reasoning: str | None, answer: str) -> str:
    """The text of an answer; without a reasoning that of the answer alone."""
    given = f"{OPEN}{answer}{CLOSE}"
    return f"<reasoning>{reasoning}</reasoning>\n{given}" if reasoning else given


def read_answer(text: str, choices: Collection[str], reasoned: bool = True) -> Answered:
    """What `text` says. `reasoned`: it must hold a reasoning, and one worth learning (a teacher's); else the answer
    alone will do, and a poor reasoning does not make it none (a student's)."""
    if not text.strip():
        return Answered(None, None, "empty")
    match = _WHOLE.fullmatch(text) or _BARE.fullmatch(text)
    if match is None:
        return Answered(None, None, "no_answer")
    found = match.groupdict()
    reasoning, answer = " ".join(found.get("reasoning", "").split()) or None, found["answer"].strip()
    if answer not in choices:
        return Answered(reasoning, None, "not_a_choice")
    fault = poor(reasoning) if reasoned else None
    return Answered(reasoning, None if fault else answer, fault)


def poor(reasoning: str | None) -> str | None:
    """Why a reasoning is not worth learning; None where it is."""
    if reasoning is None:
        return "no_reasoning"
    if len(reasoning.split()) < SHORTEST:
        return "too_short"
    return "repeats" if repeats(reasoning) else None


def repeats(text: str) -> bool:
    """Whether `text` goes round in circles."""
    words = text.casefold().split()
    runs = Counter(tuple(words[at : at + RUN]) for at in range(len(words) - RUN + 1))
    return max(runs.values(), default=0) >= REPEATED
