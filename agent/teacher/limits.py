"""How many calls may be in flight, and how fast they may go: adaptive concurrency and rate limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

_START, _MOST = 4, 256


class Pace:
    """A rate per minute as a debt: a call goes when nothing is owed, what it took is paid off with time."""

    def __init__(self, per_minute: float, clock: Callable[[], float]) -> None:
        self._per_second = per_minute / 60
        self._clock = clock
        self._free_at = clock()

    def delay(self) -> float:
        """Seconds until the next call may go."""
        return max(0.0, self._free_at - self._clock())

    def spend(self, amount: float) -> None:
        """A call took `amount`; a negative one gives back what was estimated too high."""
        self._free_at = max(self._free_at, self._clock()) + amount / self._per_second


class Limits:
    """Lets calls through to one endpoint.

    Concurrency: `fixed`, or adaptive: one more for every reply until the first trouble (429, timeout),
    then halved, and from there one more per round of replies; between 1 and `most`.
    """

    def __init__(
        self,
        fixed: int | None = None,
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
        start: int = _START,
        most: int = _MOST,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._clock = clock or asyncio.get_running_loop().time
        self._fixed = fixed
        self._most = most
        self._allowed = float(fixed if fixed is not None else min(start, most))
        self._steep = True
        self._halved_at = -1.0
        self._paused_until = 0.0
        self._in_flight = 0
        self._wake = asyncio.Condition()
        self._requests = Pace(requests_per_minute, self._clock) if requests_per_minute else None
        self._tokens = Pace(tokens_per_minute, self._clock) if tokens_per_minute else None

    @property
    def concurrency(self) -> int:
        """Calls that may be in flight now."""
        return int(self._allowed)

    @asynccontextmanager
    async def slot(self, tokens: int) -> AsyncIterator[float]:
        """Waits for a place; `tokens`: estimate of what the call takes. Yields when it was let through."""
        async with self._wake:
            await self._wake.wait_for(lambda: self._in_flight < self.concurrency)
            self._in_flight += 1
        try:
            while (delay := self._delay()) > 0:
                await asyncio.sleep(delay)
            for pace, amount in ((self._requests, 1), (self._tokens, tokens)):
                if pace:
                    pace.spend(amount)
            yield self._clock()
        finally:
            self._in_flight -= 1
            async with self._wake:
                self._wake.notify(max(0, self.concurrency - self._in_flight))

    def replied(self, tokens: int, estimate: int) -> None:
        """A reply came; it took `tokens`, not the `estimate`."""
        if self._tokens:
            self._tokens.spend(tokens - estimate)
        if self._fixed is None:
            self._allowed = min(self._most, self._allowed + (1.0 if self._steep else 1.0 / self._allowed))

    def trouble(self, sent_at: float, pause: float = 0.0) -> None:
        """429 or timeout of a call let through at `sent_at`; all calls wait `pause` seconds."""
        now = self._clock()
        self._paused_until = max(self._paused_until, now + pause)
        if self._fixed is None and sent_at > self._halved_at:
            self._steep = False
            self._halved_at = now
            self._allowed = max(1.0, self._allowed / 2)

    def _delay(self) -> float:
        paces = [pace.delay() for pace in (self._requests, self._tokens) if pace]
        return max([self._paused_until - self._clock(), *paces])
