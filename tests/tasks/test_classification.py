"""The fields of a classification task.yaml, its rows, and its metrics worked by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tasks.classification import LENGTHS, metrics, read
from tasks.faults import UserError
from tasks.task import Example, Task

GOOD = [{"text": "lovely", "label": "yes!"}, {"text": "awful", "label": "no!"}]
TEST = [{"text": "fine", "label": "yes!"}]
SPEC = {"name": "t", "question": "Happy?", "labels": ["yes!", "no!"]}


def task(folder: Path, spec: dict[str, Any] | None = None, **parts: list[dict[str, Any]]) -> Task:
    """A task in `folder` with the rows of each part; `spec` is laid over the fields."""
    rows = {"seed": GOOD, "test": TEST, **parts}
    for part, content in rows.items():
        (folder / f"{part}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in content))
    data = {part: f"{part}.jsonl" for part in rows}
    return read({**SPEC, "data": data, **(spec or {})}, folder / "task.yaml")


def faults(folder: Path, spec: dict[str, Any] | None = None, **parts: list[dict[str, Any]]) -> list[str]:
    with pytest.raises(UserError) as caught:
        task(folder, spec, **parts)
    return [str(fault).replace(f"{folder}/", "") for fault in caught.value.faults]


def test_metrics_worked_by_hand() -> None:
    found = metrics(["a", "a", "b", "b"], ["a", "b", "b", "b"], ["a", "b"])
    assert found["n"] == 4
    assert found["accuracy"] == 0.75
    assert found["per_class"]["a"] == pytest.approx({"precision": 1, "recall": 1 / 2, "f1": 2 / 3, "support": 2})
    assert found["per_class"]["b"] == pytest.approx({"precision": 2 / 3, "recall": 1, "f1": 4 / 5, "support": 2})
    assert found["macro_f1"] == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert found["macro_precision"] == pytest.approx(5 / 6)
    assert found["macro_recall"] == pytest.approx(3 / 4)
    assert found["confusion"] == {"labels": ["a", "b"], "matrix": [[1, 1], [0, 2]]}


def test_a_class_that_nobody_named_counts_as_zero_in_the_macro_mean() -> None:
    found = metrics(["a"], ["a"], ["a", "b"])
    assert found["accuracy"] == 1
    assert found["macro_f1"] == 0.5
    assert found["per_class"]["b"]["support"] == 0


def test_labels_may_be_a_list_or_carry_descriptions(tmp_path: Path) -> None:
    assert task(tmp_path).labels == {"yes!": "", "no!": ""}
    described = task(tmp_path, {"labels": {"yes!": "happy", "no!": None}})
    assert described.labels == {"yes!": "happy", "no!": ""}


def test_labels_that_are_numbers_match_numbers_in_the_data(tmp_path: Path) -> None:
    found = task(tmp_path, {"labels": [0, 1]}, seed=[{"text": "x", "label": 1}], test=[{"text": "y", "label": "0"}])
    assert found.seed == (Example("x", "1"),)
    assert found.test == (Example("y", "0"),)


@pytest.mark.parametrize(
    "labels", [["one"], {"one": ""}, "one", [], ["a", "a"], ["a", "A"], ["a", " "], [{"a": "x"}, {"b": "y"}]]
)
def test_labels_that_cannot_be_told_apart_are_one_fault(tmp_path: Path, labels: Any) -> None:
    (said,) = faults(tmp_path, {"labels": labels})
    assert said.startswith("task.yaml: labels: expected ") and "labels" in said.split("expected")[1]


def test_own_attributes_join_the_default_ones_and_may_replace_them(tmp_path: Path) -> None:
    found = task(tmp_path, {"attributes": {"subject": ["hotel"], "register": ["curt"]}})
    assert found.attributes == {"length": LENGTHS, "register": ("curt",), "subject": ("hotel",)}
    assert "attribute" in faults(tmp_path, {"attributes": {"subject": []}})[0]


def test_all_faults_of_the_fields_come_at_once(tmp_path: Path) -> None:
    said = faults(tmp_path, {"labels": ["a"], "question": None, "langage": "fr", "data": {"seed": "x", "tset": "y"}})
    assert len(said) == 5
    assert "task.yaml: question: expected a valid string, got None. Change the value." in said
    assert "task.yaml: data.test: expected a value, got nothing. Add the field." in said
    assert "task.yaml: data.tset: expected a known field, got 'tset'. Known fields: seed, test, dev, pool." in said
    assert any(line.startswith("task.yaml: langage: expected a known field") and "language" in line for line in said)


def test_a_missing_field_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        read({"name": "t"}, tmp_path / "task.yaml")
    assert sorted(fault.where.split(": ")[1] for fault in caught.value.faults) == ["data", "labels", "question"]


def test_all_faults_of_the_data_come_at_once_with_their_lines(tmp_path: Path) -> None:
    seed = [GOOD[0], {"text": "meh", "label": "maybe"}, {"text": " ", "label": "no!"}, {"text": 5, "label": "no!"}]
    said = faults(tmp_path, seed=seed, test=[{"txt": "x", "label": "no!"}, {"text": "y"}])
    assert said == [
        "seed.jsonl:2: expected a label of the task (yes!, no!), got 'maybe'. Mend the row, or add the label to the "
        "task.",
        "seed.jsonl:3: expected a text, got ' '. Fill it in or remove the row.",
        "seed.jsonl:4: expected a text, got 5. Fill it in or remove the row.",
        "test.jsonl:1: expected a field 'text', got none. Fields there: txt, label. Set `columns.text`.",
        "test.jsonl:2: expected a label in 'label', got none. Fill it in, or set `columns.label`.",
    ]


def test_a_part_without_a_row_is_a_fault(tmp_path: Path) -> None:
    assert faults(tmp_path, test=[], pool=[]) == [
        "task.yaml: data.test: expected at least one row, got none. Add rows.",
        "task.yaml: data.pool: expected at least one row, got none. Add rows, or leave the field out.",
    ]


def test_other_column_names(tmp_path: Path) -> None:
    spec = {"columns": {"text": "body", "label": "class"}}
    rows = [{"body": "x", "class": "yes!", "text": "not this"}]
    assert task(tmp_path, spec, seed=rows, test=[{"body": "y", "class": "no!"}]).seed == (Example("x", "yes!"),)


def test_a_pool_needs_no_labels_but_a_wrong_one_is_a_fault(tmp_path: Path) -> None:
    assert task(tmp_path, pool=[{"text": "x"}, {"text": "y", "label": "no!"}]).pool == (
        Example("x", None),
        Example("y", "no!"),
    )
    assert "pool.jsonl:1: expected a label of the task" in faults(tmp_path, pool=[{"text": "x", "label": "?"}])[0]


def test_repeated_texts_are_noted_and_counted_once_in_the_pool_alone(tmp_path: Path) -> None:
    twice = [{"text": "Late again", "label": "no!"}, {"text": "late  AGAIN", "label": "no!"}]
    found = task(tmp_path, pool=twice, test=[{"text": "ok", "label": "yes!"}, {"text": "OK", "label": "yes!"}])
    assert [example.text for example in found.pool] == ["Late again"]
    assert len(found.test) == 2
    assert sorted(found.notes) == [
        "pool: 1 texts repeat an earlier one (left out)",
        "test: 1 texts repeat an earlier one (kept)",
    ]
