"""The budget ends a run at the same request, whatever the timing, also after a kill."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.config import BudgetConfig
from agent.teacher.budget import WINDOW, Budget, Spent, estimated_tokens, foretold
from agent.teacher.messages import Reply
from agent.teacher.unavailable import TeacherUnavailableError
from tests.fakes.fake_teacher import FakeTeacher, last_message, share
from tests.teacher.conftest import Open, ask_label

# a text of 40 characters: 10 tokens of prompt, 2 of the reply "positive"
TEXTS = [f"{n:040d}" for n in range(120)]
REQUESTS = [ask_label(text) for text in TEXTS]


def sent(replies: Sequence[Reply | None]) -> list[int]:
    return [number for number, reply in enumerate(replies) if reply is not None]


def test_calls_to_come_are_expected_to_differ_from_their_guess_as_those_before_did() -> None:
    done, guessed = Spent(2, 60, 0.5), Spent(2, 40, 1.0)
    assert foretold(done, guessed, Spent(3, 100, 2.0)) == Spent(3, 150, 1.0)
    assert foretold(Spent(), Spent(), Spent(3, 100, 2.0)) == Spent(3, 100, 2.0)


def test_estimated_tokens() -> None:
    assert estimated_tokens(400, 20) == 110


def test_the_first_limit_that_is_passed_is_named() -> None:
    budget = Budget(BudgetConfig(tokens=100, calls=3))
    assert budget.reached(Spent(1, 40, 0.0), Spent(1, 50, 0.0), Spent(1, 10, 0.0)) is None
    assert budget.reached(Spent(1, 40, 0.0), Spent(1, 51, 0.0), Spent(1, 10, 0.0)) == "tokens"
    assert budget.reached(Spent(2, 40, 0.0), Spent(1, 51, 0.0), Spent(1, 10, 0.0)) == "tokens"
    assert budget.reached(Spent(2, 0, 0.0), Spent(1, 0, 0.0), Spent(1, 10, 0.0)) == "calls"


def test_long_texts_at_the_end_pass_the_limit_by_little(open_on: Open) -> None:
    """Forty cheap texts, then forty that cost five times as much: by the mean alone all 32 of a window would go out."""
    requests = [ask_label(text) for text in TEXTS[:40]] + [ask_label(text * 6) for text in TEXTS[40:80]]
    with FakeTeacher() as fake:
        teacher = open_on(fake, budget={"tokens": 1200})
        teacher.ask(requests, "label", 1)
    assert 1200 - 65 < teacher.usage().tokens < 1300


def test_a_first_ask_whose_calls_take_twice_what_was_guessed_passes_the_limit_by_little(open_on: Open) -> None:
    requests = [replace(request, max_tokens=100) for request in REQUESTS]
    with FakeTeacher(answer=lambda body: "positive " * 44) as fake:
        teacher = open_on(fake, budget={"tokens": 2500})
        teacher.ask(requests, "label", 1)
    each = teacher.usage().tokens / teacher.usage().calls
    assert 1.5 * estimated_tokens(48, 100) < each < 148
    assert 2500 - each < teacher.usage().tokens < 2500 + each


@pytest.mark.parametrize("salt", ["a", "b", "c"])
def test_the_same_requests_are_sent_whatever_comes_back_first(open_on: Open, salt: str) -> None:
    with FakeTeacher(latency=lambda body: share(last_message(body), salt) / 100) as fake:
        teacher = open_on(fake, budget={"tokens": 1000})
        replies = teacher.ask(REQUESTS, "label", 1)
    assert sent(replies) == list(range(83))  # 83 · 12 = 996
    assert teacher.usage().tokens == 996
    assert teacher.budget_ended == "tokens"


def test_calls_of_unequal_size(open_on: Open) -> None:
    requests = [ask_label("x" * 40 * (1 + n % 7)) for n in range(7)] + REQUESTS
    ended = set()
    for run_id, salt in (("a", "1"), ("b", "2")):
        with FakeTeacher(latency=lambda body, salt=salt: share(last_message(body), salt) / 100) as fake:  # type: ignore[misc]
            teacher = open_on(fake, run_id, budget={"tokens": 1200})
            replies = teacher.ask(requests, "label", 1)
        ended.add((len(sent(replies)), teacher.usage().tokens))
    ((_, tokens),) = ended
    assert 1200 - 60 < tokens <= 1200


def test_everything_is_sent_at_once_far_from_the_limit(open_on: Open) -> None:
    crowded = threading.Event()

    def hold(body: dict[str, Any]) -> float:
        """Answers nobody until more requests came than the window has."""
        if len(fake.asked) > WINDOW:
            crowded.set()
        assert "capital" in last_message(body) or crowded.wait(20)
        return 0.0

    with FakeTeacher(latency=hold) as fake:
        teacher = open_on(fake, budget={"tokens": 10**6}, max_concurrency=2 * WINDOW)
        assert all(teacher.ask(REQUESTS, "label", 1))
    assert crowded.is_set() and teacher.budget_ended is None


@pytest.mark.parametrize(
    ("budget", "number", "reason"),
    [({"calls": 50}, 50, "calls"), ({"cost": 12 * 40 / 1e6}, 40, "cost")],
)
def test_calls_and_cost(open_on: Open, budget: dict[str, Any], number: int, reason: str) -> None:
    with FakeTeacher() as fake:
        teacher = open_on(fake, budget=budget, price={"prompt": 1.0, "completion": 1.0})
        assert sent(teacher.ask(REQUESTS, "label", 1)) == list(range(number))
    assert teacher.budget_ended == reason


def test_minutes_are_by_the_clock(open_on: Open) -> None:
    with FakeTeacher() as fake:
        teacher = open_on(fake, budget={"minutes": 1e-9})
        assert sent(teacher.ask(REQUESTS, "label", 1)) == []
    assert teacher.budget_ended == "minutes"


def test_after_the_end_nothing_is_sent(open_on: Open) -> None:
    with FakeTeacher() as fake:
        teacher = open_on(fake, budget={"calls": 5})
        teacher.ask(REQUESTS, "generate", 1)
        assert teacher.ask([ask_label("one more")], "label", 1) == [None]
        again = open_on(fake, budget={"calls": 5})
        assert again.budget_ended == "calls"
        assert again.ask([ask_label("one more")], "label", 1) == [None]
        raised = open_on(fake, budget={"calls": 6})
        assert raised.budget_ended is None
        assert all(raised.ask([ask_label("one more")], "label", 1))


@pytest.mark.parametrize("fails_at", [3, 40, 80])
def test_a_resumed_node_ends_where_the_unbroken_one_did(open_on: Open, tmp_path: Path, fails_at: int) -> None:
    budget = {"tokens": 1300}
    with FakeTeacher() as fake:
        unbroken = open_on(fake, "unbroken", budget=budget)
        whole = [unbroken.ask(REQUESTS[:50], "generate", 1), unbroken.ask(REQUESTS[50:], "label", 1)]
        unbroken_usage = unbroken.usage()
    with FakeTeacher() as fake:
        fake.on_request = lambda body: setattr(fake, "fail", int(last_message(body) == TEXTS[fails_at]))
        broken = open_on(
            fake, "broken", budget=budget, attempts=1, max_concurrency=1, ledger=tmp_path / "broken.sqlite"
        )
        parts: list[list[Reply | None]] = []
        with pytest.raises(TeacherUnavailableError):
            parts.append(broken.ask(REQUESTS[:50], "generate", 1))
            parts.append(broken.ask(REQUESTS[50:], "label", 1))
        fake.on_request, fake.fail = lambda body: None, 0
        resumed = open_on(fake, "broken", budget=budget, ledger=tmp_path / "broken.sqlite")
        if not parts:
            parts.append(resumed.ask(REQUESTS[:50], "generate", 1))
        parts.append(resumed.ask(REQUESTS[50:], "label", 1))
    assert [sent(part) for part in parts] == [sent(part) for part in whole]
    assert resumed.usage() == unbroken_usage
    assert resumed.budget_ended == unbroken.budget_ended == "tokens"


def test_a_resume_after_the_end_changes_nothing(open_on: Open) -> None:
    with FakeTeacher() as fake:
        first = open_on(fake, budget={"tokens": 1000})
        replies = first.ask(REQUESTS, "label", 1)
        again = open_on(fake, budget={"tokens": 1000})
        assert sent(again.ask(REQUESTS, "label", 1)) == sent(replies)
        assert again.usage() == first.usage()
        assert again.ask(REQUESTS, "label", 2) == [None] * len(REQUESTS)
