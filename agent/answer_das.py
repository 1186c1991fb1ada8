"""Written answers in a run: what teacher and student think of every sentence, and which of several answers is kept.

The teacher's log-probabilities come with its answers. Both models read the same characters: of a choice the reasoning,
of a free answer all of it (`prose` of the task kind). Files: `spelled.jsonl`, the teacher's tokens of each answer,
`sentences.jsonl`, and the page `das.html`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from agent.config import RunConfig
from agent.das import BY_SENTENCES
from agent.das.passage import Passage
from agent.das.rules import FEW, OTHER, RULES, SHARE, Candidate, Rule, choose
from agent.das.sentences import code_of, sentences
from agent.das.text import scored
from agent.das.token_spans import TokenSpan, geometric_mean, within
from agent.example import LabelledExample
from agent.report.das_page import das_page
from agent.rundir import IterationDir, read_jsonl, write_jsonl, write_text
from agent.scored import Scored, as_row, figures, summary
from agent.scoring import Scoring
from agent.state import rng
from agent.student.student import Student
from agent.teacher.teacher_label import TeacherLabel
from tasks.task import Task, written_kind

NO_LOGPROBS, UNREAD = "no_teacher_logprobs", "longer_than_the_student_reads"
NOT_SCORED = "no_sentence_both_could_score"
UNRULED: Rule = "count"
"""Whose classes of sentences are told where no rule chooses."""


def spelled_row(example: LabelledExample, answer: TeacherLabel) -> dict[str, Any]:
    """A row of spelled.jsonl: the teacher's answer as it came, and its tokens; null without log-probabilities."""
    tokens = None if answer.tokens is None else [[one.start, one.end, one.logprob] for one in answer.tokens]
    return {"id": example.id, "text": answer.said, "tokens": tokens}


def compared(
    here: IterationDir, candidates: Sequence[LabelledExample], task: Task, config: RunConfig, student: Student,
    adapter: Path,
) -> list[Scored]:  # fmt: skip
    """Each candidate's answer with its sentences, or with the reason why it has none, in order."""
    kept = {row["id"]: row for row in read_jsonl(here.spelled)}
    said = [str(kept[one.id]["text"]) for one in candidates]
    given = [kept[one.id]["tokens"] for one in candidates]
    read = student.read([one.text for one in candidates], said, adapter)
    kind, cut, language = written_kind(task.kind), RULES[rule_of(config) or UNRULED], code_of(task.language)
    rows = []
    for one, text, teacher, own in zip(candidates, said, given, read, strict=True):
        start, end = kind.prose(text)
        passage = Passage({"id": one.id, "student": geometric_mean(own)}, text[start:end], turn=one.text)
        if teacher is None or own is None:
            rows.append(Scored(passage, reason=NO_LOGPROBS if teacher is None else UNREAD))
            continue
        theirs = within([TokenSpan(*token) for token in teacher], start, end)
        found = scored(passage.text, sentences(passage.text, language), theirs, within(own, start, end), cut)
        row = Scored(passage, found)
        rows.append(row if row.known else replace(row, reason=NOT_SCORED))
    return rows


def rule_of(config: RunConfig) -> Rule | None:
    """The rule that was asked for; `count` where several answers are asked for and none was named; None where each
    question has one answer, which is kept."""
    return config.batch.rule or ("count" if config.batch.answers > 1 else None)


def decided(rows: Sequence[Scored], rule: Rule, random: np.random.Generator) -> list[Scored]:
    """The rows with the reason why `rule` does not keep them: it keeps one answer a question at most.

    `ratio` keeps those with more than SHARE of their sentences the teacher's, of several to one question the one with
    the most; of no answer at all it keeps the best, so that a batch is never empty. `random` and `longest` look at no
    sentence, so they choose among answers that could not be scored too.
    """
    blind = rule not in BY_SENTENCES
    places = [i for i, row in enumerate(rows) if blind or row.reason is None]
    candidates = [
        Candidate(str(rows[i].passage.turn), len(rows[i].passage.text), rows[i].count("teacher"), max(1, rows[i].known))
        for i in places
    ]
    reasons = choose(rule, candidates, None, SHARE, random)
    if rule == "ratio":
        reasons = _best_of_each(candidates, reasons)
    found = dict(zip(places, reasons, strict=True))
    return [replace(row, reason=found.get(i, row.reason)) for i, row in enumerate(rows)]


def _best_of_each(candidates: Sequence[Candidate], reasons: Sequence[str | None]) -> list[str | None]:
    order = sorted(range(len(candidates)), key=lambda i: (-candidates[i].ratio, candidates[i].length))
    passing = [i for i in order if reasons[i] is None] or order[:1]
    best: dict[str, int] = {}
    for i in passing:
        best.setdefault(candidates[i].prompt, i)
    kept, passed = set(best.values()), set(passing)
    return [None if i in kept else OTHER if i in passed else FEW for i in range(len(candidates))]


def mean_difference(row: Scored) -> float | None:
    """Mean of p(teacher) − p(student) over the sentences that both could score; None where there is none."""
    known = [one.d for one in row.sentences if one.d is not None]
    return sum(known) / len(known) if known else None


def tell(
    here: IterationDir, config: RunConfig, task: Task, rows: Sequence[Scored], chosen: Sequence[Scored]
) -> None:  # fmt: skip
    """Writes sentences.jsonl, and das.html: the sentences before and after the rule, and what each rule would keep."""
    told = [{"id": row.passage.row["id"], **as_row(row)} for row in chosen if row.known]
    write_jsonl(here.sentences, told)
    asked = Scoring(
        here.sentences.relative_to(here.root.parent), config.student.model, config.teacher.model,
        rule_of(config) or UNRULED,
        language=code_of(task.language), seed=config.seed,
    )  # fmt: skip
    known = [row for row in rows if row.known]
    others = {rule: decided(known, rule, rng(config.seed, here.number, f"score-{rule}")) for rule in RULES}
    found = {
        **summary(asked, rows, chosen),
        "rules": {rule: figures([row for row in kept if row.reason is None]) for rule, kept in others.items()},
    }
    write_text(here.das_page, das_page(found, told, here.sentences.name, "evokd run"))
