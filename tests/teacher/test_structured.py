"""From the reply's text to a value, or to the word that says why not."""

from __future__ import annotations

from typing import Any

import pytest

from agent.teacher.structured import parse, response_format, without_thinking
from tests.fakes.fake_teacher import FakeTeacher
from tests.teacher.conftest import SCHEMA, Open, ask_texts

LIST = {"type": "array", "items": {"type": "string"}}
ROWS = {
    "type": "object",
    "properties": {
        "rows": {
            "type": "array",
            "items": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
        },
        "note": {"type": "string"},
    },
    "required": ["rows"],
}


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("<think>a < b</think>\n yes ", "yes"),
        ("<thinking>x</thinking>yes", "yes"),
        ("the tag was opened in the prompt</think>yes", "yes"),
        ("<think>never closed", ""),
        ("yes, <think> is a tag", "yes, <think> is a tag"),
        ("", ""),
    ],
)
def test_thoughts_are_removed(said: str, text: str) -> None:
    assert without_thinking(said) == text


@pytest.mark.parametrize(
    "said",
    [
        '{"texts": ["a", "b"]}',
        '```json\n{"texts": ["a", "b"]}\n```',
        '```\n{"texts": ["a", "b"]}\n``` I hope this helps.',
        'Here it is: {"texts": ["a", "b"]}',
        "{'texts': ['a', 'b',]}",
        '{"texts": ["a", "b"]',
    ],
)
def test_json_is_found_and_mended(said: str) -> None:
    assert parse(said, SCHEMA, cut=False) == ({"texts": ["a", "b"]}, None)


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("I cannot do that.", "not_json"),
        ("[", "not_json"),
        ('{"words": ["a"]}', "not_schema"),
        ('{"texts": "a"}', "not_schema"),
        ('{"texts": [1]}', "not_schema"),
        ("null", "not_schema"),
    ],
)
def test_faults(said: str, fault: str) -> None:
    assert parse(said, SCHEMA, cut=False) == (None, fault)


@pytest.mark.parametrize(
    ("said", "schema", "value"),
    [
        ('{"texts": ["one", "two", "thr', SCHEMA, {"texts": ["one", "two"]}),
        ('{"texts": ["one", "two",', SCHEMA, {"texts": ["one"]}),  # the last item may be cut
        ('{"texts": ["o', SCHEMA, {"texts": []}),
        ('["one", "tw', LIST, ["one"]),
        ('{"rows": [{"text": "a"}, {"text": "b', ROWS, {"rows": [{"text": "a"}]}),
        ('{"rows": [{"text": "a"}], "note": "he', ROWS, {"rows": [{"text": "a"}]}),
        ('{"te', SCHEMA, None),
        ("Sure, here", SCHEMA, None),
    ],
)
def test_a_cut_reply_keeps_what_is_complete(said: str, schema: dict[str, Any], value: Any) -> None:
    assert parse(said, schema, cut=True) == (value, "truncated")


def test_a_reply_that_is_complete_although_the_limit_was_reached() -> None:
    assert parse('{"texts": ["a"]}', SCHEMA, cut=True) == ({"texts": ["a"]}, None)


def test_strict_mode_closes_every_object() -> None:
    sent = response_format(ROWS, "json_schema")
    assert sent is not None
    schema = sent["json_schema"]["schema"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["rows"]["items"]["additionalProperties"] is False
    assert schema["required"] == ["rows", "note"] and ROWS["required"] == ["rows"]


@pytest.mark.parametrize(
    ("answer", "fault", "parsed"),
    [
        ('{"texts": ["a"]}', None, {"texts": ["a"]}),
        ("   ", "empty", None),
        ("no", "not_json", None),
        ("{}", "not_schema", None),
    ],
)
def test_replies(open_on: Open, answer: str, fault: str | None, parsed: Any) -> None:
    with FakeTeacher(lambda body: answer) as fake:
        (reply,) = open_on(fake).ask([ask_texts("write")], "generate", 1)
    assert reply is not None
    assert (reply.fault, reply.parsed, reply.text) == (fault, parsed, answer.strip())


def test_a_cut_reply_of_an_endpoint(open_on: Open) -> None:
    with FakeTeacher(lambda body: '{"texts": ["' + '", "'.join("abcdefgh") + '"]}') as fake:
        teacher = open_on(fake)
        fake.malformed = 1
        (reply,) = teacher.ask([ask_texts("write")], "generate", 1)
    assert reply is not None and reply.fault == "truncated"
    assert reply.parsed == {"texts": ["a", "b"]} and reply.text.startswith('{"texts": ["a", "b", "c')
