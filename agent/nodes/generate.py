"""generate: the teacher writes hard and easy texts, more for labels in need, each with its own attributes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from types import MappingProxyType
from typing import Any

import numpy as np
from langgraph.runtime import Runtime

from agent.afford import generating_calls
from agent.baselines.strategy import Writing
from agent.example import labels_of
from agent.rundir import put_drops, read_json, read_jsonl, write_jsonl
from agent.selection import fresh, need, quotas
from agent.state import Context, State, TeacherLane
from agent.teacher.messages import Reply, Request
from agent.trust import Guard, proven, to_write
from prompts.render import render
from tasks.task import Example, Task, joined

SHOWN = 2
"""Seed examples, missed texts and weaknesses of a label that one prompt shows, at most each."""
LONGEST = 300
"""Characters of a shown text, of each of its fields."""
TOKENS_PER_TEXT = 60
"""Of a reply, at most: a small teacher that repeats itself goes on until it is cut, and is paid for it."""
DRAWS = 2**30
"""Numbers of draws; endpoints take them for a seed, some only in 32 bits."""
TEXTS_PER_LABEL = 4
"""Texts asked for a label at least, where there are more labels than texts."""


def schema(task: Task) -> dict[str, Any]:
    """The JSON schema of a reply: a string a text, or an object with the fields of an example."""
    text: dict[str, Any] = {"type": "string"}
    if task.several:
        fields = {field: {"type": "string"} for field in task.fields}
        text = {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}
    return {
        "type": "object",
        "properties": {"texts": {"type": "array", "items": text}},
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
    """One request: slots of one label and kind, and what the teacher is shown."""

    label: str
    slots: tuple[Slot, ...]
    weaknesses: tuple[Mapping[str, Any], ...]
    examples: tuple[str, ...]
    """Seed examples of the label; none where the strategy shows none (Writing.seeds)."""
    missed: tuple[str, ...]
    """Texts of the label that the student got wrong."""
    taken_for: str = ""
    """The label that hard texts are to be taken for at first; "" = any."""


def generate(
    state: State, runtime: Runtime[Context], places: Mapping[str, int], writing: Writing, guard: Guard,
    apart: Collection[str],
) -> TeacherLane:  # fmt: skip
    """Writes generated.jsonl: candidates for `places` (kind → texts that will be kept).

    Args:
        guard: Fewer, or easy ones, where what it wrote before was not what was asked (see trust.py).
        apart: Kinds that are labelled in a separate call whatever the teacher has proven.
    """
    context, iteration = runtime.context, state["iteration"]
    here = context.run.iteration(iteration)
    rng = context.rng(iteration, "generate")
    earlier = [row for row in read_jsonl(context.run.history) if row["iteration"] < iteration]
    history = earlier + read_jsonl(here.batch)
    predictions = read_jsonl(here.predictions)
    counts = Counter(label for row in history for label in labels_of(row))
    weights = need(counts, accuracy(predictions, list(context.task.labels)))
    kept = to_write(context.run, iteration, places, context.task.choices, guard)
    wanted = candidates(kept, context.config.batch.surplus)
    prompt = writing.prompt_of(iteration)
    known = subjects_of(context)
    if writing.missed:
        wrong = {row["text"] for row in predictions if not row["correct"]} if iteration else None
        calls = of_missed(context.task, context.shots, wrong, context.config.batch.texts_per_call)
    else:
        calls = plan(
            context,
            slots(context.task, wanted, weights, rng, known),
            predictions,
            _weaknesses(state, context),
            writing,
            rng,
        )
        calls = [shown(context.task, call, context.shots, writing, prompt, i) for i, call in enumerate(calls)]
    sampled, asked = read_jsonl(here.sampled), len(calls)
    unasked = proven(context.run, iteration, context.task.choices)
    labelled = sum(n for kind, n in wanted.items() if kind in apart or not unasked) / max(1, sum(wanted.values()))
    calls = calls[: int(min(asked, generating_calls(context, iteration, "generate", labelled)))]
    ended = "tokens" if asked and not (calls or sampled) else None  # none can be paid, nothing else is waiting
    requests = [request(context.task, call, context.config.batch.generate_temperature, prompt) for call in calls]
    first = int(context.rng(iteration, "draw").integers(DRAWS))
    replies = context.teacher.ask(draws(requests, first), "generate", iteration)
    rows, drops = [], []
    for call, reply in zip(calls, replies, strict=True):
        made, missing = written(context.task, call, reply)
        rows += made
        drops += missing
    seen = [row["text"] for row in [*history, *sampled]]
    seen += _generated_before(context, iteration)
    new, repeated = fresh([row["text"] for row in rows], seen, [shot.text for shot in context.shots])
    drops += [{"reason": reason, "text": rows[i]["text"], "detail": like} for i, (reason, like) in repeated.items()]
    write_jsonl(here.generated, [rows[i] for i in new])
    put_drops(here.dropped, "generate", drops)
    return {"budget_ended": context.teacher.budget_ended or ended}


def candidates(places: Mapping[str, int], surplus: float) -> dict[str, int]:
    """Texts to ask for, by kind: hard ones in surplus, since the score keeps the hardest."""
    return {kind: ceil(count * surplus) if kind == "hard" else count for kind, count in places.items()}


def accuracy(predictions: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> dict[str, float | None]:
    """The student's share of right answers by label on its last batch; None where it saw none. Never the test set."""
    result: dict[str, float | None] = {}
    for label in labels:
        mine = [bool(row["correct"]) for row in predictions if label in labels_of(row)]
        result[label] = sum(mine) / len(mine) if mine else None
    return result


