"""The task kind `pair`: rows of two texts, and how they are shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tasks.faults import UserError
from tasks.new import write_task
from tasks.pair import read
from tasks.task import Example, Task, load_task

SPEC = {"name": "t", "question": "Does it follow?", "labels": ["yes!", "no!"]}
ROWS = [
    {"premise": "A cat\n sleeps.", "hypothesis": "It rests.", "label": "yes!"},
    {"premise": "A cat sleeps.", "hypothesis": "It runs.", "label": "no!"},
]


def task(folder: Path, spec: dict[str, Any] | None = None, seed: list[dict[str, Any]] | None = None) -> Task:
    """A task in `folder`; `spec` is laid over the fields."""
    rows = {"seed": ROWS if seed is None else seed, "test": [{**ROWS[0], "premise": "Another one."}]}
    for part, content in rows.items():
        (folder / f"{part}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in content))
    data = {part: f"{part}.jsonl" for part in rows}
    return read({**SPEC, "data": data, **(spec or {})}, folder / "task.yaml")


def test_an_example_is_its_two_texts_a_line_each(tmp_path: Path) -> None:
    found = task(tmp_path)
    assert found.kind == "pair" and found.fields == ("premise", "hypothesis")
    assert found.seed == (Example("A cat sleeps.\nIt rests.", "yes!"), Example("A cat sleeps.\nIt runs.", "no!"))
    assert found.parts(found.seed[0].text) == ["A cat sleeps.", "It rests."]
    assert found.shown(found.seed[0].text) == "premise: A cat sleeps.\nhypothesis: It rests."
    assert found.line(found.seed[0].text, 16) == "premise: A cat s … | hypothesis: It r …"
    assert found.named() == {}, "a label's name is no pair"


def test_other_column_names(tmp_path: Path) -> None:
    rows = [{"a": "A cat sleeps.", "b": "It rests.", "label": "yes!"}]
    columns = {"columns": {"premise": "a", "hypothesis": "b"}}
    (tmp_path / "test.jsonl").write_text("")
    with pytest.raises(UserError) as caught:
        task(tmp_path, columns, rows)
    said = [str(fault).replace(f"{tmp_path}/", "") for fault in caught.value.faults]
    assert said == [
        "test.jsonl:1: expected a field 'a', got none. Fields there: premise, hypothesis, label. Set `columns.premise`."
    ]


def test_faults_name_the_row_and_the_field(tmp_path: Path) -> None:
    seed = [{"premise": "x", "label": "yes!"}, {"premise": "x", "hypothesis": " ", "label": "no!"}]
    with pytest.raises(UserError) as caught:
        task(tmp_path, seed=seed)
    said = [str(fault).replace(f"{tmp_path}/", "") for fault in caught.value.faults]
    assert said == [
        "seed.jsonl:1: expected a field 'hypothesis', got none. Fields there: premise, label. Set "
        "`columns.hypothesis`.",
        "seed.jsonl:2: expected a text, got ' '. Fill it in or remove the row.",
    ]


def test_an_unknown_column_is_told_with_those_of_this_kind(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Known fields: premise, hypothesis, label"):
        task(tmp_path, {"columns": {"text": "x"}})


def test_a_new_task_of_this_kind_loads(tmp_path: Path) -> None:
    write_task(tmp_path / "nli", "pair")
    found = load_task(str(tmp_path / "nli"))
    assert found.kind == "pair" and len(found.labels) == len(found.seed) == len(found.test) == 3
