"""The teacher as nodes see it: ask a list of requests, get the replies in order. One object a run."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from agent.config import BudgetConfig, TeacherConfig
from agent.teacher.asking import Asking
from agent.teacher.budget import Budget
from agent.teacher.call import prepared
from agent.teacher.endpoint import Endpoint
from agent.teacher.ledger import Ledger, Place
from agent.teacher.local import LocalServer
from agent.teacher.messages import Reply, Request, Role
from agent.teacher.probe import Capabilities
from agent.teacher.route import LOCAL, Route, Source, api_key, connect, pricings, replayed, sources
from agent.teacher.usage import LiveCounts, Usage

T = TypeVar("T")


def open_teacher(config: TeacherConfig, budget: BudgetConfig, run_id: str, needed: bool = True) -> Teacher:
    """A teacher that can be asked: endpoints checked and probed, the local server running.

    `needed=False`: for a strategy that asks nothing; no endpoint is contacted, only the usage can be read.

    Raises:
        UserError: no endpoint, wrong key or model, unknown price with budget.cost; before anything is spent.
    """
    return Teacher(config, budget, run_id, needed)


class Teacher:
    """One object a run. A sync facade over an asyncio loop in a thread of its own; any thread may ask."""

    def __init__(self, config: TeacherConfig, budget: BudgetConfig, run_id: str, needed: bool = True) -> None:
        self.live = LiveCounts()
        self._run_id = run_id
        self._attempt = uuid.uuid4().hex
        prices = pricings(config, needed=needed and budget.cost is not None)
        self._budget = Budget(budget)
        self._ledger = Ledger(config.ledger)
        self._servers: dict[Source, LocalServer] = {}
        self._endpoints: dict[Source, Endpoint] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="teacher", daemon=True)
        self._thread.start()
        self._closed = False
        try:
            can = self._open(config) if needed else {}
        except BaseException:
            self.close()
            raise
        self._routes: dict[Role, Route] = {
            role: Route(
                source.name,
                can[source],
                prices[role],
                self._endpoints.get(source),
                getattr(config, role).temperature,
            )
            for role, source in sources(config).items()
            if source in can
        }
        self._ended = self._ended_before()

    def ask(self, requests: Sequence[Request], node: str, iteration: int) -> list[Reply | None]:
        """The replies in the order of `requests`; None = not sent, the budget had ended.

        Raises:
            UserError: the endpoint does not take a request, or (in replay) the ledger lacks one.
            TeacherUnavailableError: the endpoint kept failing.
        """
        place = Place(self._run_id, iteration, node, self._attempt)
        ended = self._ledger.ended(self._run_id) if self._ended else None
        again = ended is not None and (ended.iteration, ended.node) == (iteration, node)
        if self._ended and not (again and ended and ended.attempt != self._attempt):
            return [None] * len(requests)
        asking = Asking(prepared(requests, self._routes), place, self._ledger, self._budget)
        replies = self._run(asking.replies())
        if asking.ended is not None:
            self._ended = asking.ended
            if (limit := self._budget.limit(asking.ended)) is not None:
                self._ledger.end(place, asking.ended, limit)
        return replies

    def can(self, role: Role) -> Capabilities:
        """What the endpoint of a role can do."""
        return self._routes[role].can

    def usage(self) -> Usage:
        """What this run used so far, earlier attempts included."""
        return replace(self._ledger.usage(self._run_id), by_node=self._ledger.usage_by_node(self._run_id))

    @property
    def budget_ended(self) -> str | None:
        """The limit that was reached: "tokens" | "cost" | "calls" | "minutes"; None = there is some left."""
        return self._ended

    def close(self) -> None:
        """Ends calls in flight, the endpoints, the local server and the ledger. May be called twice."""
        if self._closed:
            return
        self._closed = True
        self._run(self._end_calls())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        for server in self._servers.values():
            server.close()
        self._ledger.close()

    def __enter__(self) -> Teacher:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _open(self, config: TeacherConfig) -> dict[Source, Capabilities]:
        wanted = dict.fromkeys(sources(config).values())
        if config.mode == "replay":
            return {source: replayed(source, self._ledger) for source in wanted}
        can: dict[Source, Capabilities] = {}
        for source in wanted:
            key = api_key(source)
            server = None
            if source.base_url == LOCAL:
                server = self._servers[source] = LocalServer(source.model)
            opening = connect(source, config, self._ledger, self.live, key, server)
            self._endpoints[source], can[source] = self._run(opening)
        return can

    def _ended_before(self) -> str | None:
        """The end of the budget in an earlier attempt, unless the limit was raised since."""
        ended = self._ledger.ended(self._run_id)
        if ended is None:
            return None
        limit = self._budget.limit(ended.reason)
        return ended.reason if limit is not None and limit <= ended.allowed else None

    async def _end_calls(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for endpoint in self._endpoints.values():
            await endpoint.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs `work` in the loop's thread; an interrupt here cancels it there."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise
