"""What a run will ask, before anything is spent: calls and tokens counted by hand."""

from __future__ import annotations

import json
from collections import Counter
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.config import BatchConfig, BudgetConfig, RunConfig
from agent.estimate import ends_early, estimate, node_estimate
from agent.graph import Plan
from agent.nodes.generate import slots
from agent.plan import configure
from agent.teacher.messages import Request
from tasks.task import Example, Task, load_task

REQUEST = Request("labeller", (("system", "s" * 100), ("user", "u" * 60)), 0.0, 8)  # 160 / 4 + 10 = 50 tokens


def shape(without: frozenset[str] = frozenset(), **fields: Any) -> Plan:
    """The whole loop less `without`, which writes four texts of each kind."""
    return Plan(without, batch=BatchConfig(hard=4, easy=4), **fields)


def config(**fields: Any) -> RunConfig:
    return configure({"task": "mine", **fields})


def node(name: str, plan: Plan, labels: int = 2, pool: int = 1000, **fields: Any) -> dict[str, Any]:
    names = {str(n): "" for n in range(labels)}
    texts = tuple(Example(str(n), None) for n in range(pool))
    task = Task("mine", "classification", "English", "text", "?", names, {}, (), (), texts, (), ())
    return node_estimate(name, REQUEST, plan, config(**fields), task)


def test_nothing_is_analysed_after_the_seed_examples_or_in_the_last_iteration() -> None:
    assert node("analyze", shape(iterations=5)) == {"calls": 4, "prompt_tokens": 200, "tokens": 200 + 4 * 200}
    assert node("analyze", shape(iterations=1))["calls"] == 0


def test_generating_asks_for_the_surplus_label_by_label() -> None:
    # first 4 easy texts of 1 label; then 4 easy and 4 hard with surplus 1.5, 5 a label: 14 texts in 3 calls
    assert node("generate", shape(iterations=2)) == {
        "calls": 3, "prompt_tokens": 150, "tokens": 3 * 50 + 14 * 30,
    }  # fmt: skip
    # of 12 labels 1 gets its turn
    assert node("generate", shape(iterations=1), labels=12)["calls"] == 1
    # 4 texts, 3 a call
    assert node("generate", shape(iterations=1), batch={"texts_per_call": 3})["calls"] == 2
    # without a pool all 56 places are written, 28 a label
    assert node("generate", shape(frozenset({"sample"}), iterations=1))["calls"] == 8


@pytest.mark.parametrize(("task", "labels"), [("avis_clients", 2), ("support_tickets", 8)])
def test_as_many_generating_calls_are_foretold_as_equal_need_makes(task: str, labels: int) -> None:
    loaded = load_task(task)
    wanted = slots(loaded, {"easy": 56}, dict.fromkeys(loaded.labels, 1.0), np.random.default_rng(0))
    made = sum(ceil(count / 8) for count in Counter(slot.label for slot in wanted).values())
    assert node("generate", shape(frozenset({"sample"}), iterations=1), labels=labels)["calls"] == made


def test_labelling_asks_for_every_hard_candidate_and_every_pool_text() -> None:
    # 52 pool and 4 easy texts, then 48 pool texts and 6 hard candidates
    assert node("label", shape(iterations=2)) == {"calls": 110, "prompt_tokens": 110 * 50, "tokens": 110 * 53}
    # without a pool its places go to easy and hard: 24 of 56 easy ones, then 28 hard ones, 42 candidates
    assert node("label", shape(frozenset({"sample"}), iterations=2))["calls"] == 66
    assert node("label", shape(frozenset({"separation"}), iterations=2))["calls"] == 100
    assert node("label", shape(apart=("hard", "easy"), iterations=2))["calls"] == 114
    assert node("label", shape(iterations=2), teacher={"texts_per_label_call": 10})["calls"] == 11


def test_a_pool_text_is_labelled_once_however_often_the_loop_turns() -> None:
    plan = shape(frozenset({"generate", "analyze"}), iterations=10)
    assert node("label", plan, pool=100)["calls"] == 100


