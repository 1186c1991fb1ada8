"""One request as it will be sent and kept in the ledger, with what it may take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.teacher.budget import Spent, estimated_tokens, most_tokens
from agent.teacher.ledger import request_key
from agent.teacher.messages import Request, Role
from agent.teacher.route import Route
from agent.teacher.wire import to_payload


@dataclass(frozen=True)
class Call:
    """A request as it will be sent and kept."""

    request: Request
    route: Route
    payload: Mapping[str, Any]
    key: str

    @property
    def identity(self) -> tuple[str, int]:
        return self.key, self.request.sample

    @property
    def guess(self) -> Spent:
        """What it may take, before any reply was seen."""
        tokens = estimated_tokens(self._characters, self.request.max_tokens)
        completion = self.request.max_tokens // 2
        cost = self.route.pricing.cost(int(tokens) - completion, completion)
        return Spent(1, tokens, cost or 0.0)

    @property
    def most(self) -> Spent:
        """More than it can take."""
        size = sum(len(message["content"].encode("utf-8", "replace")) for message in self.payload["messages"])
        tokens = most_tokens(size, len(self.payload["messages"]), self.request.max_tokens)
        cost = self.route.pricing.cost(tokens - self.request.max_tokens, self.request.max_tokens)
        return Spent(1, tokens, cost or 0.0)

    @property
    def _characters(self) -> int:
        return sum(len(message["content"]) for message in self.payload["messages"])


def prepared(requests: Sequence[Request], routes: Mapping[Role, Route]) -> list[Call]:
    """The calls behind `requests`."""
    calls = []
    for request in requests:
        route = routes[request.role]
        payload = to_payload(request, route.model, route.can, route.temperature)
        calls.append(Call(request, route, payload, request_key(payload)))
    return calls
