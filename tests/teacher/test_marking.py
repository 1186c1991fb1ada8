"""The labelling call of a task of spans: its request, its answer, and how sure the teacher was."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from agent.teacher.marking import confidence, mark_request, marked
from agent.teacher.messages import Reply, TokenLogprob
from tasks.task import Entity, Task

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