def test_a_strategy_without_a_teacher_costs_nothing() -> None:
    figures = estimate(configure({"task": "avis_clients", "strategy": "seed_only"}))
    assert (figures["calls"], figures["tokens"], figures["cost"], figures["prompts"]) == (0, 0, 0.0, {})
    assert figures["lines"][-1] == "teacher: not called"


@pytest.mark.parametrize(
    ("sets", "calls"),
    [
        ([], ["label"]),
        (["batch.hard=4"], ["analyze", "generate", "label"]),
        (["batch.hard=4", "without=[analyze]"], ["generate", "label"]),
        (["batch.hard=4", "without=[generate]"], ["label"]),
        (["without=[separation,sample]"], ["analyze", "generate"]),
        (["strategy=static"], ["generate"]),
        (["strategy=pool_random"], ["label"]),
    ],
)
def test_one_prompt_of_each_call_that_the_run_will_make(sets: list[str], calls: list[str]) -> None:
    figures = estimate(configure({"task": "avis_clients"}, sets))
    assert list(figures["prompts"]) == list(figures["nodes"]) == calls
    assert figures["calls"] == sum(node["calls"] for node in figures["nodes"].values())
    assert figures["tokens"] == sum(node["tokens"] for node in figures["nodes"].values())


def test_of_many_labels_the_question_that_is_shown_and_counted_has_the_shortlist(tmp_path: Path) -> None:
    names = [f"label{n}" for n in range(20)]
    for part in ("seed", "test"):
        rows = [json.dumps({"text": f"{part} {name}", "label": name}) + "\n" for name in names]
        (tmp_path / f"{part}.jsonl").write_text("".join(rows))
    (tmp_path / "pool.jsonl").write_text(json.dumps({"text": "a text"}) + "\n")
    data = "{seed: seed.jsonl, test: test.jsonl, pool: pool.jsonl}"
    (tmp_path / "task.yaml").write_text(f"name: mine\nquestion: Which?\nlabels: [{', '.join(names)}]\ndata: {data}\n")

    def asked(*sets: str) -> str:
        prompts = estimate(configure({"task": str(tmp_path / "task.yaml")}, sets))["prompts"]
        return str(prompts["label"][0][1])

    assert "label9" in asked() and "label10" not in asked()
    assert "label19" in asked("without=[shortlist]") and "label19" in asked("strategy=pool_random")


def test_the_ceiling_asks_for_each_text_of_the_pool_once() -> None:
    figures = estimate(configure({"task": "avis_clients", "strategy": "teacher_shot"}))
    sizes = figures["lines"][0]
    assert f"pool {figures['calls']}," in sizes


def test_the_first_line_says_what_will_be_read() -> None:
    line = estimate(configure({"task": "avis_clients"}, ["shots=2"]))["lines"][0]
    assert line.startswith("task avis_clients: 2 labels, 2 shots a label (4 seed examples), dev 0, pool ")


def test_the_cost_is_counted_by_the_given_price_and_unknown_without_one() -> None:
    teacher = {"base_url": "https://teacher.invalid/v1", "model": "nobody-knows-me"}
    unknown = estimate(configure({"task": "avis_clients", "teacher": teacher}))
    assert unknown["cost"] is None
    assert "price unknown" in unknown["lines"][-1]
    price = {"prompt": 1.0, "completion": 10.0}
    known = estimate(configure({"task": "avis_clients", "teacher": {**teacher, "price": price}}))
    prompt = sum(node["prompt_tokens"] for node in known["nodes"].values())
    assert known["cost"] == pytest.approx((prompt + 10 * (known["tokens"] - prompt)) / 1e6)


def test_the_limit_that_will_end_the_run_is_named() -> None:
    assert ends_early(BudgetConfig(tokens=100), 1, 101, None) == "100 tokens"
    assert ends_early(BudgetConfig(tokens=100), 1, 100, None) is None
    assert ends_early(BudgetConfig(calls=5), 6, 1, None) == "5 calls"
    assert ends_early(BudgetConfig(cost=0.5), 6, 1, 0.6) == "$0.5"
    assert ends_early(BudgetConfig(cost=0.5), 6, 1, None) is None
    assert ends_early(BudgetConfig(), 6, 10**9, 10.0) is None
