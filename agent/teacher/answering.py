"""Texts to written answers: the separate labelling request of a task whose answers are reasoning and a choice.

One question a call. The teacher's confidence is its probability of the letter that follows its own reasoning.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from agent.teacher.messages import Reply, Request, TokenLogprob
from agent.teacher.teacher_label import TeacherLabel
from prompts.render import render
from tasks.task import Task, written_kind
from tasks.written import CLOSE, OPEN, read_answer

TOKENS = 200
"""Of a reply, at most: two sentences take some sixty."""


def answer_request(task: Task, text: str, logprobs: bool) -> Request:
    """The request that asks for the answer to one question."""
    turn = written_kind(task.kind).turn(text, list(task.labels))
    return Request(
        role="labeller",
        messages=render("answer", task=task, turn=turn),
        temperature=0.0,
        max_tokens=TOKENS,
        top_logprobs=int(logprobs),
    )


def answered(task: Task, reply: Reply | None) -> TeacherLabel:
    """What a reply says; a reasoning that is not worth learning makes it none, and its fault says why."""
    if reply is None:
        return TeacherLabel(None, None, None, "budget")
    if reply.fault is not None:
        return TeacherLabel(None, None, None, reply.fault, reply.text)
    found = read_answer(reply.text, list(task.labels))
    if found.answer is None:
        return TeacherLabel(None, None, None, found.fault, reply.text)
    sure = None if reply.logprobs is None else probability(reply.logprobs, found.answer)
    return TeacherLabel(found.answer, sure, None, None, reply.text, reasoning=found.reasoning)


def probability(tokens: Sequence[TokenLogprob], answer: str) -> float | None:
    """That of the token in which the answer begins; None where no token begins with it but for the tag before, or where
    one holds more than the answer and the tag after."""
    said = "".join(token.token for token in tokens)
    opened = said.rfind(OPEN) + len(OPEN)
    place = opened + len(said[opened:]) - len(said[opened:].lstrip())  # of the answer's first character
    start = 0
    for token in tokens:
        end = start + len(token.token)
        if start <= place < end:
            before, rest = token.token[: place - start].strip(), token.token[place - start :].strip()
            begins = OPEN.endswith(before) and before != OPEN and (answer + CLOSE).startswith(rest)
            return math.exp(min(token.logprob, 0.0)) if begins and len(rest) <= len(answer) + 2 else None
        start = end
    return None
