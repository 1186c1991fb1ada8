"""Task kind ner: both forms of its data, every fault with its line, and its measures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks import ner
from tasks.faults import UserError
from tasks.ner import examined, said, target
from tasks.new import write_task
from tasks.task import Entity, Example, Task, load_task

LABELS = ["person", "place"]
GOOD = {"text": "Ann Lee left Oslo.", "entities": [{"start": 13, "end": 17, "label": "place"},
                                                    {"start": 0, "end": 7, "label": "person"}]}  # fmt: skip
TOKENS = {"tokens": ["Ann", "Lee", "left", "Rome", "."], "tags": ["B-person", "I-person", "O", "B-place", "O"]}


def write(folder: Path, *seed: Any, labels: str = "[person, place]") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "seed.jsonl").write_text("".join(json.dumps(row) + "\n" for row in seed), encoding="utf-8")
    (folder / "test.jsonl").write_text(json.dumps({"text": "Nobody came.", "entities": []}) + "\n")
    (folder / "task.yaml").write_text(
        f"name: t\nkind: ner\nquestion: Who and where?\nlabels: {labels}\n"
        "data: {seed: seed.jsonl, test: test.jsonl}\n"
    )
    return folder / "task.yaml"


def read(folder: Path, *seed: Any, labels: str = "[person, place]") -> Task:
    return load_task(str(write(folder, *seed, labels=labels)))


def test_offsets_and_bio_are_the_same_entities(tmp_path: Path) -> None:
    one, other = read(tmp_path, GOOD, TOKENS).seed
    assert one == Example(GOOD["text"], "person", (Entity(0, 7, "person"), Entity(13, 17, "place")))
    assert other.text == "Ann Lee left Rome ."
    assert other.entities == (Entity(0, 7, "person"), Entity(13, 17, "place"))
    assert one.labels == ("person", "place")


def test_a_text_without_an_entity_counts_as_outside_and_a_pool_may_have_none_marked(tmp_path: Path) -> None:
    file = write(tmp_path, GOOD)
    (tmp_path / "pool.jsonl").write_text('{"text": "Bo came."}\n{"tokens": ["Bo", "left"]}\n')
    file.write_text(file.read_text().replace("test: test", "pool: pool.jsonl, test: test"))
    task = load_task(str(file))
    assert task.test == (Example("Nobody came.", "O", ()),)
    assert task.pool == (Example("Bo came.", None), Example("Bo left", None))
    assert task.spans and task.choices == 3 and task.named() == {}


def part(start: Any, end: int, label: str) -> dict[str, Any]:
    return {"start": start, "end": end, "label": label}


FAULTS = [
    ({"text": "Ann", "entities": [part(0, 9, "person")]}, "in its text, got 0 to 9, in a text of 3"),
    ({"text": "Ann", "entities": [part(0, 3, "dog")]}, "label of the task (person, place), got 'dog'"),
    ({"text": "Anna", "entities": [part(0, 3, "person")]}, "where words do, got 'Ann' at 0 to 3"),
    ({"text": "Ann", "entities": [part("0", 3, "person")]}, "whole numbers `start` and `end`"),
    ({"text": "Ann", "entities": [part(0, 3, "person") | {"text": "Bo"}]}, "entity 'Bo' at 0 to 3"),
    ({"text": "Ann Lee", "entities": [part(0, 7, "person"), part(4, 7, "place")]},
     "do not overlap, got 'Ann Lee' at 0 and 'Lee' at 4"),
    ({"text": "Ann", "entities": "person"}, "a list of entities, got 'person'"),
    ({"text": "Ann"}, "'entities' beside a text"),
    ({"text": " ", "entities": []}, "a text, got ' '"),
    ({"txt": "Ann"}, "a field 'text' or 'tokens'"),
    ({"tokens": ["Ann", "Lee"], "tags": ["O", "I-person"]},
     "tag 2: expected B-person or I-person before I-person, got 'O'"),
    ({"tokens": ["Ann", "Lee"], "tags": ["B-place", "I-person"]}, "before I-person, got 'B-place'"),
    ({"tokens": ["Ann"], "tags": ["person"]}, "tag 1: expected O, B- or I- with a label of the task"),
    ({"tokens": ["Ann", "Lee"], "tags": ["O"]}, "a tag for each of 2 tokens, got 1 tags"),
    ({"tokens": ["Ann Lee"], "tags": ["O"]}, "none of them empty or with a space"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "message"), FAULTS)
def test_one_clear_line_for_each_fault(tmp_path: Path, row: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as caught:
        read(tmp_path, GOOD, row)
    assert len(caught.value.faults) == 1
    assert message in str(caught.value) and "seed.jsonl:2" in str(caught.value)


def test_all_faults_of_a_file_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        read(tmp_path, *(row for row, _ in FAULTS))
    assert len(caught.value.faults) == len(FAULTS)


def test_one_label_is_enough_and_o_is_none(tmp_path: Path) -> None:
    assert list(read(tmp_path, {"text": "Bo", "entities": []}, labels="[person]").labels) == ["person"]
    with pytest.raises(UserError, match="labels other than 'O'"):
        read(tmp_path, labels="[person, O]")
    with pytest.raises(UserError, match="at least one label"):
        read(tmp_path, labels="[]")


def test_the_shots_are_texts_that_hold_the_label_and_none_is_drawn_twice(tmp_path: Path) -> None:
    more = [{"text": f"Bo saw Paris {n}", "entities": [{"start": 7, "end": 12, "label": "place"}]} for n in range(2)]
    task = read(tmp_path, GOOD, *more)
    _, shots = task.draw(1, np.random.default_rng(0))
    assert len(set(shots)) == 2
    assert "person" in shots[0].labels and "place" in shots[1].labels


def test_a_new_task_of_this_kind_can_be_read(tmp_path: Path) -> None:
    write_task(tmp_path / "mine", "ner")
    task = load_task(str(tmp_path / "mine"))
    parts = [text.text[one.start : one.end] for text in task.seed for one in text.entities or ()]
    assert parts == ["Lumo 400", "Cedar Hall", "Brighton", "Tally"]
    assert task.test[1].entities == ()


def test_what_is_learned_and_read_is_a_tag_a_word() -> None:
    example = Example("Ann left.", "person", (Entity(0, 3, "person"),))
    wanted = np.array(target(example, LABELS))
    assert wanted.tolist() == [[0, 1, 0, 0, 0], [1, 0, 0, 0, 0], [1, 0, 0, 0, 0]]
    assert said(example.text, np.vstack([wanted, np.zeros((4, 5))]), LABELS) == example
    assert ner.likelihood(example, wanted, LABELS) == pytest.approx(1.0)


def test_scores_by_hand() -> None:
    ann, oslo = Entity(0, 7, "person"), Entity(13, 17, "place")
    gold = [Example("Ann Lee left Oslo.", "person", (ann, oslo)), Example("Bo left.", "O", ())]
    given = [Example("Ann Lee left Oslo.", "person", (Entity(0, 3, "person"), oslo)),
             Example("Bo left.", "person", (Entity(0, 2, "person"),))]  # fmt: skip
    found, counts = examined(gold, given, LABELS)
    assert counts == {"gold": [2, 0], "predicted": [2, 1], "right": [1, 0]}
    assert (found["micro_precision"], found["micro_recall"]) == pytest.approx((1 / 3, 1 / 2))
    assert found["micro_f1"] == pytest.approx(2 * 1 / (2 + 3))
    assert found["accuracy"] == 0.0
    assert found["per_class"]["place"] == pytest.approx({"precision": 1, "recall": 1, "f1": 1, "support": 1})
    assert found["per_class"]["person"]["f1"] == 0.0
    assert found["errors"]["person"] == {"missed": 0, "invented": 1, "boundary": 1, "type": 0}
    assert found["partial"]["partial"] == pytest.approx(2 * 1.5 / (2 + 3))


def test_texts_without_any_entity_have_scores_too() -> None:
    none = [Example("Bo left.", "O", ())]
    found, _ = examined(none, none, LABELS)
    assert (found["micro_f1"], found["accuracy"], found["partial"]["exact"]) == (0.0, 1.0, 0.0)
