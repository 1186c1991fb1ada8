"""The ledger: written before, kept through a kill, shared by processes."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from agent.teacher.ledger import Ledger, Place, request_key
from tasks.faults import UserError
from tests.fakes.fake_teacher import FakeTeacher, last_message
from tests.teacher.conftest import Open, ask_label

PAYLOAD = {"model": "m", "messages": [{"role": "user", "content": "é"}], "temperature": 0.0}
RUN = """
import sys
from pathlib import Path
from agent.config import BudgetConfig, TeacherConfig
from agent.teacher.teacher import open_teacher
from tests.teacher.conftest import ask_label
url, ledger, run_id = sys.argv[1:]
config = TeacherConfig(base_url=url, model="fake-1", ledger=Path(ledger), max_concurrency=1)
with open_teacher(config, BudgetConfig(), run_id) as teacher:
    teacher.ask([ask_label(f"text {n}") for n in range(8)], "label", 1)
"""


def start(fake: FakeTeacher, ledger: Path, run_id: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", RUN, fake.base_url, str(ledger), run_id], stderr=subprocess.PIPE)


def test_the_request_is_in_the_ledger_when_the_endpoint_receives_it(open_on: Open, tmp_path: Path) -> None:
    seen: list[tuple[Any, ...]] = []

    def look(body: dict[str, Any]) -> None:
        if last_message(body) == "hello":
            with sqlite3.connect(tmp_path / "ledger.sqlite") as db:
                seen.extend(db.execute("SELECT model, response FROM requests").fetchall())

    with FakeTeacher() as fake:
        fake.on_request = look
        open_on(fake).ask([ask_label("hello")], "label", 1)
    assert seen == [("fake-1", None)]


def test_a_killed_run_loses_at_most_the_call_in_flight(open_on: Open, tmp_path: Path) -> None:
    reached = threading.Event()

    def hold(body: dict[str, Any]) -> None:
        if last_message(body) == "text 5" and not reached.is_set():
            reached.set()
            threading.Event().wait(0.2)

    with FakeTeacher() as fake:
        fake.on_request = hold
        process = start(fake, tmp_path / "ledger.sqlite", "run")
        assert reached.wait(60)
        process.send_signal(signal.SIGKILL)
        process.wait()
        while len(fake.asked) < 6:  # the one in flight is noted when it is let go
            time.sleep(0.01)
        teacher = open_on(fake)
        teacher.ask([ask_label(f"text {n}") for n in range(8)], "label", 1)
        assert len(fake.asked) == 6 + 3
    usage = teacher.usage()
    assert (usage.calls, usage.cached_calls) == (8, 0)


def test_two_runs_share_one_file(tmp_path: Path) -> None:
    with FakeTeacher() as fake:
        processes = [start(fake, tmp_path / "ledger.sqlite", run_id) for run_id in ("a", "b")]
        for process in processes:
            assert process.wait(60) == 0, process.stderr.read() if process.stderr else ""
    ledger = Ledger(tmp_path / "ledger.sqlite")
    assert ledger.usage("a").calls == ledger.usage("b").calls == 8


def test_the_first_answer_is_the_one_that_is_used(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "l.sqlite")
    ledger.sending("k", 0, PAYLOAD)
    assert ledger.answer("k", 0) is None
    assert ledger.answered("k", 0, {"n": 1}) == {"n": 1}
    assert ledger.answered("k", 0, {"n": 2}) == {"n": 1}
    assert ledger.answer("k", 1) is None


def test_the_key_depends_on_every_parameter_and_not_on_their_order() -> None:
    assert request_key(PAYLOAD) == request_key(dict(reversed(PAYLOAD.items())))
    assert request_key(PAYLOAD) != request_key({**PAYLOAD, "temperature": 0.5})
    assert request_key(PAYLOAD) != request_key({**PAYLOAD, "model": "n"})


def test_usage_is_counted_once_a_run_also_by_a_second_attempt(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "l.sqlite")
    first, second = Place("r", 1, "label", "first"), Place("r", 1, "label", "second")
    assert ledger.count(first, "labeller", "k", 0, 10, 2, 0.5, False)
    assert not ledger.count(first, "labeller", "k", 0, 10, 2, 0.5, True)
    assert ledger.usage("r", besides=second).calls == 0
    assert ledger.count(second, "labeller", "k", 0, 10, 2, 0.5, True)
    assert not ledger.count(Place("r", 2, "label", "second"), "labeller", "k", 0, 10, 2, 0.5, True)
    usage = ledger.usage("r")
    assert (usage.calls, usage.tokens, usage.cached_calls, usage.cost) == (1, 12, 0, 0.5)
    assert ledger.usage("r", role="analyst").calls == 0


def test_one_unknown_price_makes_the_sum_unknown(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "l.sqlite")
    place = Place("r", 1, "label", "a")
    ledger.count(place, "labeller", "k", 0, 1, 1, 0.5, False)
    ledger.count(place, "labeller", "l", 0, 1, 1, None, False)
    assert ledger.usage("r").cost is None


def test_a_folder_is_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"teacher.ledger: expected a SQLite file"):
        Ledger(tmp_path)
