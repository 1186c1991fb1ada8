"""What the rest of a token budget buys, worked by hand."""

from __future__ import annotations

from math import inf
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agent.afford import generating_calls, pool_texts
from agent.config import BatchConfig, BudgetConfig, TeacherConfig
from agent.rundir import RunDir, write_jsonl
from agent.state import Context
from agent.teacher.usage import Usage


def context(
    root: Path, limit: int | None, uses: dict[tuple[int, str], tuple[int, int]], waiting: int = 0,
    per_call: int = 1, logprobs: bool = True, answers: int | None = None,
) -> Context:  # fmt: skip
    """A run that spent `uses`: (iteration, node) → (calls, tokens), with `waiting` texts of the pool in iteration 1;
    `answers`: of a task of written answers so many a text."""
    run = RunDir(root)
    write_jsonl(run.iteration(1).sampled, [{"index": n, "text": "t"} for n in range(waiting)])
    spent = {key: Usage(calls=calls, prompt_tokens=tokens) for key, (calls, tokens) in uses.items()}
    asked = TeacherConfig(texts_per_label_call=per_call)
    batch = BatchConfig(texts_per_call=4, answers=answers or 1)
    config = SimpleNamespace(budget=BudgetConfig(tokens=limit), batch=batch, teacher=asked)
    can = SimpleNamespace(top_logprobs=20 if logprobs else 0)
    teacher = SimpleNamespace(usage=lambda: SimpleNamespace(by_node=spent), can=lambda role: can)
    task = SimpleNamespace(label_alone=answers is None, written=answers is not None)
    return cast(Context, cast(Any, SimpleNamespace(run=run, config=config, teacher=teacher, task=task)))


FIRST = {(0, "generate"): (2, 400), (0, "label"): (10, 600)}
"""200 tokens a generating call, 60 a label: a call with its 4 labels takes 440."""


@pytest.mark.parametrize(("limit", "calls"), [(2_000, 1_000 / 440), (1_000, 0.0), (None, inf)])
def test_a_call_takes_its_own_tokens_and_those_of_the_labels_of_its_texts(
    tmp_path: Path, limit: int | None, calls: float
) -> None:
    assert generating_calls(context(tmp_path, limit, FIRST), 1, "generate") == pytest.approx(calls)


def test_what_is_not_labelled_apart_costs_no_label(tmp_path: Path) -> None:
    assert generating_calls(context(tmp_path, 2_000, FIRST), 1, "generate", 0.0) == pytest.approx(1_000 / 200)
    assert generating_calls(context(tmp_path, 2_000, FIRST), 1, "generate", 0.5) == pytest.approx(1_000 / 320)


def test_the_waiting_pool_texts_come_first(tmp_path: Path) -> None:
    assert generating_calls(context(tmp_path, 2_000, FIRST, waiting=5), 1, "generate") == pytest.approx(700 / 440)


def test_before_the_analysis_its_own_cost_is_kept_back(tmp_path: Path) -> None:
    uses = {**FIRST, (0, "analyze"): (1, 300)}
    assert generating_calls(context(tmp_path, 2_000, uses), 1, "analyze") == pytest.approx(400 / 440)


def test_what_the_node_itself_and_later_ones_spent_does_not_count_so_that_a_resumed_run_decides_the_same(
    tmp_path: Path,
) -> None:
    again = {**FIRST, (1, "generate"): (1, 200), (1, "label"): (4, 240)}
    assert generating_calls(context(tmp_path, 2_000, again), 1, "generate") == pytest.approx(1_000 / 440)
    later = {**again, (1, "analyze"): (1, 300)}
    assert generating_calls(context(tmp_path, 2_000, later), 1, "generate") == pytest.approx(700 / 440)


def test_there_is_no_mean_of_nothing(tmp_path: Path) -> None:
    assert generating_calls(context(tmp_path, 2_000, {}), 1, "generate") == inf


def test_a_batch_is_what_was_asked_for_while_the_budget_is_far_or_there_is_none(tmp_path: Path) -> None:
    assert pool_texts(context(tmp_path, 10_000, FIRST), 1, 20) == 20
    assert pool_texts(context(tmp_path, None, FIRST), 1, 20) == 20
    assert pool_texts(context(tmp_path, 1_500, {}), 0, 20) == 20


@pytest.mark.parametrize(("limit", "texts"), [(1_300, 7), (2_500, 32), (2_740, 37)])
def test_the_last_batch_is_what_is_left_and_a_quarter_so_that_the_budget_ends_it(
    tmp_path: Path, limit: int, texts: int
) -> None:
    assert pool_texts(context(tmp_path, limit, FIRST), 1, 20) == texts  # 5, 25 and 29 labels of 60 tokens are left


def test_what_a_text_costs_depends_on_how_it_is_labelled(tmp_path: Path) -> None:
    assert pool_texts(context(tmp_path, 1_300, FIRST, per_call=2), 1, 20) == 13
    assert pool_texts(context(tmp_path, 2_260, FIRST, logprobs=False), 1, 20) == 9  # three draws a text
    assert pool_texts(context(tmp_path, 2_500, FIRST, answers=2), 1, 30) == 16  # two written answers


def test_what_this_iteration_spent_does_not_count_when_it_is_chosen_again(tmp_path: Path) -> None:
    assert pool_texts(context(tmp_path, 2_500, {**FIRST, (1, "label"): (4, 240)}), 1, 20) == 32
