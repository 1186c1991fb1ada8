"""Replay: the ledger alone answers."""

from __future__ import annotations

import pytest

from tasks.faults import UserError
from tests.fakes.fake_teacher import FakeTeacher
from tests.teacher.conftest import Open, ask_label


def test_replay_needs_no_endpoint_and_fails_on_a_miss(open_on: Open) -> None:
    with FakeTeacher() as fake:
        open_on(fake, "live").ask([ask_label("known")], "label", 1)
    teacher = open_on(fake, "replayed", mode="replay")
    (reply,) = teacher.ask([ask_label("known")], "label", 1)
    assert reply is not None and reply.cached and reply.text == "positive"
    with pytest.raises(UserError) as caught:
        teacher.ask([ask_label("known"), ask_label("unknown " + "x" * 200)], "label", 2)
    message = str(caught.value)
    assert "node label" in message and "unknown xxx" in message and "x" * 90 not in message
    assert teacher.usage().calls == 1


def test_replay_from_an_empty_ledger(open_on: Open) -> None:
    with FakeTeacher() as fake, pytest.raises(UserError, match="a ledger that never met fake-1"):
        open_on(fake, mode="replay")
    assert not fake.bodies
