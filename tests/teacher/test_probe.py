"""What an endpoint can do is found once, and used."""

from __future__ import annotations

from typing import Any

import pytest

from agent.teacher.probe import Capabilities
from tests.fakes.fake_teacher import FakeTeacher, last_message
from tests.teacher.conftest import SCHEMA, Open, ask_label, ask_texts

TEXTS = '{"texts": ["a", "b"]}'


@pytest.mark.parametrize(
    ("persona", "tier"),
    [
        ({}, "json_schema"),
        ({"tiers": ("json_object",)}, "json_object"),
        ({"tiers": ("json_object",), "ignored_tiers": ("json_schema",)}, "json_object"),
        ({"tiers": ()}, "text"),
    ],
)
def test_tiers(open_on: Open, persona: dict[str, Any], tier: str) -> None:
    with FakeTeacher(lambda body: TEXTS, **persona) as fake:
        teacher = open_on(fake)
        assert teacher.can("generator").tier == tier
        (reply,) = teacher.ask([ask_texts("write")], "generate", 1)
        (body,) = fake.asked
    assert reply is not None and reply.parsed == {"texts": ["a", "b"]}
    sent = body.get("response_format", {"type": "text"})
    assert sent["type"] == tier
    told = [message["content"] for message in body["messages"] if message["role"] == "system"]
    assert bool(told) == (tier != "json_schema")
    if tier == "json_schema":
        assert sent["json_schema"]["schema"] == {**SCHEMA, "additionalProperties": False}


def test_one_call_where_everything_is_taken(open_on: Open) -> None:
    with FakeTeacher(labels=("a", "b")) as fake:
        can = open_on(fake).can("labeller")
        assert len(fake.bodies) == 1
    assert can == Capabilities("json_schema", 3, True, models_listed=True, latency_seconds=can.latency_seconds)


@pytest.mark.parametrize("logprobs", [False, "ignored"])
def test_no_logprobs(open_on: Open, logprobs: bool | str) -> None:
    with FakeTeacher(logprobs=logprobs) as fake:
        teacher = open_on(fake)
        assert teacher.can("labeller").top_logprobs == 0
        assert teacher.can("labeller").tier == "json_schema"
        (reply,) = teacher.ask([ask_label("x", top_logprobs=5)], "label", 1)
        assert "logprobs" not in fake.asked[0]
    assert reply is not None and reply.logprobs is None


def test_logprobs(open_on: Open) -> None:
    with FakeTeacher(lambda body: "a", labels=("a", "b"), confidence=0.8) as fake:
        (reply,) = open_on(fake).ask([ask_label("x", top_logprobs=5)], "label", 1)
    assert reply is not None and reply.logprobs is not None
    assert [token.token for token in reply.logprobs] == ["a"]
    assert [text for text, _ in reply.logprobs[0].top] == ["a", "b"]


def test_a_reasoning_model(open_on: Open) -> None:
    with FakeTeacher(lambda body: "positive", reasoning=True, logprobs=False, seed=False) as fake:
        teacher = open_on(fake)
        can = teacher.can("labeller")
        (reply,) = teacher.ask([ask_label("x")], "label", 1)
        (body,) = fake.asked
    assert (can.max_tokens_field, can.temperature, can.seed) == ("max_completion_tokens", False, False)
    assert body["max_completion_tokens"] == 8 and not {"max_tokens", "temperature", "seed"} & set(body)
    assert reply is not None and reply.text == "positive"


def test_the_probe_is_kept_and_counts_for_no_run(open_on: Open) -> None:
    with FakeTeacher() as fake:
        first = open_on(fake, "one")
        calls = len(fake.bodies)
        second = open_on(fake, "two")
        assert len(fake.bodies) == calls
    assert first.can("analyst") == second.can("analyst")
    assert first.usage().calls == 0
    assert all("capital" in last_message(body) for body in fake.bodies)
