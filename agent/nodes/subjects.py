"""subjects: the teacher names what texts of each label are about, once, where the task's author did not.

Shown one example and asked for others of its label, a small teacher writes about that example's subject again and
again. A list of subjects that the teacher made itself is what its texts vary in (AttrPrompt, arXiv 2306.15895).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from langgraph.runtime import Runtime

from agent.rundir import write_json
from agent.state import Context, State, TeacherLane
from agent.teacher.messages import Reply, Request
from prompts.render import render
from tasks.task import Task

COUNT = 16
"""Subjects asked for a label; a small teacher that goes on repeats itself."""
WORDS = 8
"""Of one subject, at most; what is longer is a text."""
SCHEMA = {
    "type": "object",
    "properties": {"subjects": {"type": "array", "items": {"type": "string"}}},
    "required": ["subjects"],
    "additionalProperties": False,
}


def subjects(state: State, runtime: Runtime[Context]) -> TeacherLane:
    """Writes subjects.json, label → subjects, in the first iteration. A label without any is written of as before."""
    context, iteration = runtime.context, state["iteration"]
    if iteration > 0:
        return {}
    task = context.task
    replies = context.teacher.ask([request(task, label) for label in task.labels], "subjects", iteration)
    write_json(context.run.subjects, {
        label: named(reply, list(task.labels)) for label, reply in zip(task.labels, replies, strict=True)
    })  # fmt: skip
    return {"budget_ended": context.teacher.budget_ended}


def request(task: Task, label: str) -> Request:
    """The request for one label's subjects."""
    return Request(
        role="generator",
        messages=render("subjects", task=task, label=label, count=COUNT),
        temperature=1.0,
        max_tokens=30 + 10 * COUNT,
        schema=SCHEMA,
    )


def named(reply: Reply | None, labels: Sequence[str]) -> list[str]:
    """The subjects of a reply, each once; what is the name of a label, or too long for a subject, is none. Of a list
    that was written as one text each part counts."""
    if reply is None or not isinstance(reply.parsed, dict):
        return []
    parts = [part for one in reply.parsed["subjects"] for part in re.split(r"[,;\n]", str(one))]
    known = {label.casefold() for label in labels}
    found: dict[str, str] = {}
    for part in parts:
        words = part.strip(" .").split()
        subject = " ".join(words)
        if words and len(words) <= WORDS and subject.casefold() not in known:
            found.setdefault(subject.casefold(), subject)
    return list(found.values())[:COUNT]
