"""join: both lanes are done. Writes the row of metrics and the weakness reports, and decides whether to go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from langgraph.runtime import Runtime

from agent.example import labels_of, origin
from agent.report.weakness import weakness_report
from agent.rundir import RunDir, read_json, read_jsonl, replace_rows, write_text
from agent.state import Context, State


def join(state: State, runtime: Runtime[Context], iterations: int) -> State:
    """One row of metrics.jsonl; weakness.md of this iteration and, now that it is known, of the one before."""
    context, iteration = runtime.context, state["iteration"]
    usage = context.teacher.usage()
    teacher = {
        "calls": usage.calls, "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens, "cached_calls": usage.cached_calls, "cost": usage.cost,
    }  # fmt: skip
    replace_rows(
        context.run.metrics,
        iteration,
        [metrics_row(context.run, iteration, teacher, context.config.teacher.longest_text)],
    )
    for number in range(max(0, iteration - 1), iteration + 1):
        write_text(context.run.iteration(number).weakness, weakness_report(context.run, number))
    reason = stop_reason(iteration, iterations, state.get("waiting", 0), state.get("budget_ended"))
    if reason is not None:
        return {"stopped_because": reason}
    return {"iteration": iteration + 1, "waiting": 0}


def stop_reason(iteration: int, iterations: int, waiting: int, budget_ended: str | None) -> str | None:
    """Why the run ends here, or None."""
    if waiting:
        return None
    if budget_ended is not None:
        return f"budget: {budget_ended}"
    return "iterations" if iteration >= iterations else "nothing new to train on"


def metrics_row(run: RunDir, iteration: int, teacher: dict[str, Any], longest: int) -> dict[str, Any]:
    """What metrics.jsonl says of one iteration."""
    here = run.iteration(iteration)
    measured = read_json(here.measured)
    return {
        "iteration": iteration,
        "test": measured["test"],
        "dev": measured["dev"],
        "before_selftrain": measured["before_selftrain"],
        "self_training": read_json(here.self_training) if here.self_training.exists() else None,
        "prequential": prequential(read_jsonl(here.predictions)),
        "counts": counts(run, iteration, longest),
        "teacher": teacher,
        "seconds": seconds(read_jsonl(run.timings), iteration),
    }


def prequential(predictions: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Accuracy on the batch before training on it, whole and by source. Never quoted as the result."""
    if not predictions:
        return None
    groups = {name: [p for p in predictions if origin(p) == name] for name in sorted(map(origin, predictions))}

    def part(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        return {"n": len(rows), "accuracy": sum(bool(row["correct"]) for row in rows) / len(rows)}

    return {**part(predictions), "by_source": {source: part(rows) for source, rows in groups.items()}}


def counts(run: RunDir, iteration: int, longest: int) -> dict[str, Any]:
    """made = kept + dropped of the batch of this iteration, with the reason of every drop.

    `shown_cut`: texts of the batch longer than `longest` characters, of which the labeller read no more.
    """
    here = run.iteration(iteration)
    batch = read_jsonl(here.batch)
    dropped: Counter[str] = Counter()
    if iteration > 0:
        drops = read_jsonl(run.iteration(iteration - 1).dropped)
        dropped.update(str(drop["reason"]) for drop in drops)
    dropped.update(str(row.get("reason") or "not_selected") for row in read_jsonl(here.scored) if not row["kept"])
    return {
        "made": len(batch) + dropped.total(),
        "kept": len(batch),
        "dropped": dict(sorted(dropped.items())),
        "shown_cut": sum(len(row["text"]) > longest for row in batch),
        **of_mentions(run, iteration),
        "by_source": dict(sorted(Counter(row["source"] for row in batch).items())),
        "by_label": dict(sorted(Counter(label for row in batch for label in labels_of(row)).items())),
    }


def of_mentions(run: RunDir, iteration: int) -> dict[str, Any]:
    """Of a task of spans, as `mentions`: the entities that the teacher named in texts for this batch, made = kept +
    dropped, with the reason of every drop. {} elsewhere."""
    named = run.iteration(iteration - 1).mentions if iteration > 0 else None
    if named is None or not named.exists():
        return {}
    found = read_json(named)
    return {"mentions": {key: found[key] for key in ("made", "kept", "dropped")}}


def seconds(timings: Sequence[dict[str, Any]], iteration: int) -> dict[str, float]:
    """Seconds of each node in one iteration; of a node that ran twice (after a kill), the run that counted."""
    return {row["node"]: row["seconds"] for row in timings if row["iteration"] == iteration}
