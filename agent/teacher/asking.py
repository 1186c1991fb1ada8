"""One ask: requests admitted in order under the budget, answered by ledger or endpoint, each paid once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import accumulate

from agent.teacher.budget import Budget, Reason, Spent, foretold, needed
from agent.teacher.call import Call
from agent.teacher.ledger import Ledger, Place
from agent.teacher.messages import Reply, Role
from agent.teacher.wire import to_body, to_reply, tokens_used
from tasks.faults import Fault, UserError, quoted


class Asking:
    """The state of one ask. After `replies`, `ended` says which limit was reached, if any."""

    def __init__(self, calls: Sequence[Call], place: Place, ledger: Ledger, budget: Budget) -> None:
        self._calls = calls
        self._place = place
        self._ledger = ledger
        self._budget = budget
        self._before = Spent.of(ledger.usage(place.run_id, besides=place))
        self._means = _means(calls, place, ledger)
        self._replies: list[Reply | None] = [None] * len(calls)
        self._spent: list[Spent | None] = [None] * len(calls)
        self._sums = [Spent()]  # of the first 0, 1, 2, … calls, as far as all of them are complete
        self._guesses = list(accumulate((call.guess for call in calls), initial=Spent()))  # likewise, before any reply
        self._judged = 0  # replies that the last decision knew
        self._stop = asyncio.Event()
        self._progress = asyncio.Condition()
        self.ended: Reason | None = None

    async def replies(self) -> list[Reply | None]:
        """A reply for each call, in order; None for those the budget left out.

        Raises:
            UserError: the first error of any call, after the calls in flight have ended.
        """
        tasks: dict[tuple[str, int], asyncio.Task[None]] = {}
        twins: dict[int, tuple[str, int]] = {}
        first: dict[tuple[str, int], int] = {}
        try:
            async for number in self._admitted():
                identity = self._calls[number].identity
                if first.setdefault(identity, number) == number:
                    tasks[identity] = asyncio.create_task(self._answer(number))
                else:
                    twins[number] = identity
                    self._complete(number, Spent())
            results = await asyncio.gather(*tasks.values(), return_exceptions=True)
        except asyncio.CancelledError:
            for task in tasks.values():
                task.cancel()
            raise
        for result in results:
            if isinstance(result, BaseException):
                raise result
        for number, identity in twins.items():
            self._replies[number] = self._replies[first[identity]]
        return self._replies

    async def _admitted(self) -> AsyncIterator[int]:
        """The numbers of the calls that may be made, in order, until the budget or an error ends it."""
        most = Spent()
        for number, call in enumerate(self._calls):
            if self._budget.out_of_time():
                self.ended = "minutes"
            elif self._budget.counted:
                most = most + call.most
                if not self._budget.surely_within(self._before, most):
                    self.ended = await self._limit_reached(number)
            if self.ended is not None or self._stop.is_set():
                return
            yield number

    async def _limit_reached(self, number: int) -> Reason | None:
        """The limit that request `number` would pass: first judged from the first `needed` replies and,
        when that says so, from all before it, so that no more than a call's worth is left unused."""
        for done in (max(self._judged, needed(number)), number):
            await self._complete_up_to(done)
            if self._stop.is_set():
                return None
            self._judged = done
            reached = self._budget.reached(self._before, self._sums[done], self._ahead(done, number + 1))
            if reached is None:
                return None
        return reached

    def _ahead(self, done: int, end: int) -> Spent:
        """What calls `done` to `end` will take: by those before them, or by the mean of earlier asks."""
        if done:
            return foretold(self._sums[done], self._guesses[done], self._guesses[end] - self._guesses[done])
        calls = self._calls[:end]
        return sum(((self._means.get(call.request.role) or call.guess) for call in calls), Spent())

    async def _complete_up_to(self, done: int) -> None:
        """Waits for the first `done` replies, or for an error."""
        async with self._progress:
            await self._progress.wait_for(lambda: len(self._sums) > done or self._stop.is_set())

    async def _answer(self, number: int) -> None:
        try:
            reply, spent = await answered(self._calls[number], self._place, self._ledger, self._stop)
            self._replies[number] = reply
            self._complete(number, spent)
        except BaseException:
            self._stop.set()
            raise
        finally:
            async with self._progress:
                self._progress.notify_all()

    def _complete(self, number: int, spent: Spent) -> None:
        self._spent[number] = spent
        while len(self._sums) <= len(self._spent):
            following = self._spent[len(self._sums) - 1]
            if following is None:
                return
            self._sums.append(self._sums[-1] + following)


def _means(calls: Sequence[Call], place: Place, ledger: Ledger) -> dict[Role, Spent]:
    """What a call of each role took on average in this run before this ask."""
    means: dict[Role, Spent] = {}
    for role in {call.request.role for call in calls}:
        seen = ledger.usage(place.run_id, role=role, besides=place)
        if seen.calls:
            means[role] = Spent(1, seen.tokens / seen.calls, (seen.cost or 0.0) / seen.calls)
    return means


async def answered(call: Call, place: Place, ledger: Ledger, stop: asyncio.Event) -> tuple[Reply, Spent]:
    """The reply to a call, counted for the run; and what it added to the run's usage."""
    key, sample = call.identity
    response = ledger.answer(key, sample)
    cached = response is not None
    if response is None:
        endpoint = call.route.endpoint
        if endpoint is None:
            raise _miss(call, place)
        estimate = int(call.guess.tokens)
        body = to_body(call.payload, call.route.can)
        sent = await endpoint.call(body, estimate, lambda: ledger.sending(key, sample, call.payload), stop)
        response = ledger.answered(key, sample, sent)
    prompt_tokens, completion_tokens = tokens_used(response)
    cost = call.route.pricing.cost(prompt_tokens, completion_tokens)
    new = ledger.count(place, call.request.role, key, sample, prompt_tokens, completion_tokens, cost, cached)
    spent = Spent(1, prompt_tokens + completion_tokens, cost or 0.0) if new else Spent()
    return to_reply(response, call.request, cached), spent


def _miss(call: Call, place: Place) -> UserError:
    last = quoted(call.request.messages[-1][1] if call.request.messages else "", 80)
    where = f"teacher.mode replay: node {place.node}, iteration {place.iteration}"
    expected = f"an answer of {call.route.model} in the ledger"
    remedy = "Run with --set teacher.mode=live once, with the same configuration."
    return UserError(Fault(where, expected, f"none for {last}", remedy))
