"""Texts to labels: the separate labelling request, with the teacher's label distribution where it has one.

One text a call with a shared prefix by default; several a call where config says so. With logprobs the
distribution is read from the tokens of one greedy answer; without, k answers are drawn and their agreement counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from agent.config import TeacherConfig
from agent.shortlist import narrowed
from agent.teacher.answering import answer_request, answered
from agent.teacher.labels import agreement, label_distribution, parse_label
from agent.teacher.marking import mark_request, marked
from agent.teacher.messages import Reply, Request
from agent.teacher.teacher import Teacher
from agent.teacher.teacher_label import TeacherLabel as TeacherLabel
from prompts.render import render
from tasks.task import Example, Task

TOP_LOGPROBS = 20
AGREEMENT_TEMPERATURE = 0.7


def label_texts(
    teacher: Teacher, config: TeacherConfig, task: Task, texts: Sequence[str], node: str, iteration: int,
    choices: Sequence[Sequence[str] | None] | None = None, temperature: float = 0.0, begun: Sequence[str] | None = None,
    examples: Sequence[Example] = (),
) -> list[TeacherLabel]:  # fmt: skip
    """The teacher's label of each text, in order. Texts the budget left out have fault "budget".

    `temperature`: of answers that are written out; a text that comes again is answered anew (another draw).
    `begun`: what each of them begins with, "" = nothing. `examples`: whose entities the teacher is shown.

    `choices`: the labels it may choose among for each text, None = all. What it says of a part of the labels tells
    nothing of its liking for them, so `raw` is None there. For one text a call.
    """
    logprobs = teacher.can("labeller").top_logprobs > 0
    if task.spans:
        asked_for = [mark_request(task, shown(text, config.longest_text), logprobs, examples) for text in texts]
        replied = teacher.ask(asked_for, node, iteration)
        return [marked(task, text, reply) for text, reply in zip(texts, replied, strict=True)]
    if task.written:
        begun = begun or [""] * len(texts)
        requests = [
            answer_request(task, text, logprobs, draw, temperature, start)
            for (text, draw), start in zip(drawn(texts), begun, strict=True)
        ]
        replies = teacher.ask(requests, node, iteration)
        return [answered(task, reply, start) for reply, start in zip(replies, begun, strict=True)]
    texts = ["\n".join(shown(part, config.longest_text) for part in task.parts(text)) for text in texts]
    if config.texts_per_label_call > 1:
        return _many(teacher, task, texts, config.texts_per_label_call, node, iteration)
    draws = 1 if logprobs else config.agreement_samples
    asked = [task if choice is None else narrowed(task, choice) for choice in choices or [None] * len(texts)]
    pairs = zip(asked, texts, strict=True)
    requests = [label_request(one, text, logprobs, sample) for one, text in pairs for sample in range(draws)]
    replies = teacher.ask(requests, node, iteration)
    groups = [replies[i : i + draws] for i in range(0, len(replies), draws)]
    if not logprobs:
        return [_from_agreement(group, list(one.labels)) for group, one in zip(groups, asked, strict=True)]
    answers = [_from_logprobs(group[0], list(one.labels)) for group, one in zip(groups, asked, strict=True)]
    return [a if one is task else replace(a, raw=None) for a, one in zip(answers, asked, strict=True)]


def drawn(texts: Sequence[str]) -> list[tuple[str, int]]:
    """Each text with how often it came before."""
    before: Counter[str] = Counter()
    result = []
    for text in texts:
        result.append((text, before[text]))
        before[text] += 1
    return result


def shown(text: str, longest: int) -> str:
    """`text`, or its first `longest` characters up to a space, with a mark that it goes on."""
    if len(text) <= longest:
        return text
    cut = text[:longest]
    return (cut.rsplit(maxsplit=1)[0] if len(cut.split()) > 1 else cut) + " …"


def label_request(task: Task, text: str, logprobs: bool, sample: int = 0, examples: Sequence[Example] = ()) -> Request:
    """The request that asks for the label of one text; of a task of spans for its entities, as in `examples`; of one
    whose answers are written out for the reasoning too."""
    if task.spans:
        return mark_request(task, text, logprobs, examples)
    if task.written:
        return answer_request(task, text, logprobs)
    longest = max(len(label.encode()) for label in task.labels)
    return Request(
        role="labeller",
        messages=render("label", task=task, text=text),
        temperature=0.0 if logprobs or sample == 0 else AGREEMENT_TEMPERATURE,
        max_tokens=8 + longest // 2,
        top_logprobs=TOP_LOGPROBS if logprobs else 0,
        sample=sample,
    )


def _from_logprobs(reply: Reply | None, labels: Sequence[str]) -> TeacherLabel:
    if reply is None:
        return TeacherLabel(None, None, None, "budget")
    label = parse_label(reply.text, labels)
    if label is None:
        return TeacherLabel(None, None, None, reply.fault or "not_a_label", reply.text)
    if not reply.logprobs:
        return TeacherLabel(label, None, None, None, reply.text)
    distribution, coverage = label_distribution(reply.logprobs, labels)
    if coverage == 0:
        return TeacherLabel(label, None, None, None, reply.text)
    return TeacherLabel(label, distribution[label], distribution, None, reply.text, raw=distribution)


def _from_agreement(replies: Sequence[Reply | None], labels: Sequence[str]) -> TeacherLabel:
    came = [reply for reply in replies if reply is not None]
    if len(came) < len(replies):
        return TeacherLabel(None, None, None, "budget")
    parsed = [parse_label(reply.text, labels) for reply in came]
    said = " | ".join(reply.text for reply in came)
    if not any(parsed):
        return TeacherLabel(None, None, None, came[0].fault or "not_a_label", said)
    distribution = agreement(parsed, labels)
    label = max(labels, key=lambda name: distribution[name])
    if len(came) == 1:
        return TeacherLabel(label, None, None, None, said)
    return TeacherLabel(label, distribution[label], distribution, None, said)


def _many(
    teacher: Teacher, task: Task, texts: Sequence[str], per_call: int, node: str, iteration: int
) -> list[TeacherLabel]:
    labels = list(task.labels)
    chunks = [texts[i : i + per_call] for i in range(0, len(texts), per_call)]
    schema = {
        "type": "object",
        "properties": {"labels": {"type": "array", "items": {"type": "string", "enum": labels}}},
        "required": ["labels"],
        "additionalProperties": False,
    }
    requests = [
        Request(
            role="labeller",
            messages=render("label_many", task=task, texts=chunk),
            temperature=0.0,
            max_tokens=32 + 16 * len(chunk),
            schema=schema,
        )
        for chunk in chunks
    ]
    replies = teacher.ask(requests, node, iteration)
    return [
        answer
        for chunk, reply in zip(chunks, replies, strict=True)
        for answer in _chunk_labels(reply, len(chunk), labels)
    ]


def _chunk_labels(reply: Reply | None, size: int, labels: Sequence[str]) -> list[TeacherLabel]:
    """The labels of one call; a list of another length than the texts cannot be matched and is dropped whole."""
    if reply is None:
        return [TeacherLabel(None, None, None, "budget")] * size
    if reply.fault is not None:
        return [TeacherLabel(None, None, None, reply.fault, reply.text)] * size
    said: list[Any] = reply.parsed["labels"] if isinstance(reply.parsed, dict) else []
    if len(said) != size:
        return [TeacherLabel(None, None, None, "wrong_count", reply.text)] * size
    parsed = [parse_label(str(item), labels) for item in said]
    return [
        TeacherLabel(label, None, None, None if label else "not_a_label", str(item))
        for label, item in zip(parsed, said, strict=True)
    ]
