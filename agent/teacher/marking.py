"""Texts to entities: the separate labelling request of a task of spans. One text a call, one answer.

The teacher's confidence is the geometric mean of the probabilities of the tokens with which it wrote what the entities
are and how they are labelled (of all tokens where it named none), as DAS takes it over a sentence (arXiv 2512.20908):
the brackets and names of fields between them are sure whatever the text.

Seed examples are shown as turns of the conversation: what is an entity at all is a convention, which no question tells
as well (docs/what-we-learned.md).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from agent.teacher.mentions import Mention, place
from agent.teacher.messages import Reply, Request, TokenLogprob
from agent.teacher.teacher_label import TeacherLabel
from prompts.render import render
from tasks.spans import standing_for
from tasks.task import Example, Task

TOKENS, CHARACTERS_A_TOKEN = 80, 2
"""Of a reply, at most: some, and one more for each so many characters of the text."""
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "entities": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {name: {"type": "string"} for name in ("text", "label")},
                "required": ["text", "label"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["entities"],
    "additionalProperties": False,
}
"""Without the labels: one that the task has not is then counted, and costs its own entity alone."""
_VALUE = re.compile(r'"(?:text|label)"\s*:\s*"((?:[^"\\]|\\.)*)')


def mark_request(task: Task, text: str, logprobs: bool, examples: Sequence[Example] = ()) -> Request:
    """The request that asks for the entities in one text, after the same was answered for each of `examples`."""
    system, *asked = render("mark", task=task, text=text)
    turns = [turn for one in examples for turn in (("user", one.text.strip()), ("assistant", answer_of(one)))]
    return Request(
        role="labeller",
        messages=(system, *turns, *asked),
        temperature=0.0,
        max_tokens=TOKENS + len(text) // CHARACTERS_A_TOKEN,
        schema=SCHEMA,
        top_logprobs=int(logprobs),
    )


def answer_of(example: Example) -> str:
    """The reply that would name an example's entities."""
    named = [{"text": example.text[one.start : one.end], "label": one.label} for one in example.entities or ()]
    return json.dumps({"entities": named}, ensure_ascii=False)


def to_show(shots: Sequence[Example], most: int) -> list[Example]:
    """Of the seed examples those to show: in turn the one whose text costs fewest characters for each label that none
    before it has, until every label is seen or there are `most`.

    One without an entity is never shown: where it came last, a small teacher answered 29 of 30 texts as it, with none.
    """
    shots = [shot for shot in shots if shot.entities]
    chosen: list[Example] = []
    seen: set[str] = set()
    while len(chosen) < most:
        new = {place: len(set(shot.labels) - seen) for place, shot in enumerate(shots)}
        best = min(
            (place for place in new if new[place]), key=lambda place: len(shots[place].text) / new[place], default=None
        )
        if best is None:
            break
        chosen.append(shots[best])
        seen |= set(shots[best].labels)
    return chosen


def marked(task: Task, text: str, reply: Reply | None) -> TeacherLabel:
    """What a reply says of `text`. A text of whose entities none has a place is not one without entities: nobody knows
    what it holds, so it has no answer."""
    if reply is None:
        return TeacherLabel(None, None, None, "budget")
    if reply.fault is not None or not isinstance(reply.parsed, dict):
        return TeacherLabel(None, None, None, reply.fault or "not_schema", reply.text)
    mentions: list[Mention] = [(str(one["text"]), str(one["label"])) for one in reply.parsed["entities"]]
    placed = place(text, mentions, list(task.labels))
    lost = bool(mentions) and not placed.entities
    return TeacherLabel(
        label=None if lost else standing_for(placed.entities),
        confidence=confidence(reply.logprobs) if reply.logprobs else None,
        distribution=None,
        fault="nothing_placed" if lost else None,
        said=reply.text,
        entities=placed.entities,
        mentions=len(mentions),
        misplaced=placed.misplaced,
    )


def confidence(tokens: Sequence[TokenLogprob]) -> float:
    """exp of the mean log-probability of the tokens in the values of a reply, of all where it has no value."""
    spans = [match.span(1) for match in _VALUE.finditer("".join(token.token for token in tokens))]
    inside, start = [], 0
    for token in tokens:
        end = start + len(token.token)
        if any(start < last and first < end for first, last in spans):
            inside.append(min(token.logprob, 0.0))
        start = end
    each = inside or [min(token.logprob, 0.0) for token in tokens]
    return math.exp(sum(each) / len(each))
