"""plan: what a run will ask of the teacher, before anything is spent. Estimates, and says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from agent.config import BudgetConfig, RunConfig
from agent.graph import Plan
from agent.nodes.analyze import CORRECT_SHOWN, WRONG_SHOWN
from agent.nodes.analyze import request as analyze_request
from agent.nodes.generate import LONGEST, SHOWN, TEXTS_PER_LABEL, Call, candidates, shown, slots
from agent.nodes.generate import request as generate_request
from agent.nodes.subjects import request as subjects_request
from agent.plan import needs_teacher, notes, plan_of
from agent.report.wording import plural
from agent.shortlist import SIZE, narrowed, short
from agent.state import rng
from agent.teacher.labelling import label_request
from agent.teacher.marking import to_show
from agent.teacher.messages import Request
from agent.teacher.pricing import Pricing
from agent.trust import PROBE, shares
from tasks.spans import OUTSIDE
from tasks.task import Example, Task, load_task
from tasks.written import NO_ANSWER

CHARACTERS_A_TOKEN = 4.0
REPLY_TOKENS = {"analyze": 200.0, "label": 3.0, "entities": 30.0, "answer": 60.0, "subjects": 100.0}
TOKENS_A_TEXT = 30.0


def estimate(config: RunConfig) -> dict[str, Any]:
    """Calls, tokens and cost by node and in all, one rendered prompt of each kind, and the lines that say it.

    Tokens are characters / 4; texts that the teacher will only write are taken to be as long as the seed examples.
    """
    task = load_task(config.task)
    plan = plan_of(config, task)
    rest, shots = task.draw(config.shots, rng(config.seed, 0, "shots"))
    lines = data_lines(rest, shots, config)
    if not needs_teacher(plan):
        return {
            "lines": [*lines, "teacher: not called"],
            "calls": 0,
            "tokens": 0,
            "cost": 0.0,
            "prompts": {},
            "nodes": {},
        }
    samples = sample_requests(config, plan, rest, shots)
    nodes = {name: node_estimate(name, request, plan, config, rest) for name, request in samples.items()}
    calls = sum(node["calls"] for node in nodes.values())
    tokens = sum(node["tokens"] for node in nodes.values())
    prompt = sum(node["prompt_tokens"] for node in nodes.values())
    pricing = Pricing(config.teacher.price, config.teacher.base_url, config.teacher.model)
    cost = pricing.cost(prompt, tokens - prompt)
    for name, node in nodes.items():
        lines.append(f"{name}: about {node['calls']} calls, {node['tokens']:,} tokens")
    lines.append(f"in all: about {calls} calls, {tokens:,} tokens, {cost_words(cost)}")
    if ended := ends_early(config.budget, calls, tokens, cost):
        lines.append(f"the budget ends it earlier: {ended}")
    prompts = {name: request.messages for name, request in samples.items()}
    return {
        "lines": lines,
        "calls": calls,
        "tokens": tokens,
        "cost": cost,
        "prompts": prompts,
        "nodes": nodes,
    }


def sample_requests(config: RunConfig, plan: Plan, task: Task, shots: Sequence[Example]) -> dict[str, Request]:
    """One request of each kind that the graph will send, filled with seed examples where the run fills in its own."""
    labels = list(task.labels)
    requests: dict[str, Request] = {}
    rows = [_row(shot, labels) for shot in shots]
    if "analyze" not in plan.without:
        correct = rows[:CORRECT_SHOWN] if "correct" not in plan.without else []
        requests["analyze"] = analyze_request(task, (rows * WRONG_SHOWN)[:WRONG_SHOWN], correct)
    if "subjects" not in plan.without:
        requests["subjects"] = subjects_request(task, labels[0])
    if "generate" not in plan.without:
        drawn = slots(task, plan.places, dict.fromkeys(labels, 1.0), rng(config.seed, 0, "plan"))
        label = drawn[0].label
        mine = tuple(slot for slot in drawn if slot.label == label)[: config.batch.texts_per_call]
        texts = tuple(task.line(shot.text, LONGEST) for shot in shots if label in shot.labels)[:SHOWN]
        call = Call(label, mine, (), texts, ())
        prompt = plan.writing.prompt
        call = shown(task, call, shots, plan.writing, prompt, 0)
        requests["generate"] = generate_request(task, call, config.batch.generate_temperature, prompt)
    if asked_apart(plan, config) or "sample" not in plan.without:
        some = list(task.labels)[:SIZE]
        narrow = not {"sample", "shortlist"} & plan.without and short(task, config.teacher)
        asked = narrowed(task, some) if narrow else task
        examples = to_show(shots, config.teacher.entity_examples)
        text = (task.pool or task.seed)[0].text
        requests["label"] = label_request(asked, text, logprobs=True, examples=examples)
    return requests


def node_estimate(name: str, request: Request, plan: Plan, config: RunConfig, task: Task) -> dict[str, Any]:
    """Calls and tokens of one node over the whole run; a pool text is taken once."""
    if name == "analyze":
        calls, reply = plan.iterations - 1, REPLY_TOKENS["analyze"]
    elif name == "subjects":
        calls, reply = len(task.labels), REPLY_TOKENS["subjects"]
    elif name == "generate":
        written = [sum(candidates(kept, config.batch.surplus).values()) for kept in each_turn(plan)]
        calls = sum(calls_of(texts, len(task.labels), config.batch.texts_per_call) for texts in written)
        reply = TOKENS_A_TEXT * sum(written) / max(1, calls)
    else:
        texts = asked_apart(plan, config) + taken(plan, config, len(task.pool))
        texts += sum(one.batch.continued for one in turns(plan, config)[1:])
        draws = [one.batch.answers for one in turns(plan, config)] or [1]
        calls = ceil(texts * sum(draws) / len(draws) / config.teacher.texts_per_label_call)
        each = "entities" if task.spans else "answer" if task.written else "label"
        reply = REPLY_TOKENS[each] * config.teacher.texts_per_label_call
    prompt = sum(len(content) for _, content in request.messages) / CHARACTERS_A_TOKEN + 10
    calls = max(0, calls)
    return {"calls": calls, "prompt_tokens": round(calls * prompt), "tokens": round(calls * (prompt + reply))}


def each_turn(plan: Plan) -> list[dict[str, int]]:
    """The written texts to keep in each iteration, by kind, of a teacher that writes what it is asked for."""
    return [
        shares(plan.written, turn == 0, 1.0, plan.guard.pool) for turn in range(plan.iterations if plan.written else 0)
    ]


def asked_apart(plan: Plan, config: RunConfig) -> int:
    """Written texts that are labelled in a separate call, over the run: those of `apart`, and at first some others."""
    if "separation" in plan.without:
        return 0
    asked = [candidates(kept, config.batch.surplus) for kept in each_turn(plan)]
    later = sum(texts.get(kind, 0) for texts in asked[1:] for kind in plan.apart)
    first = [(kind, count) for texts in asked[:1] for kind, count in texts.items()]
    return later + sum(count if kind in plan.apart else min(count, PROBE) for kind, count in first)


def taken(plan: Plan, config: RunConfig, pool: int) -> int:
    """Pool texts over the whole run; they also take the places of texts that are not written."""
    if "sample" in plan.without:
        return 0
    free = sum(sum(plan.written.values()) - sum(kept.values()) for kept in each_turn(plan))
    return min(sum(one.batch.pool for one in turns(plan, config)) + free, pool)


def turns(plan: Plan, config: RunConfig) -> list[RunConfig]:
    """The configuration of each iteration that asks the teacher."""
    return [config.at(turn + 1) for turn in range(plan.iterations)]


def calls_of(texts: int, labels: int, size: int) -> int:
    """Generating calls for so many texts, at most `size` of one label in each."""
    chosen = min(labels, max(1, texts // TEXTS_PER_LABEL))
    return chosen * ceil(texts / chosen / size)


def ends_early(budget: BudgetConfig, calls: int, tokens: int, cost: float | None) -> str | None:
    """The limit that the estimate passes, in words, or None."""
    if budget.tokens is not None and tokens > budget.tokens:
        return f"{budget.tokens:,} tokens"
    if budget.calls is not None and calls > budget.calls:
        return f"{budget.calls} calls"
    if budget.cost is not None and cost is not None and cost > budget.cost:
        return f"${budget.cost}"
    return None


def cost_words(cost: float | None) -> str:
    return "price unknown (set teacher.price)" if cost is None else f"${cost:.4f}"


def data_lines(task: Task, shots: Sequence[Example], config: RunConfig) -> list[str]:
    """What the run will read."""
    parts: Mapping[str, Sequence[Example]] = {"dev": task.dev, "pool": task.pool, "test": task.test}
    sizes = ", ".join(f"{name} {len(examples):,}" for name, examples in parts.items())
    seeds = f"{plural(config.shots, 'shot')} a label ({plural(len(shots), 'seed example')})"
    head = f"task {task.name}: {len(task.labels)} labels, {seeds}, {sizes}"
    return [head, *(f"note: {note}" for note in notes(config, task))]


def _row(shot: Example, labels: Sequence[str]) -> dict[str, Any]:
    """A row of predictions.jsonl with a wrong answer: another label, no entity, or none."""
    if shot.entities is not None:
        return {**vars(shot), "predicted": OUTSIDE, "predicted_entities": ()}
    if shot.output is not None:
        return {**vars(shot), "predicted": shot.label, "written": NO_ANSWER}
    return {"text": shot.text, "label": shot.label, "predicted": next(name for name in labels if name != shot.label)}
