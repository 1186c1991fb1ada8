"""The student of a run trained again with other settings: which, resumed how, and what is shown of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.cli import app
from agent.config import StudentConfig, resolve
from agent.experiments.sweep import OWN, Arm, Trained, arms, sweep
from agent.experiments.sweep_page import explained, lines_of, sweep_markdown, sweep_page
from agent.progress import Progress
from agent.run import launch
from agent.rundir import read_json
from tasks.faults import UserError
from tests.fakes.fake_teacher import FakeTeacher
from tests.fakes.tiny_model import tiny_model
from tests.fakes.toy import COLD, WARM, toy_answer, write_toy

CONFIG = resolve({"task": "toy", "student": {"lora": {"rank": 8}}})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A finished run on seed examples alone, with a real student of two layers."""
    root = tmp_path_factory.mktemp("sweep")
    tiny_model(root / "tiny", words=[*WARM, *COLD])
    with closing(FakeTeacher(toy_answer)) as fake:
        student = {"model": str(root / "tiny"), "device": "cpu", "dtype": "float32", "min_steps": 20, "max_length": 16}
        teacher = {"base_url": fake.base_url, "model": fake.model, "ledger": str(root / "ledger.sqlite")}
        launch(
            resolve({"task": str(write_toy(root / "toy")), "strategy": "seed_only", "iterations": 0, "shots": 4,
                     "student": student, "teacher": teacher}), root / "run", Progress(),
        )  # fmt: skip
        yield root / "run"


def test_each_value_is_an_arm_and_the_runs_own_stands_once() -> None:
    found = arms(CONFIG, ["student.lora.rank=4, 8,16", "student.epochs=2"])
    assert [arm.name for arm in found] == [OWN, "lora.rank=4", "lora.rank=16", "epochs=2"]
    assert [arm.student.lora.rank for arm in found] == [8, 4, 16, 8]
    assert found[-1].student.epochs == 2


def test_every_fault_of_the_settings_is_told_at_once() -> None:
    with pytest.raises(UserError) as caught:
        arms(CONFIG, ["batch.hard=4", "student.lora.rank=0,x", "student.rank=4"])
    assert [fault.where for fault in caught.value.faults] == [
        "--vary", "--vary: student.lora.rank", "--vary: student.lora.rank", "--vary: student.rank",
    ]  # fmt: skip


def test_a_run_that_has_not_ended_is_not_swept(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("task: x\n")
    with pytest.raises(UserError, match="RUN: expected a run that has ended"):
        sweep(tmp_path, ["student.lora.rank=4"], [1], Progress())


def test_the_command_trains_what_is_missing_and_shows_what_it_took(run: Path) -> None:
    before = read_json(run / "result.json")
    asked = ["sweep", str(run), "--vary", "student.lora.rank=2", "--seeds", "1"]
    said = CliRunner().invoke(app, asked, catch_exceptions=False)
    assert said.exit_code == 0, said.output
    assert "lora.rank=2" in said.stdout and OWN in said.stdout
    records = {read_json(path)["setting"]: read_json(path) for path in (run / "sweep").glob("*.json")}
    assert set(records) == {OWN, "lora.rank=2"}
    own, small = records[OWN], records["lora.rank=2"]
    assert own["trainable_parameters"] > small["trainable_parameters"]
    assert 0 <= own["test"] <= 1 and 0 <= own["dev"] <= 1
    assert len(own["losses"]) == own["steps"] == 20 and own["losses"][-1] < own["losses"][0]
    assert own["peak_memory"] > 50e6 and own["seconds"] > 0
    assert (run / "sweep" / "sweep.html").read_text(encoding="utf-8").count("<figure") == 5
    assert read_json(run / "result.json") == before and not list(run.glob("**/adapter_swept*"))

    times = {path: path.stat().st_mtime_ns for path in (run / "sweep").glob("*.json")}
    again = CliRunner().invoke(app, asked, catch_exceptions=False)
    assert again.stdout == said.stdout
    assert {path: path.stat().st_mtime_ns for path in (run / "sweep").glob("*.json")} == times


def trained(arm: Arm, seed: int, test: float, dev: float | None = None) -> Trained:
    found = {
        "metric": "macro_f1",
        "losses": [2.0] * 18 + [1.0, 0.5],
        "trainable_parameters": 1000,
        "peak_memory": 3e8 + seed,
        "seconds": 2.0,
    }
    return Trained(arm, seed, {**found, "test": test, "dev": dev})


def test_a_line_is_the_mean_over_seeds_and_the_most_memory() -> None:
    own, small = Arm("", "", StudentConfig()), Arm("student.epochs", "2", StudentConfig(epochs=2))
    lines = lines_of([trained(own, 1, 0.6), trained(own, 2, 0.8), trained(small, 1, 0.5)])
    assert [line.test for line in lines] == pytest.approx([0.7, 0.5])
    assert lines[0].std == pytest.approx(0.1414, abs=1e-4) and lines[1].std is None
    assert lines[0].loss == pytest.approx(0.75) and lines[0].memory == 3e8 + 2
    text = sweep_markdown(lines)
    assert "| as the run had it | 2 | 70.0 ± 14.1 | – | 0.750 | 20 | 1,000 | 300 | 2.0 |" in text
    assert "no dev set" in text and "no dev set" not in explained(lines_of([trained(own, 1, 0.6, dev=0.7)]))
    page = sweep_page(lines, "<a run>")
    assert "&lt;a run&gt;" in page and "student.epochs" in page and "http" not in page
