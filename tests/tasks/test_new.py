"""`tasks new` writes a task that runs as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.faults import UserError
from tasks.new import write_task
from tasks.task import load_task


@pytest.mark.parametrize("name", ["reviews", "2024", "on", "été & co: déjà", "null"])
def test_the_new_task_loads_under_any_name(tmp_path: Path, name: str) -> None:
    written = write_task(tmp_path / name, "classification")
    assert [path.name for path in written] == ["task.yaml", "seed.jsonl", "test.jsonl"]
    task = load_task(str(tmp_path / name))
    assert task.name == name
    assert list(task.labels) == ["satisfied", "dissatisfied"]
    assert {example.label for example in task.seed} == {example.label for example in task.test} == set(task.labels)
    assert not task.pool and not task.notes


def test_the_comments_of_the_file_name_every_other_field(tmp_path: Path) -> None:
    text = write_task(tmp_path / "x", "classification")[0].read_text()
    assert all(f"# {field}:" in text or f"\n{field}:" in text for field in ("labels", "columns", "attributes"))
    assert "pool:" in text and "dev:" in text and "datasets.load_dataset" in text


def test_an_existing_folder_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(UserError, match=r"NAME: expected a new folder, got .*mine, which exists"):
        write_task(tmp_path / "mine", "classification")
    assert not list((tmp_path / "mine").iterdir())


def test_an_unknown_kind_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"kind: expected one of .*classification"):
        write_task(tmp_path / "mine", "poetry")
    assert not list(tmp_path.iterdir())
