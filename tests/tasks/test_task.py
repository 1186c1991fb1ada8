"""A task is found, checked as a whole, and its shots are drawn."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tasks.faults import UserError
from tasks.task import Example, Task, check_disjoint, find_task, load_task

YAML = "name: mine\nquestion: Happy?\nlabels: [a, b]\ndata: {seed: seed.jsonl, test: test.jsonl}\n"


def write(folder: Path, yaml: str = YAML) -> Path:
    rows = {"seed": [("s1", "a"), ("s2", "b")], "test": [("t1", "a")]}
    for part, examples in rows.items():
        lines = [json.dumps({"text": text, "label": label}) + "\n" for text, label in examples]
        (folder / f"{part}.jsonl").write_text("".join(lines))
    (folder / "task.yaml").write_text(yaml)
    return folder / "task.yaml"


def task(seed: str = "", dev: str = "", pool: str = "", test: str = "") -> Task:
    """A task of one-word texts; the label is the first letter."""
    parts = {"seed": seed, "dev": dev, "pool": pool, "test": test}
    examples = {name: tuple(Example(text, text[0].lower()) for text in words.split()) for name, words in parts.items()}
    return Task("mine", "classification", "English", "text", "?", {"a": "", "b": ""}, {}, notes=(), **examples)


def test_a_file_and_its_folder_are_the_same_task(tmp_path: Path) -> None:
    file = write(tmp_path)
    assert load_task(str(file)) == load_task(str(tmp_path))
    assert load_task(str(file)).seed == (Example("s1", "a"), Example("s2", "b"))


def test_a_folder_of_the_users_own_goes_before_a_bundled_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_task("avis_clients").parent.parent.name == "tasks"
    (tmp_path / "avis_clients").mkdir()
    write(tmp_path / "avis_clients")
    assert load_task("avis_clients").name == "mine"


def test_an_unknown_name_is_answered_with_the_bundled_ones() -> None:
    with pytest.raises(UserError, match=r"TASK: expected one of avis_clients, .*, or a task\.yaml, got 'avis'"):
        load_task("avis")


def test_yaml_that_does_not_parse_is_named(tmp_path: Path) -> None:
    file = write(tmp_path, "labels: [a, b\nname: x")
    with pytest.raises(UserError, match=r"task\.yaml: expected UTF-8 YAML, got .*line 2") as caught:
        load_task(str(file))
    assert "\n" not in str(caught.value)


def test_a_task_file_in_latin1_is_named(tmp_path: Path) -> None:
    file = write(tmp_path)
    file.write_bytes("name: été".encode("latin-1"))
    with pytest.raises(UserError, match=r"task\.yaml: expected UTF-8 YAML, got 'utf-8' codec"):
        load_task(str(file))


def test_a_task_file_that_is_a_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"expected a mapping of fields, got list"):
        load_task(str(write(tmp_path, "- a\n- b\n")))


@pytest.mark.parametrize("kind", ["poetry", "task", "../agent/cli", "null"])
def test_an_unknown_kind_is_answered_with_those_there_are(tmp_path: Path, kind: str) -> None:
    with pytest.raises(UserError, match=r"task\.yaml: kind: expected one of .*classification.*, got "):
        load_task(str(write(tmp_path, f"kind: {kind}\n{YAML}")))


@pytest.mark.parametrize(
    ("parts", "place"),
    [
        ({"test": "a1 b1", "seed": "A1"}, "data.seed and data.test"),
        ({"test": "a1 b1", "dev": "b1"}, "data.dev and data.test"),
        ({"test": "a1 b1", "pool": "a2 b1"}, "data.pool and data.test"),
        ({"dev": "a1", "seed": "a1"}, "data.seed and data.dev"),
        ({"dev": "a1", "pool": "a1"}, "data.pool and data.dev"),
    ],
)
def test_a_text_in_two_parts_is_one_fault(parts: dict[str, str], place: str) -> None:
    with pytest.raises(UserError) as caught:
        check_disjoint(task(**parts), Path("task.yaml"))
    (fault,) = caught.value.faults
    assert fault.where == f"task.yaml: {place}"
    assert fault.got.endswith("in both")
    assert place.split()[0].removeprefix("data.") in fault.remedy


def test_a_seed_text_may_stand_in_the_pool_and_leaves_it_when_drawn() -> None:
    both = task(seed="a1 b1", pool="a1 a2 B1 b2")
    check_disjoint(both, Path("task.yaml"))
    rest, shots = both.draw(1, np.random.default_rng(0))
    assert {shot.text for shot in shots} == {"a1", "b1"}
    assert [example.text for example in rest.pool] == ["a2", "b2"]


def test_each_label_gives_as_many_shots_without_repetition() -> None:
    _, shots = task(seed="a1 a2 a3 a4 b1 b2 b3").draw(3, np.random.default_rng(5))
    assert [shot.label for shot in shots] == ["a"] * 3 + ["b"] * 3
    assert len({shot.text for shot in shots}) == 6


def test_the_draw_depends_on_the_generator_alone() -> None:
    many = task(seed="a1 a2 a3 a4 a5 b1 b2 b3 b4 b5")
    draws = [many.draw(2, np.random.default_rng(seed))[1] for seed in (1, 1, 2, 3, 4)]
    assert draws[0] == draws[1]
    assert len(set(draws)) > 1


def test_every_label_with_too_few_examples_is_named() -> None:
    with pytest.raises(UserError) as caught:
        task(seed="a1 b1 b2").draw(3, np.random.default_rng(0))
    assert [fault.got for fault in caught.value.faults] == ["1 for 'a'", "2 for 'b'"]
    assert "at least 3 examples a label" in str(caught.value)


def with_labels(**labels: str) -> Task:
    return Task("t", "classification", "English", "text", "?", labels, {}, (), (), (), (), ())


def test_a_label_is_told_in_words_with_its_gloss() -> None:
    assert with_labels(card_arrival="", sci="science  papers").named() == {
        "card_arrival": "card arrival",
        "sci": "sci: science  papers",
    }
    assert with_labels(借款合同="").named() == {"借款合同": "借款合同"}


@pytest.mark.parametrize("label", ["0", "A", "1.5", "?", "_"])
def test_labels_that_say_nothing_are_not_told(label: str) -> None:
    assert with_labels(**{"positive": "", label: ""}).named() == {}
    assert with_labels(**{label: "what it means"}).named()[label].endswith(": what it means")


def test_seed_examples_that_are_not_learned_are_told_up_to_five_a_label() -> None:
    few = task(seed="a1 a2 a3 a4 b1 b2 b3")
    assert few.unused(1) == ["seed: 1 of 3 examples a label learned; --set shots=3 learns 3"]
    assert few.unused(3) == []
    many = task(seed=" ".join(f"{label}{number}" for label in "ab" for number in range(1000)))
    assert many.unused(2) == ["seed: 2 of 1,000 examples a label learned; --set shots=5 learns 5"]
    assert many.unused(5) == []


def test_texts_without_an_entity_are_drawn_too_as_many_as_of_a_label_where_there_are_any() -> None:
    entities = replace(task(seed="a1 a2 b1 b2 O1 O2"), spans=True)  # the label is the first letter
    spoken = replace(entities, seed=tuple(replace(one, label=one.label.upper()) for one in entities.seed))
    for shots in (1, 2):
        _, drawn = replace(spoken, labels={"A": "", "B": ""}).draw(shots, np.random.default_rng(0))
        assert [one.label for one in drawn] == [label for label in "ABO" for _ in range(shots)]
    _, drawn = replace(task(seed="a1 b1"), spans=True).draw(1, np.random.default_rng(0))
    assert len(drawn) == 2
