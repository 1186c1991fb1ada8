"""A grid on a real Ray cluster of two nodes on loopback, with a worker killed in the middle."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest
from ray.cluster_utils import Cluster

from agent.experiments.cells import Arm, Grid, make_grid
from agent.experiments.drive import run_grid
from agent.experiments.on_ray import Silent, run_grid_on_ray
from agent.rundir import RunDir, read_json, read_jsonl
from tasks.faults import UserError
from tests.fakes.fake_teacher import FakeTeacher
from tests.fakes.tiny_model import tiny_model
from tests.fakes.toy import toy_answer, write_toy

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.cluster


@pytest.fixture
def fake() -> Iterator[FakeTeacher]:
    with closing(FakeTeacher(toy_answer, labels=("warm", "cold"), latency=0.2)) as teacher:
        yield teacher


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a cluster of two nodes with one processor each."""
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("RAY_DISABLE_MEMORY_MONITOR", "1")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_worker_niceness", "0")
    node = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False}
    made = Cluster(initialize_head=True, head_node_args=node)
    made.add_node(**{name: value for name, value in node.items() if name != "include_dashboard"})
    yield made.address
    made.shutdown()
    monkeypatch.undo()


def grid(fake: FakeTeacher, root: Path, folder: str, seeds: Sequence[int] = (1, 2), **teacher: Any) -> Grid:
    """A strategy by seeds, with a teacher that takes its time."""
    recipe = {
        "iterations": 3,
        "student": {"model": str(tiny_model(root / "model")), "device": "cpu", "dtype": "float32",
                    "min_steps": 2, "epochs": 1, "max_length": 16},
        "batch": {"pool": 4},
        "teacher": {"base_url": fake.base_url, "model": fake.model, "max_concurrency": 1,
                    "ledger": str(root / f"{folder}.sqlite"), **teacher},
    }  # fmt: skip
    return make_grid([str(write_toy(root / "toy"))], [Arm("pool_random")], list(seeds), root / folder, None, recipe)


def kill_a_worker(run: RunDir, killed: list[int]) -> None:
    """SIGKILL to the process that runs `run`, once its first iteration is measured."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if run.metrics.exists():
            for process in psutil.process_iter(["pid", "cmdline"]):
                if run.root.name in " ".join(process.info["cmdline"] or []):
                    os.kill(process.info["pid"], signal.SIGKILL)
                    killed.append(process.info["pid"])
                    return
        time.sleep(0.05)


def test_no_cell_is_lost_or_counted_twice_when_a_worker_dies(fake: FakeTeacher, cluster: str, tmp_path: Path) -> None:
    there, here = grid(fake, tmp_path, "there"), grid(fake, tmp_path, "here")
    killed: list[int] = []
    watch = threading.Thread(target=kill_a_worker, args=(RunDir(there.root(there.cells[0])), killed))
    watch.start()
    run_grid_on_ray(there, cluster, None, Silent())
    watch.join()
    assert len(killed) == 1
    run_grid(here, Silent())
    for cell in there.cells:
        one, other = RunDir(there.root(cell)), RunDir(here.root(cell))
        assert read_json(one.result)["curve"] == read_json(other.result)["curve"]
        spent = [read_json(run.result)["teacher"] for run in (one, other)]
        assert {**spent[0], "cached_calls": 0} == {**spent[1], "cached_calls": 0} and spent[0]["calls"] > 0
        assert max(Counter(row["id"] for row in read_jsonl(one.history)).values()) == 1
    asked = len(fake.bodies)
    run_grid_on_ray(there, cluster, None, Silent())
    assert len(fake.bodies) == asked


def test_the_faults_of_a_cell_come_back_and_no_cluster_is_a_mistake(
    fake: FakeTeacher, cluster: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError) as failed:
        run_grid_on_ray(grid(fake, tmp_path, "no", (1,), base_url="http://127.0.0.1:9/v1"), cluster, 0, Silent())
    assert "got no connection" in str(failed.value) and "cell toy-pool_random-s1" in str(failed.value)
    with pytest.raises(UserError, match=r"--ray: expected a Ray cluster at .127\.0\.0\.1:9"):
        run_grid_on_ray(grid(fake, tmp_path, "none"), "127.0.0.1:9", 0, Silent())
