"""The tokens of a reply, from what an endpoint sends."""

from __future__ import annotations

from typing import Any

from agent.teacher.messages import Request
from agent.teacher.probe import Capabilities
from agent.teacher.wire import to_payload, to_reply
from tests.teacher.conftest import ask_label

CAN = Capabilities("json_schema", 5, True)


def response(*tokens: bytes, finish: str = "stop") -> dict[str, Any]:
    rows = [
        {
            "token": token.decode("utf-8", "replace"),
            "bytes": list(token),
            "logprob": -0.5,
            "top_logprobs": [{"token": "x", "bytes": None, "logprob": -1.0}],
        }
        for token in tokens
    ]
    message = {"role": "assistant", "content": b"".join(tokens).decode()}
    choice = {"message": message, "finish_reason": finish, "logprobs": {"content": rows}}
    return {"choices": [choice], "usage": {"prompt_tokens": 7, "completion_tokens": len(tokens)}}


def test_tokens_of_thoughts_are_left_out() -> None:
    said = [b"<think>", b"it is positive", b"</think>", b"\n\n", b"pos", b"itive"]
    reply = to_reply(response(*said), ask_label("x"), cached=False)
    assert reply.text == "positive" and reply.logprobs is not None
    assert [token.token for token in reply.logprobs] == ["pos", "itive"]
    assert reply.logprobs[0].top == (("x", -1.0),)
    assert (reply.prompt_tokens, reply.completion_tokens) == (7, 6)


def test_parts_of_a_character_can_be_joined() -> None:
    reply = to_reply(response(b"n", b"\xc3", b"\xa9", b"g"), ask_label("x"), cached=True)
    assert reply.logprobs is not None and reply.text == "nég" and reply.cached
    joined = "".join(token.token for token in reply.logprobs)
    assert joined.encode("utf-8", "surrogateescape").decode() == "nég"


def test_a_free_text_that_was_cut_is_there_and_says_so() -> None:
    reply = to_reply(response(b"a long", b" story", finish="length"), ask_label("x"), cached=False)
    assert (reply.text, reply.fault, reply.parsed) == ("a long story", "truncated", None)


def test_a_refusal_and_a_filter_in_the_middle() -> None:
    refused = response(b"I cannot")
    refused["choices"][0]["message"] = {"content": None, "refusal": "I cannot"}
    assert to_reply(refused, ask_label("x"), cached=False).fault == "refused"
    assert to_reply(response(b"half", finish="content_filter"), ask_label("x"), cached=False).fault == "refused"
    assert to_reply({"refused": "filter"}, ask_label("x"), cached=False).fault == "refused"


def test_a_payload_holds_what_the_endpoint_takes() -> None:
    request = Request("labeller", (("user", "x"),), 0, 8, top_logprobs=20, sample=3)
    assert to_payload(request, "m", CAN) == {
        "model": "m", "messages": [{"role": "user", "content": "x"}], "temperature": 0.0, "max_tokens": 8,
        "logprobs": True, "top_logprobs": 5, "seed": 3,
    }  # fmt: skip
    plain = to_payload(request, "m", Capabilities("text", 0, False), temperature=0.7)
    assert "logprobs" not in plain and "seed" not in plain and plain["temperature"] == 0.7
