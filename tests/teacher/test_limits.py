"""How many calls at once, how fast: with a clock of the test's own."""

from __future__ import annotations

import asyncio
from pathlib import Path

from agent.teacher.limits import Limits, Pace
from tests.fakes.fake_teacher import FakeTeacher
from tests.teacher.conftest import Open, ask_label


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_concurrency_doubles_each_round_until_trouble_then_halves_and_adds_one_a_round() -> None:
    clock = Clock()
    limits = Limits(clock=clock)
    assert limits.concurrency == 4
    for _ in range(4):
        limits.replied(10, 10)
    assert limits.concurrency == 8
    sent_at, clock.now = clock.now, clock.now + 1
    limits.trouble(sent_at)
    limits.trouble(sent_at)  # another call of the same round: no second halving
    assert limits.concurrency == 4
    for _ in range(5):
        limits.replied(10, 10)
    assert limits.concurrency == 5
    for _ in range(9):
        clock.now += 1
        limits.trouble(clock.now)
    assert limits.concurrency == 1


def test_concurrency_never_passes_its_most() -> None:
    limits = Limits(start=8, most=8, clock=Clock())
    for _ in range(100):
        limits.replied(1, 1)
    assert limits.concurrency == 8


def test_fixed_concurrency_stays() -> None:
    limits = Limits(fixed=3, clock=Clock())
    limits.trouble(200.0)
    limits.replied(1, 1)
    assert limits.concurrency == 3


def test_pace_is_a_debt_paid_off_with_time() -> None:
    clock = Clock()
    pace = Pace(120, clock)  # two a second
    assert pace.delay() == 0
    pace.spend(1)
    assert pace.delay() == 0.5
    pace.spend(3)
    pace.spend(-1)
    assert pace.delay() == 1.5
    clock.now += 10  # what was not used is not saved up
    pace.spend(1)
    assert pace.delay() == 0.5


def test_requests_a_minute_space_the_calls() -> None:
    async def times() -> list[float]:
        limits = Limits(requests_per_minute=60 * 50)
        loop, begun = asyncio.get_running_loop(), []

        async def call() -> None:
            async with limits.slot(1):
                begun.append(loop.time())

        start = loop.time()
        await asyncio.gather(*(call() for _ in range(4)))
        return [moment - start for moment in sorted(begun)]

    for number, moment in enumerate(asyncio.run(times())):
        assert moment >= number / 50 - 0.001


def test_no_more_calls_at_once_than_allowed(open_on: Open) -> None:
    with FakeTeacher(latency=0.02) as fake:
        teacher = open_on(fake, max_concurrency=3)
        teacher.ask([ask_label(f"{n}") for n in range(20)], "label", 1)
        assert 1 < fake.most_in_flight <= 3


def test_concurrency_grows_on_a_healthy_endpoint_and_backs_off_on_429(open_on: Open, tmp_path: Path) -> None:
    requests = [ask_label(f"{n}") for n in range(40)]
    with FakeTeacher(latency=0.05) as healthy, FakeTeacher(latency=0.05, rate_limit=2) as strained:
        assert all(open_on(healthy, "a").ask(requests, "label", 1))
        other = open_on(strained, "b", attempts=50, ledger=tmp_path / "b")
        assert all(other.ask(requests[:20], "label", 1))
        assert healthy.most_in_flight > 4 >= strained.most_in_flight
