"""generate: the teacher writes hard and easy texts, more for labels in need, each with its own attributes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from langgraph.runtime import Runtime

from agent.rundir import put_drops, read_json, read_jsonl, write_jsonl
from agent.selection import fresh, need, quotas
from agent.state import Context, State, TeacherLane
from agent.teacher.messages import Reply, Request
from prompts.render import render
from tasks.task import Task

SHOWN = 2
"""Seed examples, missed texts and weaknesses of a label that one prompt shows, at most each."""
LONGEST = 300
"""Characters of a shown text."""
TOKENS_PER_TEXT = 90

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {"texts": {"type": "array", "items": {"type": "string"}}},
    "required": ["texts"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Slot:
    """One text to be written."""

    label: str
    kind: str
    """`hard`, `easy` or `plain`."""
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class Call:
    """One request: slots of one label or of neighbouring labels, and what the teacher is shown."""

    slots: tuple[Slot, ...]
    weaknesses: tuple[Mapping[str, Any], ...]
    examples: tuple[Mapping[str, str], ...]
    """Seed examples: text and label."""
    missed: tuple[Mapping[str, str], ...]
    """Texts the student got wrong: text and label."""


def generate(state: State, runtime: Runtime[Context], places: Mapping[str, int]) -> TeacherLane:
    """Writes generated.jsonl: candidates in surplus of `places` (kind → texts that will be kept)."""
    context, iteration = runtime.context, state["iteration"]
    here = context.run.iteration(iteration)
    rng = context.rng(iteration, "generate")
    earlier = [row for row in read_jsonl(context.run.history) if row["iteration"] < iteration]
    history = earlier + read_jsonl(here.batch)
    predictions = read_jsonl(here.predictions)
    weights = need(Counter(row["label"] for row in history), accuracy(predictions, list(context.task.labels)))
    wanted = {kind: ceil(count * context.config.batch.surplus) for kind, count in places.items()}
    calls = plan(context, slots(context.task, wanted, weights, rng), predictions, _weaknesses(state, context), rng)
    requests = [request(context.task, call, context.config.batch.generate_temperature) for call in calls]
    replies = context.teacher.ask(requests, "generate", iteration)
    rows, drops = [], []
    for call, reply in zip(calls, replies, strict=True):
        made, missing = written(call, reply)
        rows += made
        drops += missing
    seen = [row["text"] for row in history] + [r["text"] for r in read_jsonl(here.sampled)]
    seen += _generated_before(context, iteration)
    kept, repeated = fresh([row["text"] for row in rows], seen, [shot.text for shot in context.shots])
    drops += [{"reason": reason, "text": rows[i]["text"], "detail": like} for i, (reason, like) in repeated.items()]
    write_jsonl(here.generated, [rows[i] for i in kept])
    put_drops(here.dropped, "generate", drops)
    return {"budget_ended": context.teacher.budget_ended}


def accuracy(predictions: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> dict[str, float | None]:
    """The student's share of right answers by label on its last batch; None where it saw none. Never the test set."""
    result: dict[str, float | None] = {}
    for label in labels:
        mine = [bool(row["correct"]) for row in predictions if row["label"] == label]
        result[label] = sum(mine) / len(mine) if mine else None
    return result


def slots(task: Task, wanted: Mapping[str, int], weights: Mapping[str, float], rng: np.random.Generator) -> list[Slot]:
    """`wanted[kind]` slots of each kind, labels by need, attributes drawn so that no two neighbours agree."""
    result = []
    for kind, count in wanted.items():
        labels = [label for label, n in quotas(weights, count).items() for _ in range(n)]
        columns = {name: _shuffled(values, len(labels), rng) for name, values in task.attributes.items()}
        for i, label in enumerate(labels):
            result.append(Slot(label, kind, {name: column[i] for name, column in columns.items()}))
    return result


