"""Task kind choice: its data, what an answer is, and how a written one is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks import choice
from tasks.faults import UserError
from tasks.task import Example, load_task
from tasks.written import read_answer, written

ROW: dict[str, Any] = {"question": "What is hot?", "choices": {"A": "ice", "B": "fire"}, "answer": "B"}
LABELS = ("A", "B")


def task_of(folder: Path, *rows: dict[str, Any]) -> Any:
    folder.mkdir(exist_ok=True)
    (folder / "task.yaml").write_text(
        "name: t\nkind: choice\nquestion: Which?\nlabels: [A, B]\ndata: {seed: seed.jsonl, test: test.jsonl}\n"
    )
    test = {**ROW, "question": "What is cold?", "answer": "A"}
    (folder / "seed.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "test.jsonl").write_text(json.dumps(test) + "\n")
    return load_task(str(folder))


def test_a_row_is_a_text_of_lines_with_its_letter_and_reasoning(tmp_path: Path) -> None:
    task = task_of(tmp_path, {**ROW, "reasoning": " Fire  burns. "}, {**ROW, "question": "And\nnow?"})
    assert task.fields == ("question", "A", "B") and task.written and not task.spans
    assert task.seed[0] == Example("What is hot?\nice\nfire", "B") and task.seed[0].reasoning == "Fire burns."
    assert task.seed[1].text == "And now?\nice\nfire" and task.seed[1].reasoning is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"answer": "C"}, "an answer among the choices (A, B), got 'C'"),
        ({"answer": None}, "an answer in 'answer', got none"),
        ({"choices": {"A": "ice"}}, "a choice for each letter of `labels`, got the letters A"),
        ({"choices": {"A": "ice", "B": "fire", "C": "sea"}}, "got the letters A, B, C"),
        ({"choices": ["ice", "fire"]}, "a choice for each letter of `labels`"),
        ({"choices": {"A": "ice", "B": " "}}, "choice B: a text"),
        (
            {"choices": {"A": "Ice", "B": "ice "}},
            "a right choice that differs from the others, got B and A are both 'ice '",
        ),
        ({"question": ""}, "a question in 'question'"),
    ],
)
def test_a_row_that_is_no_question_is_told_in_a_line(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as caught:
        task_of(tmp_path, ROW, {**ROW, **change})
    assert said in str(caught.value).replace(": expected ", ": ")
    assert "seed.jsonl" in str(caught.value)


def test_no_answer_is_wrong_and_counted() -> None:
    gold = [Example("a", "A"), Example("b", "B"), Example("c", "B"), Example("d", "A")]
    outputs = np.array([[0.9, 0.1], [0.2, 0.8], [0.0, 0.0], [0.3, 0.7]])
    said = [choice.said(one.text, row, LABELS) for one, row in zip(gold, outputs, strict=True)]
    assert [one.label for one in said] == ["A", "B", choice.NO_ANSWER, "B"]
    assert [choice.likelihood(one, row, LABELS) for one, row in zip(said, outputs, strict=True)] == [0.9, 0.8, 0.0, 0.7]
    metrics, answers = choice.examined(gold, said, LABELS)
    assert metrics["accuracy"] == 0.5 and metrics["unanswered"] == 0.25
    assert metrics["per_class"]["B"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2}
    assert metrics["confusion"]["matrix"] == [[1, 1, 0], [0, 1, 1], [0, 0, 0]]
    assert answers == {"gold": [1] * 4, "predicted": [1] * 4, "right": [1, 1, 0, 0]}


def test_a_question_can_have_its_answer_under_another_letter() -> None:
    assert choice.relettered("q\none\ntwo\nthree", "C", "ABC", "A") == "q\nthree\ntwo\none"
    assert choice.relettered("q\none\ntwo\nthree", "B", "ABC", "B") == "q\none\ntwo\nthree"


WHY = "Fire burns, ice does not."


@pytest.mark.parametrize(
    ("text", "answer", "fault"),
    [
        (written(WHY, "B"), "B", None),
        (f"\n<reasoning>\n{WHY}\n</reasoning>\n\n<answer> B </answer>\n", "B", None),
        ("  ", None, "empty"),
        (WHY, None, "no_answer"),
        (f"<reasoning>{WHY}</reasoning> The answer is B.", None, "no_answer"),
        (f"{written(WHY, 'B')} Or A.", None, "no_answer"),
        (f"<reasoning>{WHY}</reasoning><answer>B", None, "no_answer"),
        (written(WHY, "D"), None, "not_a_choice"),
        (written(WHY, "fire"), None, "not_a_choice"),
        (written(None, "B"), None, "no_reasoning"),
        (written("It is.", "B"), None, "too_short"),
        (written("so fire is hot and it burns " * 4, "B"), None, "repeats"),
    ],
)
def test_a_teachers_answer_is_read_strictly(text: str, answer: str | None, fault: str | None) -> None:
    found = read_answer(text, LABELS)
    assert (found.answer, found.fault) == (answer, fault)
    assert found.reasoning == WHY or answer is None


def test_a_student_may_answer_without_a_reason_worth_learning() -> None:
    for text in (written(None, "B"), written("It is.", "B"), written("so it is " * 9, "B")):
        assert read_answer(text, LABELS, reasoned=False).answer == "B"
    assert read_answer("B", LABELS, reasoned=False).answer is None
