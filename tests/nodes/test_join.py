"""The row of metrics, and whether to go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent.nodes.join import counts, metrics_row, prequential, seconds, stop_reason
from agent.rundir import RunDir, append_jsonl, write_json, write_jsonl


@pytest.mark.parametrize(
    ("iteration", "waiting", "budget", "reason"),
    [
        (1, 5, None, None),
        (5, 5, None, None),  # what was paid for is trained on
        (2, 5, "tokens", None),
        (2, 0, "tokens", "budget: tokens"),
        (5, 0, None, "iterations"),
        (5, 0, "cost", "budget: cost"),
        (2, 0, None, "nothing new to train on"),
    ],
)
def test_when_a_run_ends(iteration: int, waiting: int, budget: str | None, reason: str | None) -> None:
    assert stop_reason(iteration, 5, waiting, budget) == reason


def example(text: str, label: str, source: str) -> dict[str, Any]:
    return {"id": text, "text": text, "label": label, "source": source}


def test_made_is_kept_and_dropped_with_the_drops_of_the_iteration_that_made_it(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    write_jsonl(
        run.iteration(2).batch, [example("1", "a", "hard"), example("2", "b", "pool"), example("3", "a", "pool")]
    )
    write_jsonl(run.iteration(2).scored, [{"id": "1", "kept": True}, {"id": "4", "kept": False}])
    write_jsonl(run.iteration(1).dropped, [{"node": "generate", "reason": "duplicate"}, {"node": "label", "reason":
                "not_a_label"}, {"node": "generate", "reason": "duplicate"}])  # fmt: skip
    write_jsonl(run.iteration(2).dropped, [{"node": "generate", "reason": "of the next batch"}])
    assert counts(run, 2, 3) == {
        "made": 7, "kept": 3, "dropped": {"duplicate": 2, "not_a_label": 1, "not_selected": 1},
        "shown_cut": 0, "by_source": {"hard": 1, "pool": 2}, "by_label": {"a": 2, "b": 1},
    }  # fmt: skip


def test_the_seed_examples_are_made_and_kept(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    write_jsonl(run.iteration(0).batch, [example("1", "a", "seed")])
    found = counts(run, 0, 3)
    assert found == {
        "made": 1,
        "kept": 1,
        "dropped": {},
        "shown_cut": 0,
        "by_source": {"seed": 1},
        "by_label": {"a": 1},
    }


def test_texts_that_the_labeller_read_in_part_are_counted(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    write_jsonl(run.iteration(0).batch, [example("four", "a", "pool"), example("three", "a", "pool")])
    assert [counts(run, 0, longest)["shown_cut"] for longest in (3, 4, 5)] == [2, 1, 0]


def test_prequential_accuracy_whole_and_by_source() -> None:
    rows = [{"source": "hard", "correct": False}, {"source": "hard", "correct": True},
            {"source": "easy", "correct": True}, {"source": "pool", "correct": True}]  # fmt: skip
    assert prequential(rows) == {
        "n": 4, "accuracy": 0.75,
        "by_source": {"easy": {"n": 1, "accuracy": 1.0}, "hard": {"n": 2, "accuracy": 0.5},
                      "pool": {"n": 1, "accuracy": 1.0}},
    }  # fmt: skip
    assert prequential([]) is None
    real = [{"source": "pool", "correct": n == 0, "hard": n > 0} for n in range(3)]
    assert prequential(real)["by_source"] == {  # type: ignore[index]
        "pool, easy": {"n": 1, "accuracy": 1.0}, "pool, hard": {"n": 2, "accuracy": 0.0},
    }  # fmt: skip


def test_of_a_node_that_ran_twice_the_later_run_counts() -> None:
    rows = [{"iteration": 1, "node": "train", "seconds": 9.0}, {"iteration": 1, "node": "train", "seconds": 2.0},
            {"iteration": 2, "node": "train", "seconds": 5.0},
            {"iteration": 1, "node": "label", "seconds": 1.0}]  # fmt: skip
    assert seconds(rows, 1) == {"train": 2.0, "label": 1.0}


def test_a_row_holds_what_the_iterations_files_say(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    write_jsonl(run.iteration(0).batch, [example("1", "a", "seed")])
    write_json(run.iteration(0).measured, {"test": {"macro_f1": 0.5}, "dev": None, "before_selftrain": None})
    append_jsonl(run.timings, {"iteration": 0, "node": "train", "lane": "student", "started": 1.0, "seconds": 2.0})
    row = metrics_row(run, 0, {"calls": 3}, 3)
    assert row == {
        "iteration": 0, "test": {"macro_f1": 0.5}, "dev": None, "prequential": None, "counts": counts(run, 0, 3),
        "teacher": {"calls": 3}, "seconds": {"train": 2.0}, "before_selftrain": None,
        "self_training": None,
    }  # fmt: skip
