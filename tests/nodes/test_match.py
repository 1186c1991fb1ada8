"""match: the labels that the student gives become as common as the teacher's of real texts."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from agent.example import read_examples
from agent.rundir import RunDir, read_json, read_jsonl, write_jsonl
from tests.conftest import Bench
from tests.fakes.fake_student import FakeStudent

ON: dict[str, Any] = {"batch": {"pool": 20}, "self_training": {"texts": 30}}


def students(run: RunDir, number: int) -> list[str]:
    return sorted(path.name for path in run.iteration(number).adapters() if path.exists())


def test_each_student_after_the_first_is_matched_and_the_last_one_twice(bench: Bench) -> None:
    run = bench.run(bench.config(**ON), "run")
    assert students(run, 0) == ["adapter"], "no pool text is labelled yet"
    assert students(run, 1) == ["adapter", "adapter_matched"]
    assert students(run, 2) == ["adapter", "adapter_matched", "adapter_self", "adapter_self_matched"]
    last = run.iteration(2)
    assert run.adapters()[-1] == last.matched_adapter(last.self_adapter)
    exported = (run.model / "adapter" / "adapter.json").read_bytes()
    assert exported == (run.adapters()[-1] / "adapter.json").read_bytes()


def test_what_is_added_to_the_logits_is_what_matched_json_says(bench: Bench) -> None:
    run = bench.run(bench.config(**ON), "run")
    here = run.iteration(1)
    before, after = (
        np.array(json.loads((path / "adapter.json").read_text(encoding="utf-8"))["matrix"])
        for path in (here.adapter, here.matched_adapter(here.adapter))
    )
    rows = read_json(here.matched)
    assert [row["label"] for row in rows] == ["warm", "cold"]
    assert sum(row["teacher"] for row in rows) == pytest.approx(1)
    assert (after - before)[:, -1] * 0.1 == pytest.approx([row["weight"] for row in rows])
    assert not (after - before)[:, :-1].any()
    rarer = min(rows, key=lambda row: row["student"] - row["teacher"])
    assert rarer["weight"] == max(row["weight"] for row in rows), "what the student says too seldom is lifted"


@pytest.mark.parametrize("fields", [{"without": ["match"]}, {"strategy": "pool_random"}, {"batch": {"pool": 3}}])
def test_left_out_in_a_baseline_and_with_too_few_texts_nothing_is_matched(bench: Bench, fields: dict[str, Any]) -> None:
    run = bench.run(bench.config(**{**ON, **fields}), "run")
    assert not [path for one in run.iterations() for path in one.adapters() if "matched" in path.name and path.exists()]


def test_a_run_that_was_cut_there_ends_as_an_unbroken_one(bench: Bench) -> None:
    class CutError(Exception):
        """Ends a run where it stands."""

    seen: list[str] = []

    def cut(event: str, node: str, iteration: int) -> None:
        seen.append(f"{event} {node} {iteration}")
        if seen.count("end match 2") == 2:
            seen.clear()
            raise CutError

    whole = bench.run(bench.config("one", **ON), "whole", run_id="id")
    with pytest.raises(CutError):
        bench.run(bench.config("two", **ON), "cut", cut, run_id="id")
    again = bench.run(bench.config("two", **ON), "cut", run_id="id")
    for path in whole.adapters():
        name = path.relative_to(whole.root) / "adapter.json"
        assert (again.root / name).read_bytes() == (whole.root / name).read_bytes()


def test_of_a_student_without_a_bias_nothing_is_asked(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeStudent, "biased", False)
    run = bench.run(bench.config(**ON), "run")
    assert students(run, 2) == ["adapter", "adapter_self"] and not run.iteration(2).matched.exists()


def test_labels_that_the_teacher_was_not_shown_are_matched_too(bench: Bench) -> None:
    """Of many labels it chooses among few, so its distributions are not over all."""
    names = [f"shade{n}" for n in range(18)]
    bench.task.write_text(bench.task.read_text().replace("[warm, cold]", f"[warm, cold, {', '.join(names)}]"))
    seeds = bench.task.parent / "seed.jsonl"
    write_jsonl(seeds, [*read_jsonl(seeds), *({"text": f"{name} alone", "label": name} for name in names)])
    run = bench.run(bench.config(**ON, shots=1), "run")
    known = [e.teacher_distribution for e in read_examples(run.history) if e.teacher_distribution is not None]
    assert known and all(len(one) < 20 for one in known)
    assert len(read_json(run.iteration(2).matched)) == 20
