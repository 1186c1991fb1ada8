"""Scored: one row of a data set after `score`, and what becomes of many of them by a rule. Pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from agent.das.passage import LOGPROBS, Passage
from agent.das.rules import RULES, Candidate, Rule, choose
from agent.das.text import CLASSES, Class, Sentence
from agent.scoring import Scoring
from agent.state import rng


@dataclass(frozen=True)
class Scored:
    """One row and what became of it."""

    passage: Passage
    sentences: tuple[Sentence, ...] = ()
    reason: str | None = None
    """Why it is not kept; None: it is."""

    def count(self, of: Class) -> int:
        return sum(sentence.of == of for sentence in self.sentences)

    @property
    def known(self) -> int:
        """Sentences that both models could score."""
        return len(self.sentences) - self.count("unscored")


def by_rule(asked: Scoring, rows: Sequence[Scored], rule: Rule) -> list[Scored]:
    """The rows with the reason why `rule` does not keep them; a row that has a reason already keeps it."""
    places = [i for i, row in enumerate(rows) if row.reason is None]
    candidates = [
        Candidate(prompt_of(rows, i), len(rows[i].passage.text), rows[i].count("teacher"), rows[i].known)
        for i in places
    ]
    reasons = choose(rule, candidates, asked.keep, asked.share, rng(asked.seed, 0, f"score-{rule}"))
    decided = dict(zip(places, reasons, strict=True))
    return [replace(row, reason=decided.get(i, row.reason)) for i, row in enumerate(rows)]


def prompt_of(rows: Sequence[Scored], i: int) -> str:
    """What makes rows candidates for one prompt; a row without a prompt is alone."""
    return rows[i].passage.asked or f"row {i}"


def summary(asked: Scoring, rows: Sequence[Scored], chosen: Sequence[Scored]) -> dict[str, Any]:
    """What was asked and what came of it: made = kept + dropped, the sentences before and after the rule, and what
    each rule would keep of the same rows with the same teacher sentences."""
    kept = [row for row in chosen if row.reason is None]
    return {
        "file": str(asked.file), "student": asked.student, "teacher": asked.teacher or LOGPROBS,
        "rule": asked.rule, "keep": asked.keep, "margin": asked.cut.margin, "sure": asked.cut.sure,
        "share": asked.share, "language": asked.language, "seed": asked.seed,
        "prompts": len({prompt_of(rows, i) for i, row in enumerate(rows) if row.reason is None}),
        "made": len(rows), "kept": len(kept),
        "dropped": dict(Counter(row.reason for row in chosen if row.reason is not None)),
        "before": figures([row for row in rows if row.reason is None]), "after": figures(kept),
        "rules": {
            rule: figures([row for row in by_rule(asked, rows, rule) if row.reason is None]) for rule in RULES
        },
    }  # fmt: skip


def figures(rows: Sequence[Scored]) -> dict[str, Any]:
    """Of some examples: how many, the sentences of each class, mean d of a sentence, mean characters of an example."""
    differences = [sentence.d for row in rows for sentence in row.sentences if sentence.d is not None]
    return {
        "examples": len(rows),
        "sentences": {name: sum(row.count(name) for row in rows) for name in CLASSES},
        "d": sum(differences) / len(differences) if differences else None,
        "characters": sum(len(row.passage.text) for row in rows) / len(rows) if rows else None,
    }


def as_row(row: Scored) -> dict[str, Any]:
    """A row of scored.jsonl."""
    text = row.passage.text
    return {
        "prompt": row.passage.asked, "text": text, "kept": row.reason is None, "reason": row.reason,
        "teacher_sentences": row.count("teacher"), "ratio": row.count("teacher") / row.known,
        "sentences": [{**asdict(one), "d": one.d, "text": text[one.start : one.end]} for one in row.sentences],
    }  # fmt: skip
