"""The curve's tokens and the seconds of a run, worked by hand."""

from __future__ import annotations

from typing import Any

import pytest

from agent.nodes.finish import curve, run_seconds, tokens


def timing(node: str, lane: str, started: float, seconds: float) -> dict[str, Any]:
    return {"iteration": 1, "node": node, "lane": lane, "started": started, "seconds": seconds}


def test_a_student_is_charged_for_the_data_it_was_trained_on_and_not_for_the_next_batch() -> None:
    rows = [{"teacher": {"prompt_tokens": p, "completion_tokens": c}} for p, c in ((100, 10), (250, 30), (250, 30))]
    assert [tokens(rows, index) for index in range(3)] == [0, 110, 280]


def test_a_run_that_ended_before_its_first_batch_keeps_the_score_of_the_seeds_alone() -> None:
    alone = {"test": {"macro_f1": 0.6}, "dev": None}
    row = {"iteration": 0, "test": {"macro_f1": 0.4}, "before_selftrain": alone, "teacher": {}}
    assert [(point["iteration"], point["teacher_tokens"], point["test"]) for point in curve([row])] == [
        (0, 0, 0.6), (0, 0, 0.4),
    ]  # fmt: skip
    assert len(curve([{**row, "before_selftrain": None}])) == 1


def test_lanes_that_run_at_once_count_once() -> None:
    found = run_seconds([timing("train", "student", 10, 5), timing("generate", "teacher", 11, 3)])
    assert found == {"total": 5, "teacher": 3, "student": 5}


def test_lanes_that_overlap_in_part_count_from_the_first_start_to_the_last_end() -> None:
    found = run_seconds([timing("generate", "teacher", 12, 6), timing("train", "student", 10, 5)])
    assert found == {"total": 8, "teacher": 6, "student": 5}


def test_the_time_between_a_kill_and_its_resume_does_not_count() -> None:
    found = run_seconds([timing("train", "student", 10, 5), timing("train", "student", 1000, 2)])
    assert found == {"total": 7, "teacher": 0, "student": 7}


def test_a_short_node_inside_a_long_one_does_not_shorten_it() -> None:
    rows = [timing("generate", "teacher", 0, 10), timing("train", "student", 1, 1), timing("join", "main", 10, 1)]
    assert run_seconds(rows)["total"] == 11


def test_scoring_evaluating_and_sampling_are_the_students_work() -> None:
    rows = [timing(node, "main", n, 1) for n, node in enumerate(("seed", "score", "evaluate", "sample", "join"))]
    assert run_seconds(rows) == pytest.approx({"total": 5, "teacher": 0, "student": 3})


def test_of_nothing_no_time_passed() -> None:
    assert run_seconds([]) == {"total": 0.0, "teacher": 0, "student": 0}
