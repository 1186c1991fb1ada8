"""The configuration: recipe, `--set`, and every fault in one message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from agent.config import PARTS, dump, merged, read_recipe, resolve
from tasks.faults import UserError


def faults(recipe: dict[str, Any], *sets: str) -> list[str]:
    with pytest.raises(UserError) as caught:
        resolve(recipe, sets, "my.yaml")
    return [str(fault) for fault in caught.value.faults]


def test_a_task_alone_is_a_whole_configuration() -> None:
    config = resolve({"task": "t"})
    assert (config.strategy, config.without, config.seed, config.shots) == ("evokd", (), 1, 1)
    assert config.teacher.mode == "live"


def test_nothing_can_be_changed_afterwards() -> None:
    config = resolve({"task": "t"})
    with pytest.raises(ValidationError):
        config.seed = 2  # type: ignore[misc]
    with pytest.raises(ValidationError):
        config.student.epochs = 2  # type: ignore[misc]


def test_set_goes_over_the_recipe_and_leaves_it_alone() -> None:
    recipe = {"task": "t", "student": {"epochs": 3, "batch_size": 4}}
    config = resolve(recipe, ["student.epochs=5", "without=[easy, review]", "teacher.price.prompt=1",
                              "teacher.price.completion=2.5", "budget.tokens=null"])  # fmt: skip
    assert (config.student.epochs, config.student.batch_size) == (5, 4)
    assert config.without == ("easy", "review")
    assert config.teacher.price is not None and config.teacher.price.completion == 2.5
    assert config.budget.tokens is None
    assert recipe == {"task": "t", "student": {"epochs": 3, "batch_size": 4}}


def test_set_keeps_equals_signs_and_text_that_is_no_yaml() -> None:
    config = resolve({"task": "t"}, ["teacher.base_url=http://h/v1?a=b", "teacher.model=[x"])
    assert config.teacher.base_url == "http://h/v1?a=b"
    assert config.teacher.model == "[x"


def test_the_last_set_of_a_field_counts() -> None:
    assert resolve({"task": "t"}, ["seed=2", "seed=3"]).seed == 3


def test_what_is_dumped_resolves_to_the_same() -> None:
    config = resolve(
        {"task": "été"}, ["student.lora.target_modules=[query]", "teacher.ledger=x/l.sqlite", "batch.hard=3"]
    )
    assert resolve(yaml.safe_load(dump(config))) == config
    assert "été" in dump(config)


def test_every_fault_of_the_recipe_comes_at_once() -> None:
    said = faults({"task": "t", "seed": -1, "student": {"epochs": "many", "epoch": 2}, "replay": {"policy": "some"}})
    assert len(said) == 4
    assert "my.yaml: student.epoch: expected a known field, got 'epoch'. Did you mean 'epochs'?" in said
    assert "my.yaml: seed: expected greater than or equal to 0, got -1. Change the value." in said
    assert any("'uniform', 'balanced' or 'periodic', got 'some'" in line for line in said)


def test_every_malformed_set_comes_at_once() -> None:
    said = faults({"task": "t"}, "epochs", "=3", "task.name=x")
    assert [line.split(": expected")[0] for line in said] == ["--set", "--set", "--set task.name"]
    assert "expected field=value, got 'epochs'" in said[0]


def test_a_field_unlike_any_is_answered_with_those_there_are() -> None:
    assert faults({"task": "t"}, "budget.xyz=1") == [
        "my.yaml: budget.xyz: expected a known field, got 'xyz'. Known fields: tokens, cost, calls, minutes."
    ]


def test_the_fields_of_a_section_that_may_be_absent_are_known_too() -> None:
    said = faults({"task": "t", "teacher": {"price": {"prompt": 1, "completion": 1, "input": 1}}})
    assert said == [
        "my.yaml: teacher.price.input: expected a known field, got 'input'. Known fields: prompt, completion."
    ]


def test_a_part_that_cannot_be_left_out_is_answered_with_those_that_can() -> None:
    (said,) = faults({"task": "t", "without": ["train"]})
    assert "without.0" in said and "'train'" in said
    assert all(repr(part) in said for part in PARTS)


def test_a_missing_task_is_named() -> None:
    assert faults({}) == ["my.yaml: task: expected a value, got nothing. Give it, e.g. --set task=…"]


def test_merged_goes_down_into_sections() -> None:
    assert merged({"a": {"x": 1, "y": 1}, "b": 1}, {"a": {"y": 2}, "b": {"z": 3}}) == {
        "a": {"x": 1, "y": 2}, "b": {"z": 3},
    }  # fmt: skip


def test_a_recipe_is_a_mapping_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text("seed: 3\n")
    assert read_recipe(tmp_path / "good.yaml") == {"seed": 3}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"- a\n", "a mapping of fields, got list"),
        (b"", "a mapping of fields, got NoneType"),
        (b"a: [", "UTF-8 YAML"),
        (b"\xff", "UTF-8 YAML"),
    ],
)
def test_a_file_that_is_no_recipe_is_named(tmp_path: Path, content: bytes, expected: str) -> None:
    (tmp_path / "bad.yaml").write_bytes(content)
    with pytest.raises(UserError, match=expected) as caught:
        read_recipe(tmp_path / "bad.yaml")
    assert "bad.yaml" in str(caught.value) and "\n" not in str(caught.value)


def test_a_recipe_that_is_not_there_or_a_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--recipe: expected a file, got .*none\.yaml"):
        read_recipe(tmp_path / "none.yaml")
    with pytest.raises(UserError, match="expected UTF-8 YAML"):
        read_recipe(tmp_path)
