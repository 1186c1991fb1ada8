"""What one iteration changed: F1 of each class before and after, counts of its batch, teacher tokens."""

from __future__ import annotations

from agent.report.markdown import escape, table
from agent.report.record import Row, RunRecord
from agent.report.wording import METRICS, gain, number, points

CLASSES_SHOWN = 20


def progress(record: RunRecord, iteration: int) -> str:
    """Markdown of the scores after `iteration`'s training beside those before, and what it cost."""
    return "\n\n".join([_scores(record, iteration), _counts(record, iteration), _spent(record, iteration)])


def _scores(record: RunRecord, iteration: int) -> str:
    now, old = record.iteration(iteration), record.iteration(iteration - 1)
    after = now.measured if now else None
    told = "Scores" if after and not after["test"].get("per_class") else "F1 of each class"
    title = f"## {told}" + (" before and after this training\n\n" if iteration else "\n\n")
    if after is None:
        return f"{title}Not measured yet."
    before = (old.measured if old else None) or {}
    dev = bool(after.get("dev"))
    head = ["class", "test before", "test after", "change"] if iteration else ["class", "test"]
    head += (["dev before", "dev after", "change"] if iteration else ["dev"]) if dev else []
    splits = ("test", "dev") if dev else ("test",)
    rows = []
    weakest = sorted(after["test"].get("per_class") or {}, key=lambda label: _f1(after["test"], label) or 0.0)
    for label in weakest[:CLASSES_SHOWN]:
        cells = [escape(label, 60)]
        for split in splits:
            cells += _cells(_f1(before.get(split), label), _f1(after[split], label), iteration)
        rows.append(cells)
    overall = [f"**{METRICS[record.metric]}**"]
    for split in splits:
        overall += _cells((before.get(split) or {}).get(record.metric), after[split].get(record.metric), iteration)
    body = table(head, [*rows, overall], right=range(1, len(head)))
    rest = len(weakest) - len(rows)
    more = f"\n\n{rest} stronger classes are in `iteration_{iteration:03d}/measured.json`." if rest else ""
    no_dev = "" if dev else f"\n\ndev: {_why_no_dev(record)}."
    return f"{title}{body}{more}{no_dev}"


def _cells(before: float | None, after: float | None, iteration: int) -> list[str]:
    return [points(before), points(after), gain(before, after)] if iteration else [points(after)]


def _f1(measure: Row | None, label: str) -> float | None:
    per_class: Row = (measure or {}).get("per_class") or {}
    return per_class[label]["f1"] if label in per_class else None


def _why_no_dev(record: RunRecord) -> str:
    return "left out of this run" if "dev" in (record.config.get("without") or ()) else "not measured"


def _counts(record: RunRecord, iteration: int) -> str:
    title = f"## Made, kept, dropped (batch {iteration})\n\n"
    row = record.metrics.get(iteration)
    if row is None:
        return f"{title}Not counted yet."
    counts = row["counts"]
    reasons = sorted(counts["dropped"].items(), key=lambda item: -item[1])
    lost = ", ".join(f"{escape(reason)} {n}" for reason, n in reasons) or "no reason"
    total = sum(counts["dropped"].values())
    line = f"{counts['made']} made = {counts['kept']} kept + {total} dropped"
    line += f" ({lost})." if total else "."
    if counts.get("shown_cut"):
        line += f" Of the kept, the labeller read only the beginning of {counts['shown_cut']} (`teacher.longest_text`)."
    if counts["made"] != counts["kept"] + total:
        line = f"**The counts do not add up:** {counts['made']} made, {counts['kept']} kept, "
        line += f"{total} dropped ({lost})."
    return title + line + _mentions(counts.get("mentions"))


def _mentions(counts: Row | None) -> str:
    """What became of the entities that the teacher named; "" where a text has one label."""
    if counts is None:
        return ""
    lost = ", ".join(f"{escape(reason)} {n}" for reason, n in counts["dropped"].items())
    total = sum(counts["dropped"].values())
    line = f"\n\nEntities that the teacher named: {counts['made']} made = {counts['kept']} kept + {total} dropped"
    return line + (f" ({lost}); `mentions.json` of the iteration before has each." if total else ".")


def _spent(record: RunRecord, iteration: int) -> str:
    title = "## Teacher tokens\n\n"
    so_far = record.tokens(iteration)
    before = record.tokens(iteration - 1) if iteration else 0
    if so_far is None:
        return f"{title}Not counted yet."
    here = "unknown" if before is None else number(so_far - before)
    return f"{title}{here} in this iteration, {number(so_far)} so far."