def plan(
    context: Context, wanted: Sequence[Slot], predictions: Sequence[Mapping[str, Any]],
    weaknesses: Sequence[Mapping[str, Any]], rng: np.random.Generator,
) -> list[Call]:  # fmt: skip
    """The slots, label by label, in calls of at most `texts_per_call`; what a call shows is drawn anew."""
    order = {label: i for i, label in enumerate(context.task.labels)}
    ordered = sorted(wanted, key=lambda slot: order[slot.label])
    size = context.config.batch.texts_per_call
    seeds = [{"text": shot.text, "label": str(shot.label)} for shot in context.shots]
    missed = [{"text": row["text"], "label": row["label"]} for row in predictions if not row["correct"]]
    calls = []
    for start in range(0, len(ordered), size):
        mine = ordered[start : start + size]
        labels = {slot.label for slot in mine}
        known = [weakness for weakness in weaknesses if weakness["label"] in labels]
        shown = [[row for row in rows if row["label"] in labels] for rows in (seeds, missed)]
        examples, wrong = (tuple(_some(rows, rng)) for rows in shown)
        calls.append(Call(tuple(mine), tuple(known[:SHOWN]), examples, wrong))
    return [calls[i] for i in rng.permutation(len(calls))]


def request(task: Task, call: Call, temperature: float) -> Request:
    """The generator's request for one call."""
    return Request(
        role="generator",
        messages=render(
            "generate", task=task, slots=call.slots,
            weaknesses=call.weaknesses, examples=call.examples, missed=call.missed,
        ),
        temperature=temperature,
        max_tokens=60 + TOKENS_PER_TEXT * len(call.slots),
        schema=SCHEMA,
    )  # fmt: skip


def written(call: Call, reply: Reply | None) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The texts of a reply, a row each, and a drop for every slot that got none and every text without a slot."""
    if reply is None:
        return [], []
    texts: list[Any] = reply.parsed["texts"] if isinstance(reply.parsed, dict) else []
    made, drops = [], []
    for slot, text in zip(call.slots, texts, strict=False):
        line = str(text).strip()
        if line:
            aimed = [weakness["pattern"] for weakness in call.weaknesses if weakness["label"] == slot.label]
            pattern = aimed[0] if aimed and slot.kind == "hard" else None
            made.append(
                {"text": line, "intended": slot.label, "source": slot.kind, "pattern": pattern,
                 "attributes": dict(slot.attributes)}
            )  # fmt: skip
        else:
            drops.append({"reason": "empty", "text": None, "detail": slot.label})
    drops += [{"reason": "not_asked", "text": str(text), "detail": None} for text in texts[len(call.slots) :]]
    short = len(call.slots) - len(texts)
    reason = reply.fault or "not_written"
    drops += [{"reason": reason, "text": None, "detail": reply.text[-200:]}] * max(0, short)
    return made, drops


def _weaknesses(state: State, context: Context) -> list[dict[str, Any]]:
    file = context.run.iteration(state["iteration"]).analysis
    return list(read_json(file)["weaknesses"]) if file.exists() else []


def _generated_before(context: Context, iteration: int) -> list[str]:
    earlier = (read_jsonl(context.run.iteration(k).generated) for k in range(iteration))
    return [row["text"] for rows in earlier for row in rows]


def _shuffled(values: Sequence[str], count: int, rng: np.random.Generator) -> list[str]:
    """`count` values, every one used before one is used again."""
    result: list[str] = []
    while len(result) < count:
        result += [values[i] for i in rng.permutation(len(values))]
    return result[:count]


def _some(rows: Sequence[Mapping[str, str]], rng: np.random.Generator) -> list[dict[str, str]]:
    """At most SHOWN rows, drawn, their texts on one line."""
    picked = [rows[i] for i in rng.permutation(len(rows))[:SHOWN]]
    return [{**row, "text": " ".join(row["text"].split())[:LONGEST]} for row in picked]
