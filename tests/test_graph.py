"""The graph holds exactly the nodes of what was asked for, in the order of the loop, in two lanes."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from threading import Lock
from types import SimpleNamespace
from typing import Any

import pytest

from agent.config import RunConfig
from agent.graph import Plan, after_join, build_graph, lane, more_to_ask, timed
from agent.plan import configure, plan_of
from agent.rundir import RunDir, read_jsonl
from agent.state import StudentLane
from tasks.task import Example, Task

EVERY = {"seed", "score", "evaluate", "sample", "replay", "reconcile", "train", "measure", "analyze",
         "subjects", "generate", "label", "selftrain", "match", "join", "finish"}  # fmt: skip
STUDENT, TEACHER = "student_lane:", "teacher_lane:"


def plan(*sets: str, pool: bool = True) -> Plan:
    seed = (Example("x", "a"), Example("y", "b"))
    texts = (Example("z", None),) if pool else ()
    mine = Task("mine", "classification", "English", "text", "?", {"a": "", "b": ""}, {}, seed, (), texts, seed, ())
    return plan_of(configure({"task": "mine", "batch": {"hard": 4, "easy": 4}}, sets), mine)


def drawn(chosen: Plan) -> Any:
    return build_graph(chosen).get_graph(xray=True)


def nodes(chosen: Plan) -> set[str]:
    return {name.split(":")[-1] for name in drawn(chosen).nodes} - {"__start__", "__end__"}


def edges(chosen: Plan) -> set[tuple[str, str]]:
    return {(edge.source.split(":")[-1], edge.target.split(":")[-1]) for edge in drawn(chosen).edges}


def watched(root: Path, notify: Any = lambda *event: None, turns: Any = None) -> Any:
    """As much of a Context as a node's frame needs."""
    config = RunConfig(task="toy")
    return SimpleNamespace(run=RunDir(root), notify=notify, turns=turns or nullcontext(), config=config)


@pytest.mark.parametrize(
    ("part", "missing"),
    [
        ("names", set()),
        ("analyze", {"analyze"}),
        ("generate", {"generate", "analyze", "subjects"}),
        ("subjects", {"subjects"}),
        ("hard", {"analyze"}),
        ("easy", set()),
        ("hardness", set()),
        ("correct", set()),
        ("separation", set()),
        ("agreement", set()),
        ("score", {"score"}),
        ("evaluate", {"evaluate", "analyze"}),
        ("sample", {"sample", "match"}),
        ("shortlist", set()),
        ("review", {"replay"}),
        ("reconcile", {"reconcile"}),
        ("selftrain", {"selftrain"}),
        ("match", {"match"}),
    ],
)
def test_a_left_out_part_takes_its_nodes_out_of_the_graph(part: str, missing: set[str]) -> None:
    written = {"average"} if part == "sample" else set()  # only where all texts are written
    assert nodes(plan(f"without=[{part}]")) == (EVERY | written) - missing


@pytest.mark.parametrize(
    ("strategy", "missing"),
    [
        ("evokd", {"eda", "gold"}),
        ("static", {"eda", "gold", "analyze", "score", "evaluate", "sample", "selftrain"}),
        ("sungen", {"eda", "gold", "analyze", "score", "evaluate", "sample", "selftrain"}),
        ("pool_random", {"eda", "gold", "analyze", "score", "evaluate", "generate", "selftrain"}),
        ("teacher_shot", {"eda", "gold", "analyze", "score", "evaluate", "generate", "selftrain"}),
        ("eda", {"gold", "analyze", "score", "evaluate", "generate", "label", "sample", "selftrain"}),
        ("full_shot", {"eda", "analyze", "score", "evaluate", "generate", "label", "selftrain"}),
        (
            "seed_only",
            {"eda", "gold", "analyze", "score", "evaluate", "generate", "label", "sample", "replay", "selftrain"},
        ),
    ],
)
def test_each_strategy_is_the_same_graph_less_some_nodes(strategy: str, missing: set[str]) -> None:
    own = {"weigh"} if strategy == "sungen" else set()
    missing = missing if strategy == "evokd" else missing | {"reconcile", "subjects", "match"}
    assert nodes(plan(f"strategy={strategy}")) == (EVERY | {"gold", "eda"} | own) - missing


def test_nothing_is_reconciled_without_soft_labels() -> None:
    assert nodes(plan("student.soft_labels=false")) == EVERY - {"reconcile"}


def test_self_training_is_a_node_of_the_last_lane_alone_and_needs_a_pool() -> None:
    assert "selftrain" not in nodes(plan("self_training.texts=0"))
    asked = plan()
    assert {
        ("join", "selftrain"),
        ("selftrain", "match"),
        ("match", "measure"),
        ("measure", "join"),
        ("join", "finish"),
    } <= edges(asked)
    lanes = {name for name in drawn(asked).nodes if name.endswith(":selftrain")}
    assert lanes == {"last_lane:selftrain"}
    assert nodes(plan(pool=False)) == (EVERY | {"average"}) - {"sample", "selftrain", "match"}


