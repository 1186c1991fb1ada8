"""begin: the student's own answers to this batch, cut in the middle, which the teacher is to go on from.

Mixed policy (arXiv 2601.09088): a student that only ever read the teacher's words never saw how to go on from its own.
It wrote these answers when it was examined; those held wrong come first. Of an answer it then learns what the teacher
wrote (agent/student/writer.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from langgraph.runtime import Runtime

from agent.rundir import read_jsonl, write_jsonl
from agent.state import Context, State, TeacherLane
from tasks.task import WrittenKind, written_kind
from tasks.written import NO_ANSWER

KEPT = (0.25, 0.75)
"""Of an answer's words the least and the largest share that stays."""
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\s\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")
"""A run of characters without a space; of Chinese and Japanese one character."""


def begin(state: State, runtime: Runtime[Context]) -> TeacherLane:
    """Writes begun.jsonl: `batch.continued` questions of this batch with the beginning of the student's answer; fewer
    where fewer of its answers are in the form, came to an end and have two words."""
    context, iteration = runtime.context, state["iteration"]
    here, random = context.run.iteration(iteration), context.rng(iteration, "begin")
    answers = read_jsonl(here.predictions)
    order = sorted(random.permutation(len(answers)), key=lambda index: bool(answers[index]["correct"]))
    kind = written_kind(context.task.kind)
    rows = (beginning(answers[index], kind, random) for index in order)
    begun = [row for row in rows if row is not None]
    write_jsonl(here.begun, begun[: context.config.batch.continued])
    return {}


def beginning(answer: dict[str, Any], kind: WrittenKind, random: np.random.Generator) -> dict[str, Any] | None:
    """The question, and what the student wrote up to the end of some word; None where there is nothing to cut."""
    written = str(answer["written"])
    if not answer["stopped"] or answer["predicted"] == NO_ANSWER:
        return None
    try:
        start, end = kind.prose(written)
    except ValueError:  # a choice without a reasoning
        return None
    at = cut(written[start:end], random)
    return None if at is None else {"text": answer["text"], "begun": written[: start + at]}


def cut(prose: str, random: np.random.Generator) -> int | None:
    """Where to cut: after a word, so that between a quarter and three quarters of them stay; None where it is one."""
    ends: Sequence[int] = [word.end() for word in _WORD.finditer(prose)]
    if len(ends) < 2:
        return None
    least, most = (max(1, min(len(ends) - 1, round(share * len(ends)))) for share in KEPT)
    return ends[int(random.integers(least, most + 1)) - 1]
