"""average: the student is averaged with the one before the teacher's texts, as far as that one is trusted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from agent.rundir import RunDir, read_json, read_jsonl
from agent.valuation import earlier_share
from tests.conftest import Bench
from tests.fakes.fake_teacher import FakeTeacher
from tests.fakes.toy import toy_answer


@pytest.fixture
def dry(tmp_path: Path) -> Iterator[Bench]:
    """A bench whose task has no pool."""
    with closing(FakeTeacher(toy_answer, labels=("warm", "cold"))) as fake:
        bench = Bench(tmp_path, fake)
        text = bench.task.read_text(encoding="utf-8")
        bench.task.write_text(text.replace(", pool: pool.jsonl", ""), encoding="utf-8")
        yield bench


def matrix(folder: Path) -> np.ndarray:
    found: np.ndarray = np.array(json.loads((folder / "adapter.json").read_text(encoding="utf-8"))["matrix"])
    return found


@pytest.mark.parametrize(("trust", "share"), [(0.0, 0.0), (0.45, 0.0), (0.5, 1 / 3), (1.0, 0.5)])
def test_the_share_of_the_earlier_student_follows_its_trust(trust: float, share: float) -> None:
    assert earlier_share(trust) == pytest.approx(share)


def averaged(run: RunDir) -> list[int]:
    return [one.number for one in run.iterations() if one.averaged_adapter.exists()]


def test_without_a_pool_the_student_is_an_average(dry: Bench) -> None:
    run = dry.run(dry.config(), "run")
    assert averaged(run)
    for number in averaged(run):
        here = run.iteration(number)
        share = earlier_share(read_jsonl(here.targets)[0]["trust"])
        mixed = share * matrix(run.iteration(0).adapter) + (1 - share) * matrix(here.adapter)
        np.testing.assert_allclose(matrix(here.averaged_adapter), mixed, atol=1e-12)
    last = read_json(run.result)["iterations"]
    if last in averaged(run):
        assert run.adapters()[-1] == run.iteration(last).averaged_adapter


def test_where_real_texts_are_learned_nothing_is_averaged(bench: Bench) -> None:
    assert averaged(bench.run(bench.config(), "pool")) == []


def test_where_it_is_left_out_and_in_a_baseline_nothing_is_averaged(dry: Bench) -> None:
    assert averaged(dry.run(dry.config(without=["average"]), "without")) == []
    assert averaged(dry.run(dry.config(strategy="static"), "static")) == []


def test_a_run_that_was_cut_there_ends_as_an_unbroken_one(dry: Bench) -> None:
    class CutError(Exception):
        """Ends a run where it stands."""

    def cut(event: str, node: str, iteration: int) -> None:
        if (event, node, iteration) == ("end", "average", 1):
            raise CutError

    whole = dry.run(dry.config("one"), "whole", run_id="id")
    with pytest.raises(CutError):
        dry.run(dry.config("two"), "cut", cut, run_id="id")
    again = dry.run(dry.config("two"), "cut", run_id="id")
    assert averaged(again) == averaged(whole)
    for name in ("history.jsonl", "iteration_002/predictions.jsonl", "iteration_002/adapter/adapter.json"):
        assert (again.root / name).read_bytes() == (whole.root / name).read_bytes()


def test_a_student_that_is_averaged_with_the_first_keeps_no_share_of_its_probe_and_the_first_keeps_none(
    dry: Bench,
) -> None:
    run = dry.run(dry.config(), "run")
    kept = {one.number: read_json(one.training)["probe_share"] for one in run.iterations() if one.training.exists()}
    assert kept == {number: 0.0 if number in {0, *averaged(run)} else 0.5 for number in kept}
    other = dry.run(dry.config(without=["average"], student={"probe_share": 0.25}), "other")
    assert [read_json(one.training)["probe_share"] for one in other.iterations()[:2]] == [0.0, 0.25]
