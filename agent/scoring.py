"""Scoring: what is asked of `evokd score`, checked before any model is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agent.das.rules import RULES, SHARE, Rule
from agent.das.sentences import LANGUAGES
from agent.das.text import Cut
from tasks.faults import Fault, UserError, quoted


@dataclass(frozen=True)
class Scoring:
    """What is scored, by which models, and what is kept of it."""

    file: Path
    student: str
    """A model by the name of the catalogue, a folder, a .gguf file, or a hub repository."""
    teacher: str | None = None
    """A local model in the teacher's place; None: the rows bring its log-probabilities."""
    rule: Rule = "count"
    keep: float | None = None
    """The fraction that is kept of what the rule would keep, the best by the rule (agent/das/rules.py)."""
    margin: float | None = None
    """Of d, for a teacher sentence; None: what the rule has."""
    sure: float | None = None
    """Of p_teacher, for a teacher sentence; None: what the rule has."""
    share: float = SHARE
    """Of teacher sentences in an example, for `ratio`."""
    language: str = "en"
    """Whose rules find the sentences."""
    seed: int = 1

    @property
    def cut(self) -> Cut:
        own = RULES[self.rule]
        return Cut(own.margin if self.margin is None else self.margin, own.sure if self.sure is None else self.sure)

    def check(self) -> None:
        """Raises UserError where a setting cannot be used."""
        faults = []
        if self.language not in LANGUAGES:
            faults.append(Fault("--language", f"one of {', '.join(LANGUAGES)}", quoted(self.language), "Change it."))
        if self.keep is not None and not 0 < self.keep <= 1:
            faults.append(Fault("--keep", "a fraction above 0, at most 1", f"{self.keep:g}", "Change it."))
        for name, value in (("--margin", self.margin), ("--sure", self.sure), ("--share", self.share)):
            if value is not None and not 0 <= value <= 1:
                faults.append(Fault(name, "a number from 0 to 1", f"{value:g}", "Change it."))
        if faults:
            raise UserError(*faults)
