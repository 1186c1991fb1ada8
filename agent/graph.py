"""The loop as a graph: two lanes and a join. What is left out is left out when the graph is built.

    seed ─► (score ─► evaluate) ─► sample ─┬─► student lane: replay ► reconcile ► train ► match ► measure ─┬─► join ─► …
                                           └─► teacher lane: analyze ► generate ► label ───────────────────┘

join goes on with score, or ends.

The end: join ─► last lane: selftrain ► match ► measure ─► join ─► finish.
Each lane is a compiled subgraph, since plain parallel nodes would wait for each other at every step.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from typing import Any, Literal

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from agent.baselines.strategy import Writing
from agent.config import BatchConfig
from agent.nodes.analyze import analyze
from agent.nodes.average import average
from agent.nodes.begin import begin
from agent.nodes.eda import eda
from agent.nodes.evaluate import evaluate
from agent.nodes.finish import finish
from agent.nodes.generate import generate
from agent.nodes.gold import gold
from agent.nodes.join import join
from agent.nodes.label import label
from agent.nodes.match import match
from agent.nodes.measure import measure
from agent.nodes.reconcile import reconcile
from agent.nodes.replay import replay
from agent.nodes.sample import sample
from agent.nodes.score import score
from agent.nodes.seed import seed
from agent.nodes.selftrain import selftrain
from agent.nodes.subjects import subjects
from agent.nodes.train import train
from agent.nodes.weigh import weigh
from agent.rundir import append_jsonl
from agent.selection import quotas
from agent.state import Context, State, StudentLane, TeacherLane
from agent.trust import Guard

Node = Callable[..., Any]
Graph = CompiledStateGraph[State, Context, State, State]

INSIDE: Mapping[str, tuple[str, ...]] = {
    "seed": ("names",), "sample": ("shortlist",), "analyze": ("correct",), "generate": ("hard", "easy", "hardness"),
    "label": ("separation", "agreement"),
}  # fmt: skip
"""Parts that are left out within a node, not as a node."""


FOR_NEXT = ("sample",)
"""Nodes of the main path that, as the teacher's lane, work for the next iteration: with the settings of its stage."""


@dataclass(frozen=True)
class Plan:
    """Everything that decides the shape of the graph."""

    without: frozenset[str] = frozenset()
    kinds: tuple[str, ...] = ("hard", "easy")
    apart: tuple[str, ...] = ("hard",)
    labels: Literal["teacher", "gold", "eda"] = "teacher"
    iterations: int = 5
    batch: BatchConfig = field(default_factory=BatchConfig)
    writing: Writing = field(default_factory=Writing)
    weighing: bool = False
    continuing: bool = False
    """The teacher goes on from answers that the student began, in some iteration."""

    @property
    def places(self) -> dict[str, int]:
        """Generated texts kept in a batch, by kind. The places of what is left out go to the others."""
        hard, easy = self.batch.hard or 0, self.batch.easy or 0
        total = hard + easy + (self.batch.pool if "sample" in self.without else 0)
        if self.kinds == ("plain",):
            return {"plain": total}
        own = {"hard": hard, "easy": easy}
        kept = {kind: own[kind] for kind in self.kinds if kind not in self.without}
        return {next(iter(kept)): total} if len(kept) == 1 else quotas(kept, total)

    @property
    def all_written(self) -> bool:
        """Whether the teacher writes all that the student learns beside the seed examples."""
        return self.iterations > 0 and "sample" in self.without and "generate" not in self.without

    @property
    def written(self) -> dict[str, int]:
        """The same where anything is generated at all."""
        return {} if "generate" in self.without else self.places

    @property
    def guard(self) -> Guard:
        """What the places of generated texts depend on while it runs."""
        return Guard(pool=not {"sample", "agreement"} & self.without, hardness="hardness" not in self.without)


def build_graph(plan: Plan, checkpointer: BaseCheckpointSaver[Any] | None = None) -> Graph:
    """The graph of one run, compiled. `plan` is what was asked for after all defaults and implications."""
    graph = StateGraph(State, context_schema=Context)
    before: list[tuple[str, Node]] = [("seed", partial(seed, names="names" not in plan.without))]
    again: list[tuple[str, Node]] = [
        ("score", partial(score, places=plan.places)),
        ("evaluate", partial(evaluate, of_seeds=plan.writing.missed)),
    ]
    again = [(name, node) for name, node in again if name not in plan.without]
    narrow = "shortlist" not in plan.without
    taking = partial(sample, places=plan.written, guard=plan.guard, narrow=narrow)
    draws: list[tuple[str, Node]] = [("sample", taking)] if "sample" not in plan.without else []
    loops = plan.iterations > 0
    for name, node in [*before, *(again + draws if loops else [])]:
        graph.add_node(name, timed(name, "main", node), metadata=less(name, plan.without))
    graph.add_node("student_lane", lane("student", student_lane(plan), StudentLane))
    graph.add_node("join", timed("join", "main", partial(join, iterations=plan.iterations)))
    graph.add_node("finish", timed("finish", "main", finish))
    graph.add_edge(START, "seed")
    graph.add_edge("student_lane", "join")
    graph.add_edge("finish", END)
    if not loops:
        graph.add_edge("seed", "student_lane")
        graph.add_edge("join", "finish")
        return graph.compile(checkpointer=checkpointer, name="evokd")

    graph.add_node("teacher_lane", lane("teacher", teacher_lane(plan), TeacherLane, plan.without))
    graph.add_edge("teacher_lane", "join")
    end = "finish"
    if "selftrain" not in plan.without:
        end = "last_lane"
        graph.add_node(end, lane("student", last_lane(plan), StudentLane))
        graph.add_edge(end, "join")
    ends = sorted({end, "finish"})
    lanes = ["student_lane", "teacher_lane"]
    first = draws[0][0] if draws else None
    if first is not None:
        graph.add_edge("seed", first)
        for target in lanes:
            graph.add_edge(first, target)
    else:
        for target in lanes:
            graph.add_edge("seed", target)
    last = chain(graph, again)
    onward = [first] if first else lanes
    head = again[0][0] if again else None
    route_on = partial(more_to_ask, iterations=plan.iterations, onward=onward)
    if head is None:
        routes = partial(after_join, head=route_on, end=end)
        graph.add_conditional_edges("join", routes, sorted({*onward, "student_lane", *ends}))
    else:
        graph.add_conditional_edges("join", partial(after_join, head=lambda state: head, end=end), [head, *ends])
        graph.add_conditional_edges(last, route_on, sorted({*onward, "student_lane"}))
    return graph.compile(checkpointer=checkpointer, name="evokd")


