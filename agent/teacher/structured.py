"""From a reply's text to a value that fits the request's JSON schema, or the word that says why not."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Literal

import json_repair
from jsonschema import Draft202012Validator

Tier = Literal["json_schema", "json_object", "text"]
"""How an endpoint is told the schema: enforced by it, JSON enforced and schema in words, words alone."""

_THINK = re.compile(r"^\s*<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)\s*", re.DOTALL)
_FENCE = re.compile(r"^\s*```[\w-]*[ \t]*\n?(.*?)(?:\n?\s*```.*|\Z)", re.DOTALL)


def without_thinking(text: str) -> str:
    """`text` without the leading thoughts of a reasoning model, closed or cut, stripped."""
    if "</think>" in text and "<think>" not in text:  # the template opened the tag in the prompt
        text = text.split("</think>", 1)[1]
    return _THINK.sub("", text).strip()


def response_format(schema: Mapping[str, Any], tier: Tier) -> dict[str, Any] | None:
    """The `response_format` parameter that asks for `schema` in a tier."""
    if tier == "json_schema":
        closed = _closed(schema)
        return {"type": "json_schema", "json_schema": {"name": "reply", "strict": True, "schema": closed}}
    return {"type": "json_object"} if tier == "json_object" else None


def in_words(schema: Mapping[str, Any]) -> str:
    """The sentence that asks for `schema` where the endpoint does not enforce it."""
    return "Reply with one JSON value and nothing else. It must fit this JSON schema:\n" + json.dumps(
        schema, ensure_ascii=False
    )


def parse(text: str, schema: Mapping[str, Any], cut: bool) -> tuple[Any | None, str | None]:
    """(value, fault) of a reply; `cut`: it ended because max_tokens was reached.

    Fault: None | "truncated" | "not_json" | "not_schema"; only "truncated" comes with a value, of what
    was complete.
    """
    fence = _FENCE.match(text)
    body = (fence[1] if fence else text).strip()
    try:
        value = json.loads(body)
    except (json.JSONDecodeError, RecursionError):
        value = _repaired(body)
        if cut:
            value = _without_last(value)
            return (value if value is not None and _fits(value, schema) else None), "truncated"
        if value is None:
            return None, "not_json"
    return (value, None) if _fits(value, schema) else (None, "truncated" if cut else "not_schema")


def _repaired(body: str) -> Any | None:
    """The object or list in `body`, mended; None where there is none."""
    starts = [at for at in (body.find("{"), body.find("[")) if at >= 0]
    if not starts:
        return None
    value = json_repair.loads(body[min(starts) :])
    return value if isinstance(value, (dict, list)) and value else None


def _without_last(value: Any) -> Any | None:
    """`value` without its last item: of the first list on the way to the end, or the last key."""
    if isinstance(value, list):
        return value[:-1]
    if isinstance(value, dict) and value:
        *others, last = value
        rest = {key: value[key] for key in others}
        inner = _without_last(value[last]) if isinstance(value[last], (dict, list)) else None
        return rest if inner is None else {**rest, last: inner}
    return None


def _fits(value: Any, schema: Mapping[str, Any]) -> bool:
    return bool(Draft202012Validator(schema).is_valid(value))


def _closed(schema: Any) -> Any:
    """`schema` as strict mode demands it: every object has all of its properties and no others."""
    if isinstance(schema, Mapping):
        closed = {key: _closed(value) for key, value in schema.items()}
        if isinstance(schema.get("properties"), Mapping):
            closed |= {"additionalProperties": False, "required": list(schema["properties"])}
        return closed
    return [_closed(item) for item in schema] if isinstance(schema, list | tuple) else schema
