"""A whole run in a test: the real graph, nodes and teacher client, on the fake teacher and the fake student."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.config import RunConfig, dump
from agent.graph import drawing
from agent.plan import configure, needs_teacher, plan_of
from agent.run import identity, stream
from agent.rundir import RunDir, write_json, write_text
from agent.state import Context, rng
from agent.teacher.teacher import open_teacher
from tasks.task import load_task
from tests.fakes.fake_answerer import FakeAnswerer
from tests.fakes.fake_student import FakeStudent
from tests.fakes.fake_tagger import FakeTagger
from tests.fakes.fake_teacher import FakeTeacher
from tests.fakes.fake_writer import FakeWriter
from tests.fakes.toy import toy_answer, write_toy

Notify = Callable[[str, str, int], None]
SETTINGS: dict[str, Any] = {"iterations": 2, "shots": 2, "batch": {"hard": 4, "easy": 2, "pool": 6},
                            "self_training": {"texts": 0}}  # fmt: skip


def quiet(event: str, node: str, iteration: int) -> None:
    """Nobody watches."""


class Bench:
    """Runs the loop in folders below `root`, all with one fake teacher and one task."""

    def __init__(self, root: Path, fake: FakeTeacher) -> None:
        self.root, self.fake = root, fake
        self.task = write_toy(root / "toy")

    def config(self, ledger: str = "ledger", **fields: Any) -> RunConfig:
        teacher = {"base_url": self.fake.base_url, "model": self.fake.model, "attempts": 2}
        teacher |= {"ledger": str(self.root / f"{ledger}.sqlite")} | fields.pop("teacher", {})
        return configure({"task": str(self.task), **SETTINGS, "teacher": teacher, **fields})

    def run(self, config: RunConfig, name: str, notify: Notify = quiet, run_id: str | None = None) -> RunDir:
        """Starts the run `name`, or goes on with it."""
        task = load_task(config.task)
        plan = plan_of(config, task)
        rest, shots = task.draw(config.shots, rng(config.seed, 0, "shots"))
        run = RunDir(self.root / name)
        run.root.mkdir(parents=True, exist_ok=True)
        if not run.identity.exists():
            write_json(run.identity, {**identity(task), "id": run_id or name})
            write_text(run.config, dump(config))
            write_text(run.graph, drawing(plan))
        with closing(
            open_teacher(config.teacher, config.budget, run_id or name, needed=needs_teacher(plan))
        ) as teacher:
            writer = FakeAnswerer if task.free else FakeWriter
            student = (FakeTagger if task.spans else writer if task.written else FakeStudent)(list(task.labels))
            stream(Context(config, rest, shots, run, teacher, student, notify), plan)
        return run


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with closing(FakeTeacher(toy_answer, labels=("warm", "cold"), noisy=0.1)) as fake:
        yield Bench(tmp_path, fake)
