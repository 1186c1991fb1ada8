"""What was generated against the weaknesses of one iteration, and what the student made of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from agent.report.answers import by_source, was_not_hard
from agent.report.markdown import escape, table
from agent.report.record import IterationRecord, Row, RunRecord
from agent.report.wording import percent, plural


def lessons(record: RunRecord, now: IterationRecord) -> str:
    """Markdown: texts made in this iteration for the next batch, by weakness and label, hard and easy.

    A generated text and the answer to it are matched by the text: generated rows have no id.
    """
    title = "## What was generated for it\n\n"
    if now.generated is None:
        return f"{title}generate: {record.absence('generate')}." + _sampled(record, now)
    if not now.generated:
        return f"{title}The teacher wrote no usable text.{_sampled(record, now)}{_dropped(now)}"
    later = record.iteration(now.number + 1)
    answers = later.predictions if later else None
    named = any(row["pattern"] for row in now.generated)
    head = ["intended label", "hard", "easy"]
    head = (["weakness"] if named else []) + head
    if answers is not None:
        head += [f"in batch {now.number + 1}", "student right"]
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in now.generated:
        groups[(str(row["pattern"] or "(none named)"), str(row["intended"] or "any"))].append(row)
    rows = []
    for (pattern, label), made in groups.items():
        source = Counter(row["source"] for row in made)
        cells = [escape(pattern)] if named else []
        cells += [escape(label, 60), str(source["hard"]), str(source["easy"])]
        if answers is not None:
            cells += _outcome(made, answers)
        rows.append(cells)
    first = 2 if named else 1
    body = table(head, rows, right=range(first, first + 4))
    total = f"{plural(len(now.generated), 'text')} for batch {now.number + 1}."
    return f"{title}{total}{_sampled(record, now)}\n\n{body}\n\n{_verdict(now, answers)}{_dropped(now)}"


def _outcome(made: Sequence[Row], answers: Sequence[Row]) -> list[str]:
    right = _right_by_text(answers)
    met = [right[row["text"]] for row in made if row["text"] in right]
    return [str(len(met)), f"{sum(met)} ({percent(sum(met), len(met))})" if met else "–"]


def _verdict(now: IterationRecord, answers: Sequence[Row] | None) -> str:
    if answers is None:
        return f"How the student does on them is known once batch {now.number + 1} has been evaluated."
    right = _right_by_text(answers)
    said = []
    for source in ("hard", "easy"):
        met = [right[row["text"]] for row in now.generated or () if row["source"] == source and row["text"] in right]
        if met:
            said.append(f"{sum(met)} of {len(met)} {source} texts ({percent(sum(met), len(met))})")
    if not said:
        return f"None of them came into batch {now.number + 1}."
    tally = by_source(answers).get("hard")
    honest = " So “hard” was not hard." if tally and was_not_hard(tally) else ""
    return f"The student was right on {' and '.join(said)} before training on them.{honest}"


def _right_by_text(answers: Sequence[Row]) -> dict[str, bool]:
    return {row["text"]: row["correct"] for row in answers if row["source"] in ("hard", "easy")}


def _sampled(record: RunRecord, now: IterationRecord) -> str:
    if now.sampled:
        return f" {plural(len(now.sampled), 'text')} taken from the pool."
    return f" sample: {record.absence('sample')}." if now.sampled is None else ""


def _dropped(now: IterationRecord) -> str:
    reasons = Counter(str(row["reason"]) for row in now.dropped or ())
    if not reasons:
        return ""
    listed = ", ".join(f"{escape(reason)} {n}" for reason, n in reasons.most_common())
    return f"\n\nDropped on the way to batch {now.number + 1}: {listed}."
