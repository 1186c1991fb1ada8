"""What an endpoint can do, found with a few tiny calls before anything is paid for."""

from __future__ import annotations

import difflib
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from agent.teacher.endpoint import Endpoint
from agent.teacher.structured import Tier, in_words, parse, response_format, without_thinking
from tasks.faults import Fault, UserError, quoted

_QUESTION = "What is the capital of France? Answer in one word."
_SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
_ROOM = 512  # max_tokens of a probe: a reasoning model thinks before it answers
_TOPS = (20, 5, 1)


@dataclass(frozen=True)
class Capabilities:
    """What an endpoint takes and gives."""

    tier: Tier
    """How a JSON schema is asked for."""
    top_logprobs: int
    """Alternatives per token that it gives; 0 = no logprobs."""
    seed: bool
    temperature: bool = True
    """False where only the model's own temperature is allowed."""
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    models_listed: bool = False
    """Was the model's name found in the endpoint's list?"""
    latency_seconds: float = 0.0
    """Of one tiny call."""
    slots: int | None = None
    """Calls it works on at once, where that is known."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Capabilities:
        return cls(**data)


async def check_model(endpoint: Endpoint) -> bool:
    """Is the model in the endpoint's list? Raises UserError when the list lacks it; False without a list."""
    listed = await endpoint.models()
    if not listed:
        return False
    model = endpoint.address.model
    if any(name == model or name.endswith(f"/{model}") or name == f"{model}:latest" for name in listed):
        return True
    near = difflib.get_close_matches(model, listed, n=3, cutoff=0.4)
    some = ", ".join(near or listed[:5])
    remedy = f"Did you mean {near[0]!r}? --set teacher.model={near[0]}" if near else "Choose one of them."
    where, expected = "teacher.model", f"a model of {endpoint.address.base_url} ({some})"
    raise UserError(Fault(where, expected, quoted(model), remedy))


async def probe(endpoint: Endpoint, slots: int | None = None) -> Capabilities:
    """What the endpoint can do: one call where it takes everything, else one for each parameter."""
    listed = await check_model(endpoint)
    started = time.monotonic()
    can = Capabilities("json_schema", _TOPS[0], True, models_listed=listed, slots=slots)
    everything = _body(can, _QUESTION) | {
        "response_format": response_format(_SCHEMA, "json_schema"),
        **_logprobs(_TOPS[0]),
        "seed": 0,
        "temperature": 0.0,
    }
    answer = await _try(endpoint, everything)
    seconds = time.monotonic() - started
    if answer is not None and _follows(answer) and _tops(answer):
        return replace(can, top_logprobs=_tops(answer), latency_seconds=round(seconds, 3))
    started = time.monotonic()
    if await _try(endpoint, _body(can, _QUESTION)) is None:
        can = replace(can, max_tokens_field="max_completion_tokens")
        await endpoint.call(_body(can, _QUESTION), _ROOM)  # an error now is the user's to see
    can = replace(can, latency_seconds=round(time.monotonic() - started, 3))
    can = replace(can, temperature=await _try(endpoint, _body(can, _QUESTION) | {"temperature": 0.0}) is not None)
    can = replace(can, seed=await _try(endpoint, _body(can, _QUESTION) | {"seed": 0}) is not None)
    return replace(can, tier=await _tier(endpoint, can), top_logprobs=await _most_logprobs(endpoint, can))


async def _tier(endpoint: Endpoint, can: Capabilities) -> Tier:
    strict = _body(can, _QUESTION) | {"response_format": response_format(_SCHEMA, "json_schema")}
    if (answer := await _try(endpoint, strict)) is not None and _follows(answer):
        return "json_schema"
    in_json = _body(can, f"{_QUESTION}\n{in_words(_SCHEMA)}") | {"response_format": {"type": "json_object"}}
    if (answer := await _try(endpoint, in_json)) is not None and _follows(answer):
        return "json_object"
    return "text"


async def _most_logprobs(endpoint: Endpoint, can: Capabilities) -> int:
    for top in _TOPS:
        if (answer := await _try(endpoint, _body(can, _QUESTION) | _logprobs(top))) is not None:
            return _tops(answer)
    return 0


async def _try(endpoint: Endpoint, body: dict[str, Any]) -> dict[str, Any] | None:
    """The answer, or None where the endpoint does not take this body."""
    return await endpoint.call_or_none(body, _ROOM)


def _body(can: Capabilities, question: str) -> dict[str, Any]:
    return {
        "messages": [{"role": "user", "content": question}],
        can.max_tokens_field: _ROOM,
    }


def _logprobs(top: int) -> dict[str, Any]:
    return {"logprobs": True, "top_logprobs": top}


def _follows(answer: Mapping[str, Any]) -> bool:
    """Does the reply fit the schema?"""
    if "refused" in answer:
        return False
    text = (answer["choices"][0].get("message") or {}).get("content") or ""
    return parse(without_thinking(text), _SCHEMA, cut=False)[1] is None


def _tops(answer: Mapping[str, Any]) -> int:
    """Alternatives per token in an answer."""
    if "refused" in answer:
        return 0
    rows = (answer["choices"][0].get("logprobs") or {}).get("content") or []
    return max((len(row.get("top_logprobs") or []) for row in rows), default=0)
