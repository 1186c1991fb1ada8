"""finish: the student is exported, result.json and report.html are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langgraph.runtime import Runtime

from agent.report.page import report_page
from agent.rundir import read_json, read_jsonl, write_json, write_text
from agent.state import Context, State
from tasks.task import kind_module


def finish(state: State, runtime: Runtime[Context]) -> State:
    """Writes model/, result.json and report.html. Done again on resume, with the same result."""
    context = runtime.context
    context.student.export(context.run.root / str(state["adapter"]), context.run.model)
    write_json(context.run.result, result(context, str(state["stopped_because"])))
    write_text(context.run.report, report_page(context.run))
    return {}


def result(context: Context, stopped_because: str) -> dict[str, Any]:
    """result.json, as DESIGN §5 has it. An unknown cost is null."""
    rows = read_jsonl(context.run.metrics)
    last, config, metric = rows[-1], context.config, kind_module(context.task.kind).METRIC
    return {
        "task": context.task.name,
        "strategy": config.strategy,
        "without": list(config.without),
        "seed": config.seed,
        "shots": config.shots,
        "metric": {
            "name": metric,
            "test": last["test"][metric],
            "dev": last["dev"][metric] if last["dev"] else None,
        },
        "curve": curve(rows, metric),
        "teacher": last["teacher"],
        "seconds": run_seconds(read_jsonl(context.run.timings)),
        "iterations": last["iteration"],
        "stopped_because": stopped_because,
        "versions": read_json(context.run.identity)["versions"],
    }


def curve(rows: Sequence[dict[str, Any]], metric: str = "macro_f1") -> list[dict[str, Any]]:
    """A point an iteration; a run that trained itself after iteration 0 begins with the seed examples alone too."""
    points = [(row["iteration"], tokens(rows, i), row["test"]) for i, row in enumerate(rows)]
    if (alone := rows[0]["before_selftrain"]) is not None:
        points.insert(0, (0, 0, alone["test"]))
    return [{"iteration": k, "teacher_tokens": paid, "test": test[metric]} for k, paid, test in points]


def tokens(rows: Sequence[dict[str, Any]], index: int) -> int:
    """Teacher tokens paid for the data that the student of row `index` was trained on.

    While it trains, the teacher lane already writes the next batch: that batch's tokens count from the next row on.
    """
    if index == 0:
        return 0
    teacher = rows[index - 1]["teacher"]
    return int(teacher["prompt_tokens"] + teacher["completion_tokens"])


def run_seconds(timings: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Wall seconds in which any node ran, and the sums of what the teacher and the student worked.

    The time between a kill and its resume does not count; `score`, `evaluate` and `sample` are the student's.
    """
    spans = sorted((row["started"], row["started"] + row["seconds"]) for row in timings)
    total, end = 0.0, float("-inf")
    for start, stop in spans:
        total += max(0.0, stop - max(start, end))
        end = max(end, stop)
    teacher = sum(row["seconds"] for row in timings if row["lane"] == "teacher")
    own = sum(row["seconds"] for row in timings if row["lane"] == "student")
    own += sum(row["seconds"] for row in timings if row["node"] in {"score", "evaluate", "sample"})
    return {"total": total, "teacher": teacher, "student": own}
