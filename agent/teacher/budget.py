"""When the budget of a run ends: a decision that depends on the replies before a request, never on timing.

Requests of one ask are considered in order. The decision for request i uses the first `needed(i)` replies (and,
before it is refused, all replies before i), which are waited for: so it is the same whatever came back
first, and the same in a resumed run.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

from agent.config import BudgetConfig
from agent.teacher.usage import Usage

WINDOW = 32
"""Requests that may be undecided at once near the end of a budget."""
FIRST = 8
"""Of these the first go out on a guess alone; then half of the replies are known, since a guess can be far off."""

EXACT = 1 + 1e-9
"""Sums of prices have rounding errors."""

Measure = Literal["tokens", "cost", "calls"]
Reason = Literal["tokens", "cost", "calls", "minutes"]


@dataclass(frozen=True)
class Spent:
    """What calls took. `cost` in US dollars, 0 where the price is unknown and no limit needs it."""

    calls: int = 0
    tokens: float = 0
    cost: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.calls + other.calls, self.tokens + other.tokens, self.cost + other.cost)

    def __sub__(self, other: Spent) -> Spent:
        return Spent(self.calls - other.calls, self.tokens - other.tokens, self.cost - other.cost)

    @classmethod
    def of(cls, usage: Usage) -> Spent:
        return cls(usage.calls, usage.tokens, usage.cost or 0.0)


def foretold(done: Spent, guessed: Spent, ahead: Spent) -> Spent:
    """What calls will take that are not answered yet.

    Args:
        done, guessed: what the answered calls of this ask took, and what they had been guessed to take.
        ahead: the guess for the others; it is as wrong as `guessed` was, measure by measure. A text that is twice as
            long is thus expected to cost more than the mean, not the mean.
    """

    def scaled(measure: Measure) -> float:
        known = getattr(guessed, measure)
        return float(getattr(ahead, measure) * (getattr(done, measure) / known if known else 1.0))

    return Spent(ahead.calls, scaled("tokens"), scaled("cost"))


def estimated_tokens(characters: int, max_tokens: int) -> float:
    """What a call takes before any was seen: four characters a token, half of the completion allowed."""
    return characters / 4 + max_tokens / 2


def most_tokens(utf8_bytes: int, messages: int, max_tokens: int) -> int:
    """More than a call can take: a token is at least a byte; 32 for the template of each message."""
    return utf8_bytes + 32 * (messages + 1) + max_tokens


def needed(number: int) -> int:
    """How many replies the decision for request `number` (from 0) of an ask waits for."""
    return max(0, (number - FIRST) // 2, number - WINDOW + 1)


class Budget:
    """The limits of a run."""

    def __init__(self, config: BudgetConfig) -> None:
        self._limits: dict[Measure, float] = {}
        for measure in ("tokens", "cost", "calls"):
            limit = getattr(config, measure)
            if limit is not None:
                self._limits[measure] = float(limit)
        self._minutes = config.minutes
        self._started = time.monotonic()

    @property
    def counted(self) -> bool:
        """Is there any limit besides the clock?"""
        return bool(self._limits)

    def limit(self, reason: str) -> float | None:
        """The limit behind a reason."""
        return next((value for measure, value in self._limits.items() if measure == reason), None)

    def out_of_time(self) -> bool:
        """`minutes` has passed since this process began: by the clock, so not the same in every run."""
        return self._minutes is not None and time.monotonic() - self._started > 60 * self._minutes

    def surely_within(self, before: Spent, most: Spent) -> bool:
        """Would even the dearest outcome of all requests so far stay within the limits?"""
        total = before + most
        return all(getattr(total, measure) <= limit for measure, limit in self._limits.items())

    def reached(self, before: Spent, done: Spent, ahead: Spent) -> Measure | None:
        """The first limit that is passed by what the run used before, this ask so far, and what is still to come."""
        total = before + done + ahead
        return next(
            (measure for measure, limit in self._limits.items() if getattr(total, measure) > limit * EXACT), None
        )
