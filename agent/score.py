"""score: DAS of the texts of any data set, without a run: which of them would teach a student most, by a rule.

The teacher's log-probabilities come with the rows (`teacher_logprobs`, see das/passage.py) or from a local model that
is named; where neither is there the command refuses, and a row that lacks them is dropped: no probability is made up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from agent.das.passage import LOGPROBS, Passage, read_passages
from agent.das.sentences import sentences
from agent.das.text import scored
from agent.das.token_spans import TokenSpan, spelled
from agent.report.das_page import das_page
from agent.rundir import ScoreDir, write_json, write_jsonl, write_text
from agent.scored import Scored, as_row, by_rule, summary
from agent.scoring import Scoring
from agent.weights import fetch
from tasks.faults import Fault, UserError

Tokens = tuple[TokenSpan, ...]
Say = Callable[[str], None]
NO_LOGPROBS, BROKEN = "no_teacher_logprobs", "a_teacher_logprob_is_missing"
OTHER_TEXT = "teacher_logprobs_of_other_text"
TEACHER_READS_LESS, STUDENT_READS_LESS = "longer_than_the_teacher_reads", "longer_than_the_student_reads"
NOTHING_SCORED = "no_sentence_both_could_score"


def score(asked: Scoring, out: Path, say: Say) -> dict[str, Any]:
    """Scores, chooses, and writes the files of the new folder `out`; what score.json says, and where it is.

    Raises:
        UserError: a file, folder, model or setting that cannot be used; no log-probabilities of a teacher at all.
    """
    asked.check()
    passages = read_passages(asked.file)
    if asked.teacher is None and not any(one.row.get(LOGPROBS) for one in passages):
        remedy = "Add the field (choices[0].logprobs.content of the reply), or name a local model with --teacher-model."
        raise UserError(Fault(str(asked.file), f"rows with {LOGPROBS}", "none", remedy))
    folder = ScoreDir.create(out)
    rows = read_by_both(asked, passages, say)
    chosen = by_rule(asked, rows, asked.rule)
    found, told = summary(asked, rows, chosen), [as_row(row) for row in chosen if row.sentences]
    write_jsonl(folder.scored, told)
    write_jsonl(folder.kept, [row.passage.row for row in chosen if row.reason is None])
    write_jsonl(folder.dropped, [{"reason": row.reason, "row": row.passage.row} for row in chosen if row.reason])
    write_text(folder.report, das_page(found, told))
    write_json(folder.summary, found)
    return {**found, "path": str(out)}


def read_by_both(asked: Scoring, passages: Sequence[Passage], say: Say) -> list[Scored]:
    """Each passage with its sentences as both models see them, or with the reason why it has none."""
    places = {name: fetch(name, say) for name in (asked.teacher, asked.student) if name is not None}
    from agent.student.logprobs import read_by  # torch takes seconds

    def read(role: str, name: str, texts: Sequence[Passage]) -> list[Tokens | None]:
        say(f"{role} {name}: reading the model")
        return read_by(places[name], texts, lambda message: say(f"{role} {name}: {message}"))

    teacher: list[Tokens | str]
    if asked.teacher is None:
        teacher = [given_tokens(one) for one in passages]
    else:
        found = read("teacher", asked.teacher, passages)
        teacher = [TEACHER_READS_LESS if tokens is None else tokens for tokens in found]
    left = [one for one, tokens in zip(passages, teacher, strict=True) if not isinstance(tokens, str)]
    student = iter(read("student", asked.student, left) if left else ())
    return [
        Scored(one, reason=tokens) if isinstance(tokens, str) else read_by_student(asked, one, tokens, next(student))
        for one, tokens in zip(passages, teacher, strict=True)
    ]


def read_by_student(asked: Scoring, passage: Passage, teacher: Tokens, student: Tokens | None) -> Scored:
    """A passage that the teacher has read, with its sentences; or why there are none."""
    if student is None:
        return Scored(passage, reason=STUDENT_READS_LESS)
    text = passage.text
    row = Scored(passage, scored(text, sentences(text, asked.language), teacher, student, asked.cut))
    return row if row.known else Scored(passage, reason=NOTHING_SCORED)


def given_tokens(passage: Passage) -> Tokens | str:
    """The teacher's tokens that the row brings, on the characters of its text; or the reason why there are none."""
    if not passage.row.get(LOGPROBS):
        return NO_LOGPROBS
    tokens = passage.tokens()
    if tokens is None:
        return BROKEN
    return spelled(passage.text, tokens) or OTHER_TEXT