def student_lane(plan: Plan) -> list[tuple[str, Node]]:
    """replay ► reconcile ► train ► average ► match ► measure; for sungen replay ► weigh ► train ► measure."""
    nodes: list[tuple[str, Node]] = [
        ("replay", replay), ("reconcile", reconcile), ("weigh", weigh),
        ("train", partial(train, averaged="average" not in plan.without)), ("average", average), ("match", match),
        ("measure", measure),
    ]  # fmt: skip
    missing = plan.without | ({"replay"} if "review" in plan.without else set())
    missing |= set() if plan.weighing else {"weigh"}
    return [(name, node) for name, node in nodes if name not in missing]


def last_lane(plan: Plan) -> list[tuple[str, Node]]:
    """selftrain ► match ► measure."""
    nodes: list[tuple[str, Node]] = [("selftrain", selftrain), ("match", match), ("measure", measure)]
    return [(name, node) for name, node in nodes if name not in plan.without]


def teacher_lane(plan: Plan) -> list[tuple[str, Node]]:
    """analyze ► subjects ► generate ► begin ► label; or gold, or eda, which ask no teacher."""
    if plan.labels == "gold":
        return [("gold", gold)]
    if plan.labels == "eda":
        return [("eda", eda)]
    correct, separate = "correct" not in plan.without, "separation" not in plan.without
    nodes: list[tuple[str, Node]] = [
        ("analyze", partial(analyze, places=plan.places, guard=plan.guard, with_correct=correct)),
        ("subjects", subjects),
        ("generate", partial(generate, places=plan.places, writing=plan.writing, guard=plan.guard, apart=plan.apart)),
        ("begin", begin),
        ("label", partial(label, separate=separate, apart=plan.apart, agreeing="agreement" not in plan.without)),
    ]
    missing = plan.without | (set() if plan.continuing else {"begin"})
    return [(name, node) for name, node in nodes if name not in missing]


def more_to_ask(state: State, iterations: int, onward: Sequence[str]) -> list[str]:
    """Both lanes while a further iteration may come; the student's alone in the last one."""
    last = state["iteration"] >= iterations or state.get("budget_ended") is not None
    return ["student_lane"] if last else list(onward)


def after_join(state: State, head: Callable[[State], Any], end: str) -> Any:
    """On with the next iteration; or the end: the student trains itself, is measured and joined again, and finish."""
    if not state.get("stopped_because"):
        return head(state)
    return "finish" if state.get("self_trained") else end


def chain(graph: StateGraph[State, Context, Any, Any], nodes: Sequence[tuple[str, Node]]) -> str:
    """Edges from each node to the next; the name of the last one."""
    for (one, _), (other, _) in pairwise(nodes):
        graph.add_edge(one, other)
    return nodes[-1][0] if nodes else "join"


def lane(
    name: str, nodes: Sequence[tuple[str, Node]], output: type, without: Collection[str] = ()
) -> CompiledStateGraph[Any, Any, Any, Any]:
    """A subgraph of nodes one after the other, which hands on only the keys of `output`.

    What a node does without (INSIDE) is written beside it, so that the drawing shows that too.
    """
    graph = StateGraph(State, context_schema=Context, output_schema=output)
    previous = START
    for node_name, node in nodes:
        graph.add_node(node_name, timed(node_name, name, node), metadata=less(node_name, without))
        graph.add_edge(previous, node_name)
        previous = node_name
    graph.add_edge(previous, END)
    return graph.compile(name=f"{name}_lane")


def less(node: str, without: Collection[str]) -> dict[str, str] | None:
    """The parts (INSIDE) that `node` does without, for the drawing."""
    parts = ", ".join(part for part in INSIDE.get(node, ()) if part in without)
    return {"without": parts} if parts else None


def timed(name: str, lane_name: str, node: Node) -> Node:
    """`node`, with its start and seconds noted in timings.jsonl and shown in the progress display."""

    def run(state: State, runtime: Runtime[Context]) -> Any:
        context = runtime.context
        iteration = state.get("iteration", 0)
        context.notify("start", name, iteration)
        if context.config.stages:
            own = iteration + (lane_name == "teacher" or name in FOR_NEXT)
            runtime = runtime.override(context=replace(context, config=context.config.at(own)))
        with nullcontext() if lane_name == "main" else context.turns:
            started, clock = time.time(), time.perf_counter()
            result = node(state, runtime)
        row = {
            "iteration": iteration, "node": name, "lane": lane_name,
            "started": started, "seconds": time.perf_counter() - clock,
        }  # fmt: skip
        append_jsonl(context.run.timings, row)
        context.notify("end", name, iteration)
        return result

    run.__name__ = name
    return run


def drawing(plan: Plan) -> str:
    """The graph of `plan` as Mermaid, lanes drawn out."""
    return build_graph(plan).get_graph(xray=True).draw_mermaid()
