"""What is asked of a teacher, and what it replies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Role = Literal["analyst", "generator", "labeller"]


@dataclass(frozen=True)
class Request:
    """One call of the teacher."""

    role: Role
    messages: tuple[tuple[str, str], ...]
    """(("system", text), ("user", text), ("assistant", text), ...). Where the assistant's is the last one, the reply
    goes on from it."""
    temperature: float
    max_tokens: int
    """Of the completion."""
    schema: Mapping[str, Any] | None = None
    """JSON schema of the reply; None = free text."""
    top_logprobs: int = 0
    """Alternatives per token wanted (0 = none); fewer, or none, where the endpoint has fewer."""
    sample: int = 0
    """The same request, another draw; also the `seed` sent to endpoints that take one."""


@dataclass(frozen=True)
class TokenLogprob:
    """One generated token; log-probabilities are natural logarithms."""

    token: str
    logprob: float
    top: tuple[tuple[str, float], ...]
    """(token, logprob) of the likeliest alternatives, the generated token among them."""


@dataclass(frozen=True)
class Reply:
    """One answer of the teacher."""

    text: str
    """<think>…</think> of reasoning models removed, stripped; of one that goes on, stripped at its end alone."""
    parsed: Any | None
    """The JSON value, when the request had a schema and the value fits it. With fault "truncated": what was
    complete when the reply was cut (the last, possibly cut, item is left out)."""
    fault: str | None
    """None, or one word: "empty" | "truncated" (max_tokens reached; `text` holds what came) | "not_json" |
    "not_schema" | "refused"."""
    logprobs: tuple[TokenLogprob, ...] | None
    """The tokens of `text`; None where none were asked or the endpoint gives none."""
    prompt_tokens: int
    completion_tokens: int
    cached: bool
    """Answered by the ledger, nothing was sent."""
