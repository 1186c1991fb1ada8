"""Between a Request and the wire: the canonical payload, the body that is sent, the answer as a Reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.teacher.messages import Reply, Request, TokenLogprob
from agent.teacher.probe import Capabilities
from agent.teacher.structured import in_words, parse, response_format, without_thinking

GO_ON = {"continue_final_message": True, "add_generation_prompt": False}
"""As vLLM wants it; llama.cpp's server goes on from a last message of the assistant unasked."""


def begun(request: Request) -> bool:
    """Whether the reply is to go on from a beginning: the last message is the assistant's."""
    return bool(request.messages) and request.messages[-1][0] == "assistant"


def to_payload(request: Request, model: str, can: Capabilities, temperature: float | None = None) -> dict[str, Any]:
    """The canonical request, which the ledger hashes and keeps. `temperature` overrides the request's."""
    messages = [{"role": role, "content": content} for role, content in request.messages]
    payload: dict[str, Any] = {
        "model": model,
        "messages": messages,
        "temperature": float(request.temperature if temperature is None else temperature),
        "max_tokens": request.max_tokens,
    }
    if request.schema is not None:
        if (wanted := response_format(request.schema, can.tier)) is not None:
            payload["response_format"] = wanted
        if can.tier != "json_schema":
            _instruct(messages, in_words(request.schema))
    if (top := min(request.top_logprobs, can.top_logprobs)) > 0:
        payload |= {"logprobs": True, "top_logprobs": top}
    if can.seed:
        payload["seed"] = request.sample
    return payload | (GO_ON if begun(request) else {})


def to_body(payload: Mapping[str, Any], can: Capabilities) -> dict[str, Any]:
    """What is sent: the payload in the parameters this endpoint takes."""
    body = dict(payload)
    body[can.max_tokens_field] = body.pop("max_tokens")
    if not can.temperature:
        del body["temperature"]
    return body


def to_reply(response: Mapping[str, Any], request: Request, cached: bool) -> Reply:
    """An endpoint's answer, or what the ledger kept of it, as a Reply."""
    prompt_tokens, completion_tokens = tokens_used(response)
    if "refused" in response:
        return Reply("", None, "refused", None, prompt_tokens, completion_tokens, cached)
    choice = response["choices"][0]
    message = choice.get("message") or {}
    whole = message.get("content") or ""
    text = without_thinking(whole)
    if begun(request):  # llama.cpp says the beginning again, vLLM does not
        whole = text = whole.rstrip().removeprefix(request.messages[-1][1])
    cut = choice.get("finish_reason") == "length"
    parsed: Any | None = None
    fault: str | None = "truncated" if cut else None
    if message.get("refusal") or choice.get("finish_reason") == "content_filter":
        fault = "refused"
    elif not text:
        fault = "truncated" if cut else "empty"
    elif request.schema is not None:
        parsed, fault = parse(text, request.schema, cut)
    logprobs = _logprobs(choice, whole, text)
    return Reply(text, parsed, fault, logprobs, prompt_tokens, completion_tokens, cached)


def tokens_used(response: Mapping[str, Any]) -> tuple[int, int]:
    """(prompt, completion) tokens as the endpoint counted them; 0 where it does not say."""
    used = response.get("usage") or {}
    return int(used.get("prompt_tokens") or 0), int(used.get("completion_tokens") or 0)


def _instruct(messages: list[dict[str, str]], words: str) -> None:
    """Adds `words` to the system message, which is made where there is none."""
    if messages and messages[0]["role"] == "system":
        messages[0]["content"] += "\n\n" + words
    else:
        messages.insert(0, {"role": "system", "content": words})


def _logprobs(choice: Mapping[str, Any], whole: str, text: str) -> tuple[TokenLogprob, ...] | None:
    """The tokens of `text`; those of thoughts before it are left out."""
    rows = (choice.get("logprobs") or {}).get("content")
    if not rows:
        return None
    tokens = tuple(
        TokenLogprob(
            _spelling(row),
            float(row["logprob"]),
            tuple((_spelling(other), float(other["logprob"])) for other in row.get("top_logprobs") or ()),
        )
        for row in rows
    )
    thoughts = whole.rfind(text) if text else 0  # characters before the text
    at = 0
    for number, token in enumerate(tokens):
        if at + len(token.token) > thoughts:
            return tokens[number:]
        at += len(token.token)
    return tokens


def _spelling(row: Mapping[str, Any]) -> str:
    """A token's text, from its bytes, so that parts of a character can be joined."""
    if row.get("bytes"):
        return bytes(row["bytes"]).decode("utf-8", "surrogateescape")
    return str(row["token"])
