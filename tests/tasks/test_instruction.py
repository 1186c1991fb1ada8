"""Task kind instruction: its data, how a teacher's answer is read, and how near an answer is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks import instruction
from tasks.faults import UserError
from tasks.new import write_task
from tasks.task import RIGHT, Example, Task, load_task

ROW: dict[str, Any] = {"instruction": "Say it politely.", "input": "Go\naway.", "output": " Please go. "}


def task_of(folder: Path, *rows: dict[str, Any], more: str = "") -> Task:
    folder.mkdir(exist_ok=True)
    (folder / "task.yaml").write_text(
        f"name: t\nkind: instruction\ndata: {{seed: seed.jsonl, test: test.jsonl, pool: pool.jsonl}}\n{more}"
    )
    (folder / "seed.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "pool.jsonl").write_text(json.dumps({"instruction": "Count to three."}) + "\n")
    (folder / "test.jsonl").write_text(json.dumps({**ROW, "instruction": "Say it loudly."}) + "\n")
    return load_task(str(folder))


def answer(output: str | None, label: str = instruction.LABEL) -> Example:
    return Example("q", label, output=output)


def test_a_row_is_what_is_asked_with_its_input_after_a_blank_line(tmp_path: Path) -> None:
    task = task_of(tmp_path, ROW, {"instruction": "Name a colour.", "output": "Red."})
    assert task.free and task.written and not task.spans and not task.label_alone
    assert [(one.text, one.label, one.output) for one in task.seed] == [
        ("Say it politely.\n\nGo\naway.", "answer", "Please go."),
        ("Name a colour.", "answer", "Red."),
    ]
    assert (task.pool[0].label, task.pool[0].output) == (None, None)
    assert task.choices == 2 and task.named() == {}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"instruction": " "}, "an instruction in 'instruction', got ' '"),
        ({"input": 3}, "input: expected a text, or none, got 3"),
        ({"output": ""}, "an answer in 'output', got ''"),
        ({"output": None}, "an answer in 'output', got none"),
    ],
)
def test_a_row_that_is_none_is_told_in_a_line(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as caught:
        task_of(tmp_path, ROW, {**ROW, **change})
    assert said in str(caught.value).replace("seed.jsonl:2: expected ", "seed.jsonl:2: ")


def test_it_has_no_labels(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no labels in a task of instructions"):
        task_of(tmp_path, ROW, more="labels: [rewrite, explain]\n")


@pytest.mark.parametrize(
    ("text", "fault"),
    [("  ", "empty"), ("so it is and so it was " * 4, "repeats"), ("Yes.", None), (" Two\n\nlines. ", None)],
)
def test_a_teachers_answer_is_taken_as_it_is_unless_it_says_nothing(text: str, fault: str | None) -> None:
    found = instruction.read_reply(text, [instruction.LABEL])
    assert (found.fault, found.output) == (fault, None if fault else text.strip())


def test_no_answer_is_what_was_cut() -> None:
    said = [instruction.said("q", np.array([p]), ["answer"]) for p in (0.4, 0.0)]
    assert [instruction.with_written(one, "It is").output for one in said] == ["It is", ""]


def test_likeness_is_of_characters_in_any_language() -> None:
    gold = answer("我喜欢吃苹果")
    assert instruction.likeness(gold, gold) == 1
    assert RIGHT > instruction.likeness(answer("我爱吃梨"), gold) > 0
    assert instruction.likeness(answer(""), gold) == 0


def test_examined_counts_no_answer_as_nothing() -> None:
    gold = [answer("l'été est chaud"), answer("ice is cold")]
    metrics, answers = instruction.examined(gold, [answer("l'été est chaud"), answer("", "no answer")], ["answer"])
    assert (metrics["chrf"], metrics["rouge1"], metrics["rougel"], metrics["unanswered"]) == (0.5, 0.5, 0.5, 0.5)
    assert (metrics["words"], metrics["words_right"]) == (1.5, 3.0)
    assert answers == {"gold": [1000, 1000], "predicted": [1000, 1000], "right": [1000, 0]}


def test_a_new_task_of_this_kind_names_no_labels(tmp_path: Path) -> None:
    written = write_task(tmp_path / "mine", "instruction")
    assert "labels:" not in written[0].read_text()
    task = load_task(str(tmp_path / "mine"))
    assert len(task.seed) == 3 and task.free
