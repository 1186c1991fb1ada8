"""A run that was cut ends as an unbroken one, byte for byte, and pays no call twice."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from agent.progress import Progress
from agent.run import resume
from agent.rundir import RunDir, read_json, read_jsonl, write_json
from tasks.faults import UserError
from tests.conftest import Bench

CLOCKED = {"timings.jsonl", "report.html", "run.json"}
"""Files that hold times; compared apart, without them, or not at all."""

CUTS = [
    ("seed", 0), ("sample", 0), ("replay", 0), ("train", 0), ("measure", 0), ("analyze", 0), ("generate", 0),
    ("label", 0), ("join", 0), ("score", 1), ("evaluate", 1), ("sample", 1), ("replay", 1), ("train", 1),
    ("selftrain", 2), ("measure", 1), ("analyze", 1), ("generate", 1), ("label", 1), ("join", 1), ("train", 2),
    ("join", 2), ("finish", 2),
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


@pytest.mark.parametrize(
    ("node", "iteration", "moment"),
    [(node, iteration, "start") for node, iteration in CUTS] + [("train", 1, "end"), ("label", 0, "end")],
)
def test_a_run_cut_at_any_node_ends_as_an_unbroken_one(bench: Bench, node: str, iteration: int, moment: str) -> None:
    whole = bench.run(bench.config("one", self_training={"texts": 12}), "whole", run_id="id")
    paid = len(bench.fake.asked)

    def killer(event: str, name: str, number: int) -> None:
        if (event, name, number) == (moment, node, iteration):
            raise Killed

    config = bench.config("two", self_training={"texts": 12})
    with pytest.raises(Killed):
        bench.run(config, "cut", killer, run_id="id")
    cut = bench.run(config, "cut", run_id="id")
    assert without_ledger(contents(cut)) == without_ledger(contents(whole))
    assert len(bench.fake.asked) == 2 * paid


def without_ledger(files: dict[str, bytes]) -> dict[str, bytes]:
    """The two runs have a ledger each, so that both pay; its path in config.yaml differs, and what was cached."""

    def plain(name: str, data: bytes) -> bytes:
        if name == "config.yaml":
            return data.replace(b"one.sqlite", b"two.sqlite")
        return data

    return {name: plain(name, data) for name, data in files.items()}


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
        answered = ledger.execute("SELECT COUNT(*) FROM requests WHERE response IS NOT NULL").fetchone()[0]
    before = len(bench.fake.asked)
    cut = bench.run(bench.config("two"), "cut", run_id="id")
    assert without_ledger(contents(cut)) == without_ledger(contents(whole))
    assert len(bench.fake.asked) - before == paid - answered


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