def subjects_of(context: Context) -> dict[str, list[str]]:
    """Label → its subjects as the teacher named them; {} where it was not asked."""
    file = context.run.subjects
    return dict(read_json(file)) if file.exists() else {}


def slots(
    task: Task, wanted: Mapping[str, int], weights: Mapping[str, float], rng: np.random.Generator,
    known: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> list[Slot]:  # fmt: skip
    """`wanted[kind]` slots of each kind, labels by need, attributes drawn so that neighbours differ; each with one of
    the subjects `known` of its label.

    Where there are many labels, those with the greatest need take turns: a call for one or two texts would pay
    its prompt for little, and one call for several labels mixes them up (seen with a teacher of 1.5 B).
    """
    count = max(1, sum(wanted.values()) // TEXTS_PER_LABEL)
    ranked = [list(weights)[i] for i in rng.permutation(len(weights))]
    chosen = sorted(ranked, key=lambda label: -weights[label])[:count]
    shares = {label: weights[label] for label in task.labels if label in chosen}
    result = []
    for kind, places in wanted.items():
        labels = [label for label, n in quotas(shares, places).items() for _ in range(n)]
        columns = {name: _shuffled(values, len(labels), rng) for name, values in task.attributes.items()}
        about = {label: iter(_shuffled(known[label], labels.count(label), rng)) for label in known if known[label]}
        for i, label in enumerate(labels):
            own = {"subject": next(about[label])} if label in about else {}
            result.append(Slot(label, kind, {**{name: column[i] for name, column in columns.items()}, **own}))
    return result


def plan(
    context: Context,
    wanted: Sequence[Slot],
    predictions: Sequence[Mapping[str, Any]],
    weaknesses: Sequence[Mapping[str, Any]],
    writing: Writing,
    rng: np.random.Generator,
) -> list[Call]:
    """The slots in calls of one label and kind, at most `texts_per_call` each; what a call shows is drawn anew."""
    size, task = context.config.batch.texts_per_call, context.task
    calls = []
    for label in task.labels:
        seeds = [shot.text for shot in context.shots if label in shot.labels]
        wrong = [row for row in predictions if label in labels_of(row) and not row["correct"]]
        known = tuple(weakness for weakness in weaknesses if weakness["label"] == label)[:SHOWN]
        for kind in dict.fromkeys(slot.kind for slot in wanted):
            mine = [slot for slot in wanted if (slot.label, slot.kind) == (label, kind)]
            told = kind == "hard" or not writing.aimed
            aimed = kind == "hard" and writing.aimed and task.label_alone
            for start in range(0, len(mine), size):
                missed = _some(task, [row["text"] for row in wrong], rng) if told else ()
                aim = taken_for(wrong, label, list(task.labels), rng) if aimed else ""
                calls.append(
                    Call(label, tuple(mine[start : start + size]), known if told else (),
                         _some(task, seeds, rng), missed, aim)
                )  # fmt: skip
    return [calls[i] for i in rng.permutation(len(calls))]


def taken_for(
    wrong: Sequence[Mapping[str, Any]], label: str, labels: Sequence[str], rng: np.random.Generator
) -> str:  # fmt: skip
    """What the student took a text of `label` for, drawn from its mistakes; any other label where it made none."""
    others = [str(row["predicted"]) for row in wrong] or [other for other in labels if other != label]
    return others[int(rng.integers(len(others)))]


def of_missed(task: Task, shots: Sequence[Example], wrong: Collection[str] | None, size: int) -> list[Call]:
    """A call for `size` texts like each seed example of a label whose text is in `wrong`; None = all."""
    calls = []
    for shot in shots:
        if shot.label in task.labels and (wrong is None or shot.text in wrong):
            slots = (Slot(str(shot.label), "plain", {}),) * size
            calls.append(Call(str(shot.label), slots, (), (task.line(shot.text, LONGEST),), ()))
    return calls


def shown(task: Task, call: Call, shots: Sequence[Example], writing: Writing, prompt: str, place: int) -> Call:
    """The call with what the strategy shows; `rephrase` says one seed example in other words, each in its turn."""
    if not writing.attributes:
        call = replace(call, slots=tuple(replace(slot, attributes={}) for slot in call.slots))
    if prompt == "rephrase":
        mine = [shot.text for shot in shots if call.label in shot.labels]
        one = task.line(mine[place % len(mine)], LONGEST)
        return replace(call, examples=(one,), missed=(), weaknesses=())
    unneeded = writing.seeds == "needed" and bool(task.named())
    return replace(call, examples=()) if writing.seeds == "never" or unneeded else call


def request(task: Task, call: Call, temperature: float, prompt: str = "generate") -> Request:
    """The generator's request for one call."""
    return Request(
        role="generator",
        messages=render(
            prompt, task=task, label=call.label, slots=call.slots,
            weaknesses=call.weaknesses, examples=call.examples, missed=call.missed, taken_for=call.taken_for,
            form=form(task),
        ),
        temperature=temperature,
        max_tokens=60 + TOKENS_PER_TEXT * len(task.fields) * len(call.slots),
        schema=schema(task),
    )  # fmt: skip


def draws(requests: Sequence[Request], first: int) -> list[Request]:
    """Each request as a draw of its own, numbered from `first`: without attributes many are alike, and answered as one
    they would be one text several times; and with one seed, prompts that hardly differ are answered alike. Greedy ones
    stay as they are: another draw of them would be paid and not differ."""
    return [replace(one, sample=first + k) if one.temperature else one for k, one in enumerate(requests)]


def form(task: Task) -> str:
    """One text of the reply, as the prompt shows its form."""
    return json.dumps(dict.fromkeys(task.fields, "...")) if task.several else '"..."'


def written(task: Task, call: Call, reply: Reply | None) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The texts of a reply, a row each, and a drop for every slot that got none and every text without a slot."""
    if reply is None:
        return [], []
    texts: list[Any] = reply.parsed["texts"] if isinstance(reply.parsed, dict) else []
    made, drops = [], []
    for slot, text in zip(call.slots, texts, strict=False):
        parts = [text[field] for field in task.fields] if task.several else [text]
        parts = [str(part).encode("utf-8", "replace").decode().strip() for part in parts]  # no half surrogate pairs
        line = joined(parts) if len(parts) > 1 else parts[0]
        if echo(slot, line):
            drops.append({"reason": "echo", "text": line, "detail": slot.label})
        elif all(parts):
            pattern = call.weaknesses[0]["pattern"] if call.weaknesses and slot.kind == "hard" else None
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


def echo(slot: Slot, text: str) -> bool:
    """Whether `text` repeats what was asked of it: a small teacher wrote "Easy, two sentences, formal."."""
    asked = ", ".join(slot.attributes.values()).casefold()
    return len(slot.attributes) > 1 and asked in " ".join(text.split()).casefold()


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


def _some(task: Task, texts: Sequence[str], rng: np.random.Generator) -> tuple[str, ...]:
    """At most SHOWN texts, drawn, each on one line."""
    return tuple(task.line(texts[i], LONGEST) for i in rng.permutation(len(texts))[:SHOWN])
