"""From texts and the teacher's labels to examples and drops."""

from __future__ import annotations

from typing import Any

import pytest

from agent.nodes.label import both, interleaved, labelled
from agent.teacher.labelling import TeacherLabel


def row(text: str, intended: str | None = None, source: str = "pool") -> dict[str, Any]:
    return {"text": text, "intended": intended, "source": source}


def texts(rows: list[dict[str, Any]]) -> str:
    return "".join(row["text"] for row in rows)


def test_two_lists_are_mixed_in_proportion_to_their_lengths() -> None:
    four, two = [row(x) for x in "abcd"], [row(x) for x in "XY"]
    assert texts(interleaved(four, two)) == "aXbcYd"
    assert texts(interleaved(two, four)) == "XabYcd"


def test_one_empty_list_leaves_the_other_as_it_is() -> None:
    assert texts(interleaved([], [row("a"), row("b")])) == "ab"
    assert interleaved([], []) == []


def test_an_example_remembers_where_it_came_from_and_whether_the_label_agrees() -> None:
    distribution = {"a": 0.75, "b": 0.25}
    answer = TeacherLabel("a", 0.75, distribution, None)
    rows = [row("1", "a", "hard"), row("2", "b", "easy"), row("3")]
    examples, drops = labelled(rows, [answer] * 3, iteration=4)
    assert drops == []
    assert [(e.id, e.source, e.intended, e.label, e.agrees) for e in examples] == [
        ("i004-0000", "hard", "a", "a", True),
        ("i004-0001", "easy", "b", "a", False),
        ("i004-0002", "pool", None, "a", None),
    ]
    assert all(e.iteration == 4 and e.teacher_confidence == 0.75 for e in examples)
    assert all(e.teacher_label == "a" and e.teacher_distribution == distribution for e in examples)


def test_a_text_without_a_label_is_a_drop_with_the_reason_and_the_words() -> None:
    answers = [TeacherLabel(None, None, None, "not_a_label", "w" * 300), TeacherLabel("b", None, None, None),
               TeacherLabel(None, None, None, "budget")]  # fmt: skip
    examples, drops = labelled([row("1"), row("2"), row("3")], answers, 1)
    assert [(example.id, example.text) for example in examples] == [("i001-0000", "2")]
    assert drops == [
        {"reason": "not_a_label", "text": "1", "detail": "w" * 200},
        {"reason": "budget", "text": "3", "detail": None},
    ]


def test_a_text_nobody_was_asked_about_is_what_it_was_written_for_and_no_more() -> None:
    answer = TeacherLabel("a", 0.75, None, None)
    examples, _ = labelled([row("1")], [answer], 1, unasked=[row("2", "b", "easy")])
    assert [(e.id, e.label, e.intended) for e in examples] == [("i001-0000", "a", None), ("i001-0001", "b", "b")]
    assert examples[1].teacher_label is examples[1].teacher_confidence is examples[1].agrees is None


def test_the_intended_label_counts_as_much_as_the_two_agree() -> None:
    assert both({"a": 0.6, "b": 0.4}, "b", 0.5) == pytest.approx({"a": 0.6, "b": 0.4}, abs=1e-3)
    assert both({"a": 0.6, "b": 0.4}, "b", 0.75) == pytest.approx({"a": 0.6 / 1.8, "b": 1.2 / 1.8}, abs=1e-3)
    three = both({"a": 0.5, "b": 0.25, "c": 0.25}, "c", 0.8)  # c: 0.25 × 0.8, the others × 0.1
    assert three == pytest.approx({"a": 0.05 / 0.275, "b": 0.025 / 0.275, "c": 0.2 / 0.275}, abs=2e-3)


def test_two_labels_that_differ_are_weighed_where_there_is_a_distribution_and_else_dropped() -> None:
    sure = TeacherLabel("a", 0.6, {"a": 0.6, "b": 0.4}, None)
    rows = [row("1", "b", "easy"), row("2", "b", "easy"), row("3")]
    examples, drops = labelled(rows, [sure, TeacherLabel("a", None, None, None), sure], 1, rate=0.75)
    assert [(e.label, e.teacher_label, e.agrees) for e in examples] == [("b", "a", False), ("a", "a", None)]
    assert examples[0].teacher_confidence == pytest.approx(2 / 3, abs=1e-3)
    assert examples[1].teacher_confidence == 0.6, "a pool text was written for nothing"
    assert drops == [{"reason": "disagrees", "text": "2", "detail": "b, labelled a"}]
