"""The tables of the page as plain values; the template writes them, and escapes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from agent.report.answers import answer, hard_was_not_hard, room, wrong
from agent.report.bars import dumbbell, matrix_picture, stacked_bars
from agent.report.record import IterationRecord, Row, RunRecord
from agent.report.wording import analysis_silence, clip, gain, money, number, percent, points, probability
from tasks.span_errors import KINDS

NUMBERS_UP_TO = 20
"""Labels up to which the confusion matrix is a table of numbers; beyond, it is a picture."""
PAIRS_SHOWN = 15
WRONG_SHOWN = 25
DROPPED_SHOWN = 40
PARTIAL = {
    "partial": "borders that overlap, half a point",
    "exact": "borders, whatever the type",
    "ent_type": "type, where borders overlap",
}
"""What the partial measures of tasks/ner.py ask for."""


WRITING: Mapping[str, tuple[str, Callable[[float], str]]] = {
    "accuracy": ("accuracy", points),
    "chrf": ("chrF", points),
    "rouge1": ("ROUGE-1", points),
    "rougel": ("ROUGE-L", points),
    "unanswered": ("no answer, %", points),
    "stopped": ("came to an end, %", points),
    "words": ("words", lambda words: f"{words:.1f}"),
}
"""What is told of a student that writes its answers, by its key in measured.json."""


@dataclass(frozen=True)
class ClassRow:
    label: str
    support: str
    earlier: str
    """Of the run that this one goes on from."""
    first: str
    last: str
    change: str
    picture: Markup


def classes(record: RunRecord) -> list[ClassRow]:
    """F1 on the test set, first measurement → last, the weakest class first."""
    measured = [(record.metrics[k].get("test") or {}).get("per_class") or {} for k in sorted(record.metrics)]
    if not measured:
        return []
    first, last = measured[0], measured[-1]
    rows = []
    for label in sorted(last, key=lambda name: float(last[name]["f1"] or 0)):
        before = first[label]["f1"] if label in first else None
        after = last[label]["f1"]
        former = ((record.earlier or {}).get("test") or {}).get("per_class", {}).get(label, {}).get("f1")
        cells = (number(last[label]["support"]), points(former), points(before), points(after), gain(before, after))
        rows.append(ClassRow(clip(label, 60), *cells, dumbbell(before, after)))
    return rows


def writing(record: RunRecord) -> dict[str, Any] | None:
    """Of a student that writes its answers: how it scored on the test set after each iteration (first its untrained
    base), how often it gave an answer and came to an end, and how long its answers are."""
    found = [(str(k), record.metrics[k]["test"]) for k in sorted(record.metrics)]
    if not found or "stopped" not in found[-1][1]:
        return None
    first = record.iteration(0)
    if first is not None and (base := (first.measured or {}).get("base")):
        found.insert(0, ("base", base))
    shown = [name for name in WRITING if name in found[-1][1]]
    rows = [[when, *(WRITING[name][1](test[name]) for name in shown)] for when, test in found]
    return {"head": [WRITING[name][0] for name in shown], "rows": rows, "right": found[-1][1].get("words_right")}


def confusion(record: RunRecord) -> dict[str, Any] | None:
    """The last test measurement's matrix: as a table or a picture, and its most frequent mistakes."""
    last = max(record.metrics, default=0)
    found = ((record.metrics.get(last) or {}).get("test") or {}).get("confusion")
    if not found:
        return None
    labels = [clip(label, 60) for label in found["labels"]]
    matrix: list[list[int]] = found["matrix"]
    rows = []
    for index, counts in enumerate(matrix):
        whole = sum(counts) or 1
        cells = [
            {"n": n, "share": round(n / whole, 2), "kind": "right" if column == index else "wrong"}
            for column, n in enumerate(counts)
        ]
        rows.append({"label": labels[index], "cells": cells, "n": sum(counts)})
    mistakes = [
        (labels[row], labels[column], n, percent(n, sum(counts)))
        for row, counts in enumerate(matrix)
        for column, n in enumerate(counts)
        if n and row != column
    ]
    mistakes.sort(key=lambda mistake: -mistake[2])
    large = len(labels) > NUMBERS_UP_TO
    return {
        "iteration": last, "labels": labels, "rows": rows, "large": large,
        "picture": matrix_picture(labels, matrix) if large else None,
        "pairs": mistakes[: PAIRS_SHOWN if large else PAIRS_SHOWN // 2], "mistakes": len(mistakes),
    }  # fmt: skip


def errors(record: RunRecord) -> dict[str, Any] | None:
    """Of a task of spans: mistakes by entity type and kind at the last test measurement, and partial matches."""
    last = max(record.metrics, default=0)
    found = (record.metrics.get(last) or {}).get("test") or {}
    if "errors" not in found:
        return None
    per_class = found["per_class"]
    rows = [
        (clip(k, 60), number(per_class[k]["support"]), *map(str, row.values())) for k, row in found["errors"].items()
    ]
    partial = [(PARTIAL[name], points(value)) for name, value in found["partial"].items()]
    return {"iteration": last, "kinds": KINDS, "rows": rows, "partial": partial}


def counts(record: RunRecord) -> dict[str, Any] | None:
    """Made, kept and dropped by reason, an iteration a row, with a total and whether each row adds up."""
    found = [(k, record.metrics[k]["counts"]) for k in sorted(record.metrics)]
    if not found:
        return None
    reasons = sorted({reason for _, count in found for reason in count["dropped"]})
    rows = [
        {
            "iteration": k, "made": count["made"], "kept": count["kept"],
            "dropped": [count["dropped"].get(reason, 0) for reason in reasons],
            "adds_up": count["made"] == count["kept"] + sum(count["dropped"].values()),
        }
        for k, count in found
    ]  # fmt: skip
    total = {
        "made": sum(row["made"] for row in rows),
        "kept": sum(row["kept"] for row in rows),
        "dropped": [sum(column) for column in zip(*(row["dropped"] for row in rows), strict=True)],
    }
    examples = [
        (one.number, row["node"], row["reason"], clip(row["text"] or "–"), clip(row["detail"] or "", 100))
        for one in record.iterations
        for row in one.dropped or ()
    ]
    shown = examples[:DROPPED_SHOWN]
    return {
        "mentions": mentions(record),
        "reasons": reasons,
        "rows": rows,
        "total": total,
        "examples": shown,
        "all_examples": len(examples),
    }


def mentions(record: RunRecord) -> str | None:
    """Of a task of spans: what became of all entities that the teacher named."""
    found = [row["counts"]["mentions"] for row in record.metrics.values() if "mentions" in row["counts"]]
    if not found:
        return None
    lost: Counter[str] = Counter()
    for counts in found:
        lost.update(counts["dropped"])
    made, kept = (sum(counts[key] for counts in found) for key in ("made", "kept"))
    why = f" ({', '.join(f'{reason} {n}' for reason, n in lost.most_common())})" if lost else ""
    return f"Entities that the teacher named: {made} made = {kept} kept + {lost.total()} dropped{why}."


def usage(record: RunRecord) -> dict[str, Any] | None:
    """What the teacher was asked in each iteration: the differences of the totals in metrics.jsonl."""
    found = [(k, record.metrics[k]["teacher"]) for k in sorted(record.metrics) if record.metrics[k].get("teacher")]
    if not found:
        return None
    rows, bars = [], []
    before: Row = {}
    for k, so_far in found:
        keys = ("calls", "cached_calls", "prompt_tokens", "completion_tokens")
        spent = {key: so_far[key] - before.get(key, 0) for key in keys}
        cost = None if so_far["cost"] is None else so_far["cost"] - (before.get("cost") or 0)
        total = so_far["prompt_tokens"] + so_far["completion_tokens"]
        rows.append([str(k), *(number(spent[key]) for key in keys), number(total), money(cost)])
        bars.append((f"iteration {k}", {"prompt": spent["prompt_tokens"], "completion": spent["completion_tokens"]}))
        before = so_far
    return {"rows": rows, "picture": stacked_bars(bars, ("prompt", "completion"))}


def weaknesses(record: RunRecord) -> list[dict[str, Any]]:
    """For each iteration that was examined: what it got wrong, and what the teacher said about it."""
    return [_weakness(record, one) for one in record.iterations if one.number > 0]


def _weakness(record: RunRecord, one: IterationRecord) -> dict[str, Any]:
    answers = one.predictions
    missed = wrong(answers or ())
    named: list[Row] = (one.analysis or {}).get("weaknesses") or []
    if one.analysis is None:
        silence = f"analysis: {record.absence('analyze')}."
    else:
        silence = f"No weakness: {analysis_silence(one.analysis.get('fault'))}."
    examined = f"wrong on {len(missed)} of {len(answers)}" if answers is not None else "not examined"
    return {
        "iteration": one.number,
        "summary": examined + (f", {len(named)} weaknesses named" if len(named) != 1 else ", 1 weakness named"),
        "honest": hard_was_not_hard(answers or ()),
        "named": [
            (clip(row["pattern"], 300), clip(row["label"] or "any", 60), clip(row["advice"], 400)) for row in named
        ],
        "silence": silence,
        "absent": f"evaluate: {record.absence('evaluate')}." if answers is None else None,
        "wrong": [
            (
                clip(r["text"], 300),
                *(clip(answer(r, side), room(r)) for side in ("label", "predicted")),
                probability(r["confidence"]),
                r["source"],
            )
            for r in missed[:WRONG_SHOWN]
        ],
        "more": max(0, len(missed) - WRONG_SHOWN),
    }
