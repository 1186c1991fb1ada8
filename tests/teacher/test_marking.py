"""The labelling call of a task of spans: its request, its answer, and how sure the teacher was."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from agent.teacher.marking import answer_of, confidence, mark_request, marked, to_show
from agent.teacher.messages import Reply, TokenLogprob
from tasks.task import Entity, Example, Task

TASK = Task(
    "t", "ner", "English", "text", "Who?", {"person": "by name", "place": ""}, {}, (), (), (), (), (), spans=True
)
TEXT = "Ann left Oslo."


def reply(value: Any, fault: str | None = None) -> Reply:
    return Reply(json.dumps(value), None if fault else value, fault, None, 1, 1, False)


def test_the_request_shows_labels_and_asks_for_json() -> None:
    asked = mark_request(TASK, TEXT, logprobs=True)
    assert "person (by name), place." in asked.messages[0][1] and asked.messages[-1] == ("user", TEXT)
    assert (asked.role, asked.temperature, asked.top_logprobs) == ("labeller", 0.0, 1)
    assert mark_request(TASK, TEXT, logprobs=False).top_logprobs == 0


def shot(text: str, *names: tuple[str, str]) -> Example:
    entities = tuple(Entity(text.index(name), text.index(name) + len(name), label) for name, label in names)
    return Example(text, names[0][1] if names else "O", entities)


def test_seed_examples_are_answered_before_the_text_is_asked_about() -> None:
    example = shot("Zoë «Zed» Roy left Rome.", ("Zoë «Zed» Roy", "person"), ("Rome", "place"))
    system, *turns, last = mark_request(TASK, TEXT, False, [example]).messages
    assert system[0] == "system" and last == ("user", TEXT)
    assert turns == [("user", example.text), ("assistant", answer_of(example))]
    assert marked(TASK, example.text, reply(json.loads(turns[1][1]))).entities == example.entities


def test_the_shortest_examples_that_have_every_label_are_shown() -> None:
    long = shot("Ann was in Oslo for a very long time, and then some.", ("Ann", "person"), ("Oslo", "place"))
    person, place, other = shot("Bo ran.", ("Bo", "person")), shot("See Rome?", ("Rome", "place")), shot("Nobody came.")
    assert to_show([long, place, person], 6) == [person, place]
    assert to_show([place, other, person], 6) == [person, place]  # a small teacher would answer as the one without
    assert to_show([long, place, person], 1) == [person] and to_show([long, place], 0) == []
    assert to_show([long, shot("Cy, Di and Eve were all here.", ("Cy", "person"))], 6) == [long]


def test_entities_that_have_a_place_are_kept_and_the_others_told() -> None:
    both = [{"text": "Ann", "label": "person"}, {"text": "Rome", "label": "place"}]
    answer = marked(TASK, TEXT, reply({"entities": both}))
    assert answer.entities == (Entity(0, 3, "person"),) and answer.labels == ("person",)
    assert answer.mentions == 2 and [row["reason"] for row in answer.misplaced] == ["not_in_text"]
    assert answer.fault is None


def test_no_entity_is_an_answer_but_none_with_a_place_is_not() -> None:
    assert marked(TASK, TEXT, reply({"entities": []})).label == "O"
    lost = marked(TASK, TEXT, reply({"entities": [{"text": "Rome", "label": "place"}]}))
    assert (lost.label, lost.fault) == (None, "nothing_placed")


@pytest.mark.parametrize(("given", "fault"), [(None, "budget"), (reply({}, "not_json"), "not_json"),
                                              (reply({}, "truncated"), "truncated")])  # fmt: skip
def test_a_reply_that_is_none_has_no_answer(given: Reply | None, fault: str) -> None:
    assert (marked(TASK, TEXT, given).label, marked(TASK, TEXT, given).fault) == (None, fault)


def test_the_teacher_is_as_sure_as_of_the_values_it_wrote() -> None:
    parts = [
        ('{"entities": [{"text": "', 1.0),
        ("An", 0.5),
        ("n", 1.0),
        ('", "label": "', 1.0),
        ("person", 0.5),
        ('"}]}', 1.0),
    ]
    tokens = [TokenLogprob(part, math.log(p), ()) for part, p in parts]
    assert confidence(tokens) == pytest.approx((0.5 * 1.0 * 0.5) ** (1 / 3))
    none = [TokenLogprob('{"entities": ', 0.0, ()), TokenLogprob("[]}", math.log(0.25), ())]
    assert confidence(none) == pytest.approx(0.5)
