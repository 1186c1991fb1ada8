"""Failures that pass, and those that do not."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from agent.teacher.unavailable import TeacherUnavailableError
from tests.fakes.fake_teacher import FakeTeacher, last_message
from tests.teacher.conftest import Open, ask_label


def test_429_is_tried_again_after_the_time_it_names(open_on: Open) -> None:
    with FakeTeacher(rate_limit=4, retry_after="0.05") as fake:
        teacher = open_on(fake, max_concurrency=1)
        started = time.monotonic()
        replies = teacher.ask([ask_label(f"text {n}") for n in range(6)], "label", 1)
        assert all(replies)
        assert time.monotonic() - started >= 0.05
        assert len(fake.asked) > 6
    assert teacher.live.waiting_seconds >= 0.05
    assert teacher.live.last_error is not None and "429" in teacher.live.last_error


def test_retry_after_may_be_a_date(open_on: Open) -> None:
    with FakeTeacher(rate_limit=3, retry_after=formatdate(time.time() - 5, usegmt=True)) as fake:
        assert all(open_on(fake).ask([ask_label(f"text {n}") for n in range(6)], "label", 1))


def test_500_is_tried_again(open_on: Open) -> None:
    with FakeTeacher(fail=3) as fake:
        assert all(open_on(fake).ask([ask_label(f"text {n}") for n in range(9)], "label", 1))


def test_a_hanging_call_times_out_and_is_tried_again(open_on: Open) -> None:
    with FakeTeacher() as fake:
        teacher = open_on(fake, timeout=0.15)
        fake.hang = len(fake.bodies) + 1
        assert all(teacher.ask([ask_label("x")], "label", 1))
    assert teacher.live.last_error == "timeout"


def test_a_call_that_never_came_in_time_names_the_setting(open_on: Open) -> None:
    with FakeTeacher() as fake:
        teacher = open_on(fake, timeout=0.15, attempts=1)
        fake.hang = len(fake.bodies) + 1
        with pytest.raises(TeacherUnavailableError, match=r"timeout.*teacher\.timeout, in RUN/config\.yaml"):
            teacher.ask([ask_label("x")], "label", 1)


def test_after_the_last_try_nothing_is_lost(open_on: Open) -> None:
    with FakeTeacher() as fake:
        teacher = open_on(fake, attempts=2)
        teacher.ask([ask_label("before")], "label", 1)
        fake.fail = 1
        with pytest.raises(TeacherUnavailableError) as caught:
            teacher.ask([ask_label("before"), ask_label("x")], "label", 1)
        message = str(caught.value)
        assert fake.base_url in message and "2 failed tries" in message and "500" in message
        assert "evokd resume RUN" in message
        fake.fail = 0
        assert all(teacher.ask([ask_label("before"), ask_label("x")], "label", 1))
    assert teacher.usage().calls == 2


def test_a_server_that_goes_away(open_on: Open) -> None:
    with FakeTeacher() as fake:
        teacher = open_on(fake, attempts=2)
    with pytest.raises(TeacherUnavailableError, match="no connection"):
        teacher.ask([ask_label("x")], "label", 1)


def test_the_content_filter_is_a_refusal_and_asked_once(open_on: Open) -> None:
    with FakeTeacher(refuse=lambda body: "bad" in last_message(body)) as fake:
        teacher = open_on(fake)
        for _ in range(2):
            good, bad = teacher.ask([ask_label("good"), ask_label("bad")], "label", 1)
            assert good is not None and good.fault is None
            assert bad is not None and bad.fault == "refused" and bad.text == ""
        assert len(fake.asked) == 2


def test_the_answers_of_other_calls_are_kept_when_one_fails(open_on: Open) -> None:
    with FakeTeacher(latency=lambda body: 0.1 if last_message(body).startswith("slow") else 0.0) as fake:
        teacher = open_on(fake, attempts=1)
        fake.model = "renamed"
        with pytest.raises(Exception, match=r"teacher\.model"):
            teacher.ask([ask_label("x"), ask_label("y")], "label", 1)
        fake.model = "fake-1"
        fake.refuse = lambda body: last_message(body) == "first"
        replies = teacher.ask([ask_label("first"), ask_label("slow 1"), ask_label("slow 2")], "label", 1)
        assert [reply.fault for reply in replies if reply] == ["refused", None, None]
