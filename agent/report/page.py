"""The run report: one HTML file that needs nothing else, from the files of a run folder."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from agent.report import pictures, tables
from agent.report.record import RunRecord, read_record
from agent.report.run_report import summarise
from agent.report.wording import DASH, METRICS, clip, duration, gain, money, number, plural, points
from agent.rundir import RunDir

STOPS = {
    "budget: tokens": "the token budget ended",
    "budget: cost": "the cost budget ended",
    "budget: calls": "the call budget ended",
    "budget: minutes": "the time budget ended",
    "iterations": "all iterations are done",
}


def report_page(run: RunDir) -> str:
    """The HTML of the report; what the run has not written (yet) is named as missing.

    Raises:
        UserError: a file of the run is there but cannot be read.
    """
    record = read_record(run)
    template = _pages().get_template("page.jinja")
    page = template.render(
        head=_head(record),
        curve=pictures.curve(record),
        classes=tables.classes(record),
        earlier=(record.earlier or {}).get("run"),
        confusion=tables.confusion(record),
        errors=tables.errors(record),
        writing=tables.writing(record),
        by_label=pictures.balance(record, "by_label"),
        by_source=pictures.balance(record, "by_source"),
        losses=pictures.losses(record),
        das=pictures.das(record),
        das_absent=record.absence("score"),
        das_pages=[(one.number, one.das_page) for one in record.iterations if one.das_page],
        counts=tables.counts(record),
        usage=tables.usage(record),
        seconds=pictures.seconds(record),
        weaknesses=tables.weaknesses(record),
        graph=record.graph,
        config=record.config_text,
    )
    return page.encode("utf-8", "replace").decode("utf-8")


@cache
def _pages() -> Environment:
    """HTML: every value is escaped; a missing one is an error."""
    loader = FileSystemLoader(Path(__file__).parent)
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def _head(record: RunRecord) -> dict[str, Any]:
    facts = summarise(record)
    metric, teacher, seconds = facts["metric"], facts["teacher"] or {}, facts["seconds"] or {}
    without = facts["without"] or ()
    known = teacher.get("prompt_tokens") is not None
    tokens = teacher["prompt_tokens"] + teacher["completion_tokens"] if known else None
    split = (
        f"{number(teacher['prompt_tokens'])} prompt, {number(teacher['completion_tokens'])} completion" if known else ""
    )
    cached = f"{number(teacher['cached_calls'])} answered by the ledger" if known else ""
    lanes = f"teacher {duration(seconds.get('teacher'))}, student {duration(seconds.get('student'))}" if seconds else ""
    return {
        "task": clip(facts["task"] or "unknown task", 120),
        "facts": [
            ("strategy", clip(facts["strategy"] or "unknown", 60)),
            ("ablation", "without " + ", ".join(without) if without else "none"),
            ("shots", facts["shots"]),
            ("seed", facts["seed"]),
            ("student", clip((record.config.get("student") or {}).get("model") or "–", 80)),
            ("teacher", clip((record.config.get("teacher") or {}).get("model") or "–", 80)),
        ],
        "metric": METRICS.get(metric["name"], metric["name"]),
        "score": points(metric["test"]),
        "dev": points(metric["dev"]),
        "story": _story(facts),
        "tiles": [
            ("teacher tokens", number(tokens), split),
            ("teacher calls", number(teacher.get("calls")), cached),
            ("cost", money(teacher["cost"]) if known else DASH, ""),
            ("time", duration(seconds.get("total")), lanes),
            ("iterations", number(facts["iterations"]), ""),
            (
                "stopped because",
                STOPS.get(facts["stopped_because"], facts["stopped_because"] or "not ended"),
                "",
            ),
        ],
        "finished": facts["finished"],
        "missing": facts["missing"],
        "versions": sorted((facts["versions"] or {}).items()),
    }


def _story(facts: dict[str, Any]) -> str:
    curve = [point for point in facts["curve"] if point["test"] is not None]
    if not curve:
        return "No test score yet."
    first, last = curve[0], curve[-1]
    if len(curve) == 1:
        return "One measurement, so there is no curve."
    told = (
        f"From {points(first['test'])} after iteration {first['iteration']} to {points(last['test'])} after "
        f"iteration {last['iteration']}: {gain(first['test'], last['test'])} points "
        f"in {plural(len(curve), 'measurement')}."
    )
    best = max(curve, key=lambda point: float(point["test"]))
    if best["test"] > last["test"]:
        told += f" The curve stood higher once: {points(best['test'])} after iteration {best['iteration']}."
    return told