def test_the_whole_loop_runs_in_the_order_of_the_method() -> None:
    assert edges(plan("without=[selftrain]")) == {
        ("__start__", "seed"), ("seed", "sample"),
        ("sample", "replay"), ("replay", "reconcile"), ("reconcile", "train"), ("train", "match"), ("match", "measure"),
        ("measure", "join"),
        ("sample", "analyze"), ("analyze", "subjects"), ("subjects", "generate"), ("generate", "label"),
        ("label", "join"), ("join", "score"), ("score", "evaluate"), ("evaluate", "sample"), ("evaluate", "replay"),
        ("join", "finish"), ("finish", "__end__"),
    }  # fmt: skip


def test_without_score_evaluate_and_pool_the_join_leads_back_to_both_lanes() -> None:
    shape = edges(plan("without=[score,evaluate]", pool=False))
    assert {("seed", "replay"), ("seed", "subjects"), ("join", "replay"), ("join", "subjects")} <= shape
    assert ("join", "finish") in shape


def test_with_no_iterations_the_student_lane_runs_once_and_nobody_asks() -> None:
    assert nodes(plan("iterations=0")) == {"seed", "replay", "train", "measure", "join", "finish"}


def test_the_drawing_shows_each_node_in_its_lane() -> None:
    names = set(drawn(plan()).nodes)
    assert {STUDENT + "replay", STUDENT + "train", STUDENT + "measure"} <= names
    assert {TEACHER + "analyze", TEACHER + "generate", TEACHER + "label"} <= names
    picture = drawn(plan()).draw_mermaid()
    assert "subgraph student_lane" in picture and "subgraph teacher_lane" in picture


def test_the_drawing_of_one_plan_is_always_the_same_and_of_another_is_not() -> None:
    assert drawn(plan()).draw_mermaid() == drawn(plan()).draw_mermaid()
    assert drawn(plan()).draw_mermaid() != drawn(plan("without=[score]")).draw_mermaid()


@pytest.mark.parametrize(
    "part", ["names", "shortlist", "hard", "easy", "hardness", "correct", "separation", "agreement"]
)
def test_a_part_that_is_left_out_within_a_node_is_written_beside_it(part: str) -> None:
    assert f"without = {part}<" in drawn(plan(f"without=[{part}]")).draw_mermaid()
    assert "without" not in drawn(plan()).draw_mermaid()


def test_the_teacher_is_asked_while_an_iteration_may_still_come() -> None:
    lanes = ["student_lane", "teacher_lane"]
    assert more_to_ask({"iteration": 4}, 5, lanes) == lanes
    assert more_to_ask({"iteration": 5}, 5, lanes) == ["student_lane"]
    assert more_to_ask({"iteration": 1, "budget_ended": "tokens"}, 5, lanes) == ["student_lane"]
    assert more_to_ask({"iteration": 1, "budget_ended": None}, 5, ["sample"]) == ["sample"]


def test_after_the_join_the_run_goes_on_or_finishes() -> None:
    assert after_join({"iteration": 2}, lambda state: "score", "last_lane") == "score"
    assert after_join({"stopped_because": "iterations"}, lambda state: "score", "finish") == "finish"
    assert after_join({"stopped_because": "budget: tokens"}, lambda state: "score", "last_lane") == "last_lane"
    ended: Any = {"stopped_because": "iterations", "self_trained": True}
    assert after_join(ended, lambda state: "score", "last_lane") == "finish"


def test_a_lane_runs_its_nodes_in_turn_and_hands_on_only_its_own_keys(tmp_path: Path) -> None:
    def train(state: Any, runtime: Any) -> Any:
        return {"adapter": "a", "waiting": 7}

    def measure(state: Any, runtime: Any) -> Any:
        return {"test": 0.5 if state["adapter"] == "a" else 0.0}

    told: list[tuple[str, str, int]] = []
    context = watched(tmp_path, lambda *event: told.append(event))
    graph = lane("student", [("train", train), ("measure", measure)], StudentLane)
    assert graph.invoke({"iteration": 2}, context=context) == {"adapter": "a", "test": 0.5}
    assert told == [("start", "train", 2), ("end", "train", 2), ("start", "measure", 2), ("end", "measure", 2)]
    rows = read_jsonl(tmp_path / "timings.jsonl")
    assert [(row["iteration"], row["node"], row["lane"]) for row in rows] == [
        (2, "train", "student"), (2, "measure", "student"),
    ]  # fmt: skip
    assert all(row["seconds"] >= 0 for row in rows)


def test_where_lanes_share_a_processor_only_their_nodes_take_turns(tmp_path: Path) -> None:
    turns, held = Lock(), []
    runtime = SimpleNamespace(context=watched(tmp_path, turns=turns))
    for lane_name in ("student", "teacher", "main"):
        node = timed("x", lane_name, lambda state, runtime: held.append(turns.locked()))
        node({"iteration": 1}, runtime)  # type: ignore[arg-type]
    assert held == [True, True, False] and not turns.locked()


def test_a_node_that_fails_leaves_no_timing(tmp_path: Path) -> None:
    def broken(state: Any, runtime: Any) -> Any:
        raise ValueError("broken")

    context = watched(tmp_path)
    with pytest.raises(ValueError, match="broken"):
        timed("train", "student", broken)({"iteration": 1}, SimpleNamespace(context=context))  # type: ignore[arg-type]
    assert read_jsonl(tmp_path / "timings.jsonl") == []
