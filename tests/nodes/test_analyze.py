"""Which answers the analyst reads, and what is taken from its reply."""

from __future__ import annotations

from typing import Any

from agent.nodes.analyze import CORRECT_SHOWN, LONGEST, WEAKNESSES, WRONG_SHOWN, chosen, request, weaknesses
from agent.teacher.messages import Reply
from tasks.task import Task

TASK = Task("t", "classification", "English", "text", "?", {"a": "", "b": ""}, {}, (), (), (), (), ())


def row(name: str, label: str, correct: bool, sure: float | None = None) -> dict[str, Any]:
    return {"text": name, "label": label, "predicted": "?", "correct": correct, "teacher_confidence": sure}


def reply(parsed: Any) -> Reply:
    return Reply("said", parsed, None if parsed is not None else "not_json", None, 1, 1, False)


def names(rows: Any) -> list[str]:
    return [row["text"] for row in rows]


def test_the_wrong_answers_are_those_where_the_teacher_is_surest_labels_in_turn() -> None:
    rows = [row("a1", "a", False, 0.5), row("a2", "a", False, 0.9), row("b1", "b", False, 0.6),
            row("a3", "a", False, 0.8), row("b2", "b", True, 0.99)]  # fmt: skip
    wrong, correct = chosen(rows, with_correct=True)
    assert names(wrong) == ["a2", "b1", "a3", "a1"]
    assert names(correct) == ["b2"]


def test_no_label_crowds_out_the_others() -> None:
    rows = [row(f"a{n}", "a", False, 0.9) for n in range(20)] + [row(f"b{n}", "b", False, 0.1) for n in range(5)]
    wrong, _ = chosen(rows, with_correct=True)
    assert len(wrong) == WRONG_SHOWN
    assert names(wrong) == ["a0", "b0", "a1", "b1", "a2", "b2"]


def test_a_label_without_a_confidence_counts_as_sure_and_ties_keep_their_order() -> None:
    rows = [row("x", "a", False, 0.95), row("y", "a", False, None), row("z", "a", False, None)]
    assert names(chosen(rows, with_correct=True)[0]) == ["y", "z", "x"]


def test_correct_answers_are_few_and_may_be_left_out() -> None:
    rows = [row(str(n), "a", True) for n in range(20)]
    assert len(chosen(rows, with_correct=True)[1]) == CORRECT_SHOWN
    assert chosen(rows, with_correct=False) == ([], [])


def test_of_no_answers_none_are_shown() -> None:
    assert chosen([], with_correct=True) == ([], [])


def test_the_label_of_a_weakness_is_one_of_the_task_or_none() -> None:
    items = [
        {"pattern": "irony", "label": " A ", "advice": "x"},
        {"pattern": "length", "label": "mixed", "advice": "y"},
    ]
    assert weaknesses(reply({"weaknesses": items}), ["a", "b"]) == [
        {"pattern": "irony", "label": "a", "advice": "x"},
        {"pattern": "length", "label": None, "advice": "y"},
    ]


def test_more_weaknesses_than_asked_are_cut_and_a_reply_that_does_not_parse_names_none() -> None:
    many = [{"pattern": str(n), "label": "a", "advice": ""} for n in range(9)]
    assert len(weaknesses(reply({"weaknesses": many}), ["a"])) == WEAKNESSES
    assert weaknesses(reply(None), ["a"]) == []


def test_a_long_text_is_shown_on_one_line_and_cut() -> None:
    said = request(TASK, [row("y" * 999, "a", False)], []).messages[1][1]
    assert "y" * LONGEST + " …" in said and "y" * (LONGEST + 1) not in said
