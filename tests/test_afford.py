"""What the rest of a token budget buys, worked by hand."""

from __future__ import annotations

from math import inf
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agent.afford import generating_calls
from agent.config import BatchConfig, BudgetConfig
from agent.rundir import RunDir, write_jsonl
from agent.state import Context
from agent.teacher.usage import Usage


def context(root: Path, limit: int | None, uses: dict[tuple[int, str], tuple[int, int]], waiting: int = 0) -> Context:
    """A run that spent `uses`: (iteration, node) → (calls, tokens), with `waiting` texts of the pool in iteration 1."""
    run = RunDir(root)
    write_jsonl(run.iteration(1).sampled, [{"index": n, "text": "t"} for n in range(waiting)])
    spent = {key: Usage(calls=calls, prompt_tokens=tokens) for key, (calls, tokens) in uses.items()}
    config = SimpleNamespace(budget=BudgetConfig(tokens=limit), batch=BatchConfig(texts_per_call=4))
    teacher = SimpleNamespace(usage=lambda: SimpleNamespace(by_node=spent))
    return cast(Context, cast(Any, SimpleNamespace(run=run, config=config, teacher=teacher)))


FIRST = {(0, "generate"): (2, 400), (0, "label"): (10, 600)}
"""200 tokens a generating call, 60 a label: a call with its 4 labels takes 440."""


@pytest.mark.parametrize(("limit", "calls"), [(2_000, 1_000 / 440), (1_000, 0.0), (None, inf)])
def test_a_call_takes_its_own_tokens_and_those_of_the_labels_of_its_texts(
    tmp_path: Path, limit: int | None, calls: float
) -> None:
    assert generating_calls(context(tmp_path, limit, FIRST), 1, "generate") == pytest.approx(calls)


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
