"""How numbers and foreign texts are written in a report. What is not known is a dash, never a zero."""

from __future__ import annotations

import math
import re

DASH = "–"
METRICS = {"macro_f1": "macro-F1", "micro_f1": "entity F1", "accuracy": "accuracy", "chrf": "chrF"}
"""What a metric is called, by its key in measured.json."""
_BROKEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters and halves of a character: neither Markdown, HTML nor UTF-8 may hold them."""
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Marks that would turn the direction of what follows."""


def clip(text: object, limit: int = 160) -> str:
    """`text` in one line of at most `limit` characters, cut with … at its end; ⏎ where it had lines."""
    lines = (" ".join(_TURNS.sub("", _BROKEN.sub(" ", line)).split()) for line in str(text).split("\n"))
    line = " ⏎ ".join(line for line in lines if line)
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def points(value: float | None) -> str:
    """A score from 0 to 1 in points: 0.8425 → 84.3."""
    return DASH if value is None or math.isnan(value) else f"{100 * value:.1f}"


def gain(before: float | None, after: float | None) -> str:
    """The change of a score in points, with its sign."""
    if before is None or after is None or math.isnan(before) or math.isnan(after):
        return DASH
    change = round(100 * (after - before), 1)
    return "0.0" if change == 0 else f"{change:+.1f}".replace("-", "−")


def percent(part: int, whole: int) -> str:
    return DASH if whole == 0 else f"{100 * part / whole:.0f} %"


def probability(value: float | None) -> str:
    return DASH if value is None or math.isnan(value) else f"{value:.2f}"


def number(value: float | None) -> str:
    return DASH if value is None else f"{value:,.0f}"


def money(value: float | None) -> str:
    """US dollars; an unknown price is said to be unknown."""
    if value is None:
        return "price unknown"
    return f"${value:,.2f}" if value >= 1 or value == 0 else f"${value:.4f}"


def duration(seconds: float | None) -> str:
    if seconds is None:
        return DASH
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def analysis_silence(fault: str | None) -> str:
    """Why an analysis holds no weakness."""
    if fault is None:
        return "it named none"
    if fault == "nothing_to_write":
        why = "too few are what they were written for, or the budget is nearly spent"
        return f"it was not asked, since no more texts would be written: {why}"
    if fault == "not_hard":
        return "it was not asked: the student had most of the hard texts right, so only easy ones are written"
    return f"its reply could not be used: {fault}"
