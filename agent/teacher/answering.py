"""Texts to written answers: the separate labelling request of a task whose answers are reasoning and a choice, or free.

One question a call. The teacher's confidence is its probability of the letter that follows its own reasoning; of a free
answer the geometric mean probability of its tokens.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from agent.das.token_spans import TokenSpan, geometric_mean, spelled
from agent.teacher.messages import Reply, Request, TokenLogprob
from agent.teacher.teacher_label import TeacherLabel
from prompts.render import render
from tasks.task import Task, written_kind
from tasks.written import CLOSE, OPEN


def answer_request(
    task: Task, text: str, logprobs: bool, sample: int = 0, temperature: float = 0.0, begun: str = ""
) -> Request:
    """The request that asks for the answer to one question; `sample`: another draw of it; `begun`: what it begins with,
    which the teacher goes on from."""
    kind = written_kind(task.kind)
    turn = kind.turn(text, list(task.labels))
    return Request(
        role="labeller",
        messages=render("answer", task=task, turn=turn, begun=begun),
        temperature=temperature,
        max_tokens=kind.TOKENS,
        top_logprobs=int(logprobs),
        sample=sample,
    )


def answered(task: Task, reply: Reply | None, begun: str = "") -> TeacherLabel:
    """What a reply says, after what it was `begun` with; a reasoning that is not worth learning makes it none, and its
    fault says why. Of what was begun the teacher's `tokens` know nothing."""
    if reply is None:
        return TeacherLabel(None, None, None, "budget")
    said = begun + reply.text
    if reply.fault is not None:
        return TeacherLabel(None, None, None, reply.fault, said)
    found = written_kind(task.kind).read_reply(said, list(task.labels))
    if found.answer is None:
        return TeacherLabel(None, None, None, found.fault, said)
    tokens, sure = None, None
    if reply.logprobs:
        given = [(one.token.encode("utf-8", "surrogateescape"), one.logprob) for one in reply.logprobs]
        tokens = spelled(reply.text, given)
        sure = geometric_mean(tokens) if task.free else probability(reply.logprobs, found.answer)
        tokens = tokens and tuple(later(one, len(begun)) for one in tokens)
    return TeacherLabel(
        found.answer, sure, None, None, said, reasoning=found.reasoning, output=found.output, tokens=tokens, begun=begun
    )


def later(token: TokenSpan, by: int) -> TokenSpan:
    """The token `by` characters further on."""
    return replace(token, start=token.start + by, end=token.end + by)


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
