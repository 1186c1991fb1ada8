"""A run that was cut ends as an unbroken one, byte for byte, and pays no call twice."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.progress import Progress
from agent.run import resume
from agent.rundir import RunDir, read_json, read_jsonl, write_json
from tasks.faults import UserError
from tests.conftest import Bench
from tests.fakes.fake_teacher import FakeTeacher
from tests.fakes.toy import toy_answer

CLOCKED = {"timings.jsonl", "report.html", "run.json"}
"""Files that hold times; compared apart, without them, or not at all."""

CUTS = [
    ("seed", 0), ("sample", 0), ("replay", 0), ("train", 0), ("measure", 0), ("analyze", 0), ("generate", 0),
    ("label", 0), ("join", 0), ("score", 1), ("evaluate", 1), ("sample", 1), ("replay", 1), ("reconcile", 1),
    ("train", 1), ("selftrain", 2), ("measure", 1), ("analyze", 1), ("generate", 1), ("label", 1), ("join", 1),
    ("train", 2), ("join", 2), ("finish", 2),
]  # fmt: skip


class Killed(BaseException):
    """Ends a run where it stands."""


def contents(run: RunDir) -> dict[str, bytes]:
    """Every file of the run but the checkpoints, without what a clock wrote."""
    found = {}
    for path in sorted(run.root.rglob("*")):
        name = run.relative(path)
        if not path.is_file() or path.name.startswith("checkpoints.sqlite") or name in CLOCKED:
            continue
        found[name] = path.read_bytes()
    rows = [{**row, "seconds": None} for row in read_jsonl(run.metrics)]
    found["metrics.jsonl"] = json.dumps(rows).encode()
    found["result.json"] = json.dumps({**read_json(run.result), "seconds": None}).encode()
    return found


@dataclass(frozen=True)
class Unbroken:
    """A run that nothing cut, and the bench on which others can be cut."""

    bench: Bench
    files: dict[str, bytes]
    paid: int
    """Requests that it sent."""


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unbroken]:
    with closing(FakeTeacher(toy_answer, labels=("warm", "cold"), noisy=0.1)) as fake:
        bench = Bench(tmp_path_factory.mktemp("unbroken"), fake)
        whole = bench.run(bench.config("whole", self_training={"texts": 12}), "whole", run_id="id")
        yield Unbroken(bench, without_ledger(contents(whole)), len(fake.asked))


@pytest.mark.parametrize(
    ("node", "iteration", "moment", "time"),
    [(node, iteration, "start", 1) for node, iteration in CUTS]
    + [("train", 1, "end", 1), ("label", 0, "end", 1), ("measure", 2, "end", 1), ("measure", 2, "end", 2)],
)
def test_a_run_cut_at_any_node_ends_as_an_unbroken_one(
    unbroken: Unbroken, node: str, iteration: int, moment: str, time: int
) -> None:
    bench, name = unbroken.bench, f"{node}-{iteration}-{moment}-{time}"
    paid, times = len(bench.fake.asked), []

    def killer(event: str, name: str, number: int) -> None:
        if (event, name, number) == (moment, node, iteration):
            times.append(name)
            if len(times) == time:
                raise Killed

    config = bench.config(name, self_training={"texts": 12})
    with pytest.raises(Killed):
        bench.run(config, name, killer, run_id="id")
    cut = bench.run(config, name, run_id="id")
    assert without_ledger(contents(cut)) == unbroken.files
    assert len(bench.fake.asked) == paid + unbroken.paid
    assert read_jsonl(cut.metrics)[-1]["before_selftrain"] is not None


def without_ledger(files: dict[str, bytes]) -> dict[str, bytes]:
    """Each run has a ledger of its own, so that each pays; its path in config.yaml is then another."""
    config = re.sub(rb"[\w-]+\.sqlite", b"ledger.sqlite", files["config.yaml"])
    return {**files, "config.yaml": config}


def test_a_cut_in_the_middle_of_a_call_is_paid_once_more_at_most(bench: Bench) -> None:
    whole = bench.run(bench.config("one"), "whole", run_id="id")
    paid = len(bench.fake.asked)
    calls = 0

    def kill_late(body: object) -> None:
        nonlocal calls
        calls += 1

    bench.fake.on_request = kill_late
    config = bench.config("two", budget={"calls": paid - 5})
    bench.run(config, "short", run_id="short")
    longer = bench.config("two")
    cut = bench.run(longer, "cut", run_id="id")
    assert len(bench.fake.asked) <= 2 * paid + 1
    assert read_json(cut.result)["curve"] == read_json(whole.result)["curve"]


KILLED_RUN = """
import os, signal, sys
from pathlib import Path
from contextlib import closing
from agent.progress import Progress
from agent.rundir import RunDir, read_json
from tests.conftest import Bench
from tests.fakes.fake_teacher import FakeTeacher

root, url, node, number = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])

class Remote:
    base_url, model = url, "fake-1"

def killer(event, name, iteration):
    if (event, name, iteration) == ("start", node, number):
        os.kill(os.getpid(), signal.SIGKILL)

bench = Bench(root, Remote())
bench.run(bench.config("two"), "cut", killer, run_id="id")
"""


@pytest.mark.parametrize(("node", "iteration"), [("train", 1)])
def test_kill_9_in_the_middle_of_a_node(bench: Bench, node: str, iteration: int) -> None:
    whole = bench.run(bench.config("one"), "whole", run_id="id")
    paid = len(bench.fake.asked)
    arguments = [str(bench.root), bench.fake.base_url, node, str(iteration)]
    top = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", KILLED_RUN, *arguments], cwd=top, env={**os.environ, "PYTHONPATH": str(top)}, check=False
    )
    assert done.returncode == -signal.SIGKILL
    with closing(sqlite3.connect(bench.root / "two.sqlite")) as ledger:
        answered, sent = ledger.execute("SELECT COUNT(response), COUNT(*) FROM requests").fetchone()
    before = len(bench.fake.asked)
    cut = bench.run(bench.config("two"), "cut", run_id="id")
    assert without_ledger(contents(cut)) == without_ledger(contents(whole))
    again = len(bench.fake.asked) - before  # the server may note what was in flight at the kill only now
    assert paid - answered <= again <= paid - answered + (sent - answered)


def test_resume_refuses_other_data(bench: Bench) -> None:
    run = bench.run(bench.config(), "a")
    seed = bench.root / "toy" / "seed.jsonl"
    seed.write_text(seed.read_text(encoding="utf-8").replace('"text": "', '"text": "another '), encoding="utf-8")
    with pytest.raises(UserError, match="the data the run began with"):
        resume(run.root, Progress())


def test_resume_refuses_another_graph(bench: Bench) -> None:
    run = bench.run(bench.config(), "a")
    run.graph.write_text("graph TD;", encoding="utf-8")
    with pytest.raises(UserError, match="the graph the run began with"):
        resume(run.root, Progress())


def test_resume_of_no_run_says_so(tmp_path: Path) -> None:
    write_json(tmp_path / "other.json", {})
    with pytest.raises(UserError, match=r"a run folder with config\.yaml"):
        resume(tmp_path, Progress())
