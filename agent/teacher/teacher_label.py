"""TeacherLabel: what the teacher says of one text when it is asked for its label, or for the entities in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent.das.token_spans import TokenSpan
from tasks.task import Entity, Example


@dataclass(frozen=True)
class TeacherLabel:
    """The teacher's answer for one text."""

    label: str | None
    """None where there is none; `fault` says why. Of entities the label under which the text is counted."""
    confidence: float | None
    """Probability of `label`: from logprobs, or the share of agreeing draws; None for many texts a call. Of entities
    that of the answer (agent/teacher/marking.py); None without logprobs."""
    distribution: Mapping[str, float] | None
    fault: str | None = None
    """"budget" (not asked), "not_a_label", "nothing_placed" (of entities), that of a written answer (tasks/written.py),
    or the fault of the reply."""
    said: str = ""
    raw: Mapping[str, float] | None = None
    """The distribution as the logprobs gave it; `distribution` may be calibrated later."""
    entities: tuple[Entity, ...] | None = None
    """What the text holds, of a task of spans."""
    reasoning: str | None = None
    """Why, of a task whose answers are written out."""
    output: str | None = None
    """The answer itself, where it is free; `label` is then that of all answers."""
    tokens: tuple[TokenSpan, ...] | None = None
    """Of a written answer: those of `said`, on its characters; None without logprobs."""
    begun: str = ""
    """Of a written answer: what it begins with, where that is not the teacher's."""
    mentions: int = 0
    """Entities that the teacher named."""
    misplaced: tuple[Mapping[str, str], ...] = ()
    """Those of them that have no place in the text (agent/teacher/mentions.py)."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that the text is an example of; none where there is no answer."""
        return Example("", self.label, self.entities).labels
