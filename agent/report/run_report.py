"""The facts of a run in one dict: what `evokd report --json` prints and the page opens with."""

from __future__ import annotations

from typing import Any

from agent.report.record import RunRecord, read_record
from agent.rundir import RunDir


def run_summary(run: RunDir) -> dict[str, Any]:
    """result.json of a run that ended; the same fields as far as they are known of one that did not.

    Added fields: `finished` (bool) and `missing` (what is not there, a sentence each).

    Raises:
        UserError: a file of the run is there but cannot be read.
    """
    return summarise(read_record(run))


def summarise(record: RunRecord) -> dict[str, Any]:
    """`run_summary` of a run that was read already."""
    facts = record.result if record.result is not None else _so_far(record)
    return {**facts, "finished": record.result is not None, "missing": _missing(record)}


def _so_far(record: RunRecord) -> dict[str, Any]:
    config, rows = record.config, [record.metrics[k] for k in sorted(record.metrics)]
    last: dict[str, Any] = rows[-1] if rows else {}
    metric = record.metric
    test, dev = last.get("test") or {}, last.get("dev") or {}
    return {
        "task": config.get("task"),
        "strategy": config.get("strategy"),
        "without": list(config.get("without") or ()),
        "seed": config.get("seed"),
        "shots": config.get("shots"),
        "metric": {"name": metric, "test": test.get(metric), "dev": dev.get(metric)},
        "curve": [
            {
                "iteration": k,
                "teacher_tokens": record.tokens(k),
                "test": (row.get("test") or {}).get(metric),
            }
            for k, row in sorted(record.metrics.items())
        ],
        "teacher": last.get("teacher"),
        "seconds": None,
        "iterations": last.get("iteration"),
        "stopped_because": None,
        "versions": {},
    }


def _missing(record: RunRecord) -> list[str]:
    found = []
    if not record.config:
        found.append("config.yaml: what was asked for is not known.")
    if record.result is None:
        found.append("result.json: the run is still going, or it ended before its result was written.")
    if not record.metrics:
        found.append("metrics.jsonl: no scores, counts or usage yet.")
    if record.graph is None:
        found.append("graph.mmd: the graph that ran.")
    there = {one.number for one in record.iterations}
    gaps = sorted(set(range(max(there, default=-1) + 1)) - there)
    found += [f"iteration_{number:03d}/: the folder of iteration {number}." for number in gaps]
    for one in record.iterations:
        if one.measured is None:
            found.append(f"{one.name}/measured.json: iteration {one.number} has not been measured.")
    return found
