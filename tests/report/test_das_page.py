"""The page of score: its figures, and that no text of a data set can break it."""

from __future__ import annotations

from typing import Any

from agent.report.das_page import classes, das_page, pictures, rules, to_read

HOSTILE = '<script>alert("x")</script> \u202e 🙂 \ud83d'


def sentence(of: str, d: float | None, text: str = "s") -> dict[str, Any]:
    known = d is not None
    return {"of": of, "d": d, "p_teacher": 0.5 if known else None, "p_student": 0.5 - (d or 0.0), "text": text}


def figures(examples: int, teacher: int, shared: int) -> dict[str, Any]:
    return {"examples": examples, "d": 0.25 if examples else None, "characters": 40.0 if examples else None,
            "sentences": {"teacher": teacher, "student": 0, "shared": shared, "unscored": 0}}  # fmt: skip


def found(**changes: Any) -> dict[str, Any]:
    return {
        "file": "d.jsonl", "student": "small", "teacher": "large", "rule": "count", "keep": None, "margin": 0.1,
        "sure": 0.0, "share": 0.3, "language": "en", "seed": 1, "prompts": 2, "made": 3, "kept": 1,
        "dropped": {"another_candidate": 1, "no_teacher_logprobs": 1}, "before": figures(2, 1, 3),
        "after": figures(1, 1, 0), "rules": {"count": figures(1, 1, 0), "random": figures(0, 0, 0)}, **changes,
    }  # fmt: skip


def row(*sentences: dict[str, Any], kept: bool = True, text: str = "a text") -> dict[str, Any]:
    teacher = sum(one["of"] == "teacher" for one in sentences)
    return {"text": text, "kept": kept, "ratio": teacher / len(sentences), "sentences": list(sentences)}


def test_the_sentences_of_each_class_before_and_after() -> None:
    assert classes(found()) == [
        ["teacher", "1", "25 %", "1", "100 %"], ["student", "0", "0 %", "0", "0 %"],
        ["shared", "3", "75 %", "0", "0 %"], ["unscored", "0", "0 %", "0", "0 %"],
    ]  # fmt: skip


def test_what_each_rule_would_keep_beside_all() -> None:
    assert rules(found()) == [
        ["all", "2", "0.50", "25 %", "0.25", "40"], ["count", "1", "1.00", "100 %", "0.25", "40"],
        ["random", "0", "–", "–", "–", "–"],
    ]  # fmt: skip


def test_the_histograms_hold_all_and_those_kept() -> None:
    drawn = pictures([row(sentence("teacher", 0.9), sentence("shared", 0.0)), row(sentence("shared", 0.0), kept=False)])
    assert [title for title, _, _ in drawn] == [
        "share of teacher sentences", "d = p(teacher) − p(student)", "length in characters",
    ]  # fmt: skip
    assert [str(picture).count('class="all"') for _, _, picture in drawn] == [2, 2, 1]
    assert [str(picture).count('class="kept"') for _, _, picture in drawn] == [1, 2, 1]
    assert pictures([]) == []


def test_five_sentences_of_a_class_evenly_spaced_by_d() -> None:
    rows = [row(sentence("teacher", d / 100, f"s{d}"), sentence("unscored", None), kept=d > 50) for d in range(11, 92)]
    assert [cells[0] for cells in to_read("teacher", rows)] == ["s91", "s71", "s51", "s31", "s11"]
    assert [cells[-1] for cells in to_read("teacher", rows)] == ["yes", "yes", "yes", "no", "no"]
    assert [cells[0] for cells in to_read("teacher", rows[:2])] == ["s12", "s11"]
    assert to_read("shared", rows) == []


def test_no_text_can_break_the_page() -> None:
    page = das_page(found(file=HOSTILE), [row(sentence("teacher", 0.5, HOSTILE), text=HOSTILE)])
    assert "<script" not in page and "&lt;script&gt;" in page and "\u202e" not in page
    page.encode()


def test_the_page_says_what_became_of_every_row() -> None:
    page = das_page(found(), [row(sentence("teacher", 0.5))])
    assert "made 3 = kept 1 + dropped 2" in page and "no_teacher_logprobs" in page
    assert "http" not in page.split("</style>")[1]
    assert "No example could be scored." in das_page(found(kept=0), [])
