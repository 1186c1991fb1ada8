"""Bars, histograms, dumbbells and the matrix of the page: SVG sized in per cent, to fit any width."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from agent.report.charts import Axis, tick_label
from agent.report.wording import clip

COLOURS = 8
"""Colours in page.css, c0 to c7: more classes than that share the last one."""


def colour(index: int) -> str:
    return f"c{min(index, COLOURS - 1)}"


def stacked_bars(rows: Sequence[tuple[str, Mapping[str, float]]], names: Sequence[str], unit: str = "") -> Markup:
    """A bar a row, (name of the row, {part: amount}); the parts in the order and colours of `names`."""
    longest = max((sum(parts.values()) for _, parts in rows), default=0) or 1
    lines = Markup("").join(
        Markup('<div class="bar"><span class="bar-name">{}</span>{}<span class="bar-total">{}</span></div>').format(
            name, _stack(name, parts, names, longest), f"{sum(parts.values()):,.0f}{unit}"
        )
        for name, parts in rows
    )
    keys = Markup("").join(
        Markup('<li><i class="key block {}"></i>{}</li>').format(colour(index), clip(name, 40))
        for index, name in enumerate(names)
    )
    return Markup('<figure class="bars">{}<ul class="legend">{}</ul></figure>').format(lines, keys)


def _stack(row: str, parts: Mapping[str, float], names: Sequence[str], longest: float) -> Markup:
    drawn, start = Markup(""), 0.0
    for index, name in enumerate(names):
        count = parts.get(name, 0)
        if count:
            drawn += Markup(
                '<rect class="{}" x="{}%" width="{}%" height="100%"><title>{}, {}: {}</title></rect>'
            ).format(
                colour(index),
                _share(start, longest),
                _share(count, longest),
                row,
                clip(name, 40),
                f"{count:,.6g}",
            )
        start += count
    return Markup('<svg class="stack" role="img" aria-label="{}">{}</svg>').format(
        ", ".join(f"{clip(name, 40)} {parts[name]:,.6g}" for name in names if parts.get(name, 0)), drawn
    )


def dumbbell(before: float | None, after: float | None) -> Markup:
    """Two dots on a line from 0 to 1: hollow before, full after."""
    marks = Markup('<line class="grid" x1="0" x2="100%" y1="50%" y2="50%"/>')
    if before is not None and after is not None:
        marks += Markup('<line class="link" x1="{}%" x2="{}%" y1="50%" y2="50%"/>').format(
            _share(before, 1), _share(after, 1)
        )
    for value, kind in ((before, "from"), (after, "to")):
        if value is not None:
            marks += Markup('<circle class="{}" cx="{}%" cy="50%" r="5"/>').format(kind, _share(value, 1))
    return Markup('<svg class="dumbbell" aria-hidden="true">{}</svg>').format(marks)


def histogram(everything: Sequence[float], kept: Sequence[float], x: Axis, label: str, bins: int = 20) -> Markup:
    """Counts of all candidates (pale) with those that were kept (full) in front, over one axis."""
    tall = _bin(everything, x, bins)
    full = _bin(kept, x, bins)
    most = max(tall) or 1
    bars = Markup("")
    for index in range(bins):
        for counts, kind in ((tall, "all"), (full, "kept")):
            if counts[index]:
                height = 100 * counts[index] / most
                bars += Markup('<rect class="{}" x="{}%" y="{}%" width="{}%" height="{}%"/>').format(
                    kind, *(round(part, 2) for part in (100 * index / bins, 100 - height, 92 / bins, height))
                )
    ticks = Markup("").join(
        Markup('<span class="tick-x" style="left:{}%">{}</span>').format(_share(x.place(tick), 1), tick_label(tick))
        for tick in x.ticks(4)
    )
    return Markup(
        '<div class="plot small"><svg role="img" aria-label="{}">{}'
        '<line class="base" x2="100%" y1="100%" y2="100%"/>'
        "</svg>{}</div>"
    ).format(label, bars, ticks)


def _bin(values: Sequence[float], x: Axis, bins: int) -> list[int]:
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, max(0, int(x.place(value) * bins)))] += 1
    return counts


def matrix_picture(labels: Sequence[str], matrix: Sequence[Sequence[int]]) -> Markup:
    """A confusion matrix too large for numbers: a square a cell that is not empty, rows = gold label.

    The stronger the colour, the larger the share of the row; right answers and wrong ones differ in colour.
    """
    cells = Markup("")
    for row, counts in enumerate(matrix):
        whole = sum(counts) or 1
        for column, count in enumerate(counts):
            if count:
                kind = "right" if row == column else "wrong"
                strength = round(0.25 + 0.75 * count / whole, 2)
                cells += Markup(
                    '<rect class="{}" style="opacity:{}" x="{}" y="{}" width="1" height="1">'
                    "<title>{} → {}: {}</title></rect>"
                ).format(kind, strength, column, row, labels[row], labels[column], count)
    size = len(labels)
    return Markup(
        '<svg class="matrix-picture" viewBox="0 0 {} {}" role="img" '
        'aria-label="confusion matrix of {} classes">'
        '<rect class="paper" width="{}" height="{}"/>{}</svg>'
    ).format(size, size, size, size, size, cells)


def _share(part: float, whole: float) -> float:
    return round(100 * part / whole, 2)
