"""A grid from the command to its table: real runs of a tiny student with the fake teacher."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from agent.cli import main
from agent.config import dump
from agent.experiments import collect
from agent.experiments.cells import Arm, Grid, make_grid
from agent.experiments.drive import done
from agent.experiments.kept import done_of
from agent.experiments.tables import comma_separated
from agent.run import WRITTEN_LENGTH
from agent.rundir import RunDir, read_json, read_jsonl, write_json, write_text
from tasks.faults import UserError
from tasks.task import load_task
from tests.fakes.fake_teacher import FakeTeacher
from tests.fakes.tiny_model import tiny_model
from tests.fakes.toy import toy_answer, write_toy


@pytest.fixture
def fake() -> Iterator[FakeTeacher]:
    with closing(FakeTeacher(toy_answer, labels=("warm", "cold"), noisy=0.1)) as teacher:
        yield teacher


@pytest.fixture
def words(fake: FakeTeacher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """`evokd ablate` of the toy task with two arms and two seeds."""
    monkeypatch.chdir(tmp_path)
    recipe = {
        "student": {"model": str(tiny_model(tmp_path / "model")), "device": "cpu", "dtype": "float32",
                    "min_steps": 2, "epochs": 1, "max_length": 16},
        "batch": {"hard": 2, "easy": 2, "pool": 4},
        "teacher": {"base_url": fake.base_url, "model": fake.model, "attempts": 1},
    }  # fmt: skip
    Path("recipe.yaml").write_text(yaml.safe_dump(recipe))
    return ["ablate", str(write_toy(tmp_path / "toy")), "--strategies", "pool_random,full_shot", "--without", "review",
            "--seeds", "1..2", "--budget-tokens", "1500", "--runs", "grid", "--recipe", "recipe.yaml"]  # fmt: skip


def evokd(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["evokd", *words])
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_a_grid_runs_counts_shared_calls_as_paid_is_tabled_and_not_run_twice(
    words: list[str], fake: FakeTeacher, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = evokd(monkeypatch, capsys, words)
    assert code == 0, err
    assert "cell 6 of 6: " in err and "6 of 6 cells done" in out
    with Path("grid/table.csv").open() as file:
        rows = {row["arm"]: row for row in csv.DictReader(file)}
    assert set(rows) == {"pool_random", "full_shot", "pool_random without review"}
    assert all(row["seeds"] == "1 2" for row in rows.values())
    results = [read_json(path) for path in sorted(Path("grid").glob("toy-pool_random-s?/result.json"))]
    mean = sum(result["metric"]["test"] for result in results) / 2
    assert float(rows["pool_random"]["macro_f1"]) == pytest.approx(mean)
    assert rows["pool_random"]["minus_control"] == "" and rows["full_shot"]["minus_control"] != ""
    assert float(rows["pool_random"]["teacher_tokens"]) <= 1500 < 2 * float(rows["pool_random"]["teacher_tokens"])
    assert rows["full_shot"]["teacher_tokens"] == "0.0" and float(rows["full_shot"]["share_of_full_shot"]) == 1
    page = Path("grid/grid.html").read_text()
    assert "macro-F1 over teacher tokens" in page and "<svg" in page

    # cells.jsonl alone gives the table again, and holds no text and no path
    kept = read_jsonl(Path("grid/cells.jsonl"))
    done = [done_of(row) for row in kept]
    again = collect.rows(Grid(tuple(one.cell for one in done), Path(), 1500), done, "pool_random")
    assert comma_separated(again) == Path("grid/table.csv").read_text()
    assert rows["pool_random"]["labels_right"] == "1.0" or 0.5 < float(rows["pool_random"]["labels_right"]) < 1
    said = Path("grid/cells.jsonl").read_text()
    assert str(Path.cwd()) not in said
    assert not [text.text for text in load_task(words[1]).test if text.text in said]

    # what another cell paid is counted as if paid
    one = read_json(Path("grid/toy-pool_random-s1/result.json"))["teacher"]
    other = read_json(Path("grid/toy-pool_random-no_review-s1/result.json"))["teacher"]
    assert other["cached_calls"] == other["calls"] > 0
    assert other["prompt_tokens"] == one["prompt_tokens"] > 0

    asked = len(fake.bodies)
    code, out, _ = evokd(monkeypatch, capsys, [*words, "--json"])
    assert code == 0 and len(fake.bodies) == asked
    assert {row["arm"] for row in json.loads(out)} == set(rows)


def test_a_cell_that_was_cut_goes_on_and_other_settings_are_refused(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["1" if word == "1..2" else word for word in words]
    code, _, err = evokd(monkeypatch, capsys, words)
    assert code == 0, err
    before = read_json(Path("grid/toy-pool_random-s1/result.json"))
    Path("grid/toy-pool_random-s1/result.json").unlink()
    code, _, err = evokd(monkeypatch, capsys, words)
    assert code == 2 and "result.json of a run that ended" in err and "cell toy-pool_random-s1" in err
    for cell in ("pool_random", "full_shot"):  # as if cut before the run began
        folder = Path(f"grid/toy-{cell}-s1")
        shutil.rmtree(folder)
        folder.mkdir()
        write_json(folder / "run.json", {})
    code, out, err = evokd(monkeypatch, capsys, words)
    assert code == 0 and "3 of 3 cells done" in out and err.count("cell ") == 2
    after = read_json(Path("grid/toy-pool_random-s1/result.json"))
    assert after["curve"] == before["curve"]
    code, _, err = evokd(monkeypatch, capsys, [*words, "--budget-tokens", "900"])
    assert code == 2 and "budget: tokens 1500 before, 900 now" in err


def test_a_cell_that_was_cut_goes_on_at_the_address_given_now(
    words: list[str], fake: FakeTeacher, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["1" if word == "1..2" else word for word in words]
    fake.fail = 12  # each twelfth call, and of none is there a second try
    code, _, err = evokd(monkeypatch, capsys, words)
    assert code == 2 and "failed tries" in err and Path("grid/toy-pool_random-s1/config.yaml").exists()
    with closing(FakeTeacher(toy_answer, labels=("warm", "cold"), noisy=0.1)) as other:
        there = ["--set", f"teacher.base_url={other.base_url}", "--set", "teacher.timeout=7"]
        code, out, err = evokd(monkeypatch, capsys, [*words, *there])
        assert code == 0 and "3 of 3 cells done" in out, err
        written = yaml.safe_load(Path("grid/toy-pool_random-s1/config.yaml").read_text())["teacher"]
        assert (written["base_url"], written["timeout"]) == (other.base_url, 7.0)


def test_an_empty_grid_folder_has_an_empty_table(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = evokd(monkeypatch, capsys, [*words, "--table"])
    assert code == 0 and "0 of 6 cells done" in out
    code, out, _ = evokd(monkeypatch, capsys, [*words, "--table", "--json"])
    assert code == 0 and json.loads(out) == []
    write_json(Path("grid/notes.json"), {})
    assert evokd(monkeypatch, capsys, [*words, "--table"])[0] == 0


def test_what_a_run_settles_of_what_was_left_open_is_not_taken_for_another_setting(tmp_path: Path) -> None:
    model = str(tiny_model(tmp_path / "model"))
    grid = make_grid(["everyday_choices"], [Arm("evokd")], [1], tmp_path, sets=[f"student.model={model}"])
    cell, run = grid.cells[0], RunDir(grid.root(grid.cells[0]))
    asked = grid.config(cell)
    longer = asked.student.model_copy(update={"max_length": WRITTEN_LENGTH, "head": "seed", "device": "cpu"})
    write_text(run.config, dump(asked.model_copy(update={"student": longer})))
    assert done(grid, cell) is False, "its answers are written out, for which a run makes room"
    write_text(run.config, dump(asked.model_copy(update={"student": longer.model_copy(update={"epochs": 1})})))
    with pytest.raises(UserError, match=r"student: epochs 1 before"):
        done(grid, cell)
