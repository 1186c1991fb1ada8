"""Drawings for the page: inline SVG in the colours of its style sheet, so that they follow light and dark.

A plot is stretched to the width it gets (`preserveAspectRatio="none"`) while strokes, dots and letters keep
their size: strokes by `vector-effect`, dots as strokes of no length, letters as HTML beside the SVG. The same
drawing is sharp and readable at 400 and at 1,200 pixels. Every text is escaped by Markup.format.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

SIZE = 1000
"""Units of a plot along both sides; (0, 0) is its upper left corner."""


@dataclass(frozen=True)
class Series:
    """One line of a plot. Points are (x, y) in data units, x rising; colour is a class of page.css."""

    name: str
    points: tuple[tuple[float, float], ...]
    colour: str
    dots: bool = True
    light: bool = False
    """Thin and dashed: for what is not a result."""
    strength: float = 1.0
    """Opacity of the line."""


@dataclass(frozen=True)
class Axis:
    """From `low` to `high`; `scale` multiplies the numbers that are written at the ticks."""

    title: str
    low: float
    high: float
    scale: float = 1.0

    def place(self, value: float) -> float:
        """The share of the axis below `value`, 0 to 1."""
        return 0.5 if self.high <= self.low else (value - self.low) / (self.high - self.low)

    def ticks(self, about: int = 5) -> list[float]:
        """Round values within the axis, steps of 1, 2 or 5 times a power of ten."""
        span = self.high - self.low
        if span <= 0:
            return [self.low]
        power = 10.0 ** math.floor(math.log10(span / about))
        step = next((power * m for m in (1, 2, 5) if span / (power * m) <= about), power * 10)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(index * step, 10) for index in range(first, last + 1)]


def axis(title: str, values: Sequence[float], scale: float = 1.0, zero: bool = False) -> Axis:
    """An axis round `values` with a little room; from zero where `zero`."""
    low, high = (0.0 if zero else min(values)), max(values)
    room = 0.06 * ((high - low) or 1.0)
    return Axis(title, low if zero else low - room, high + room, scale)


def tick_label(value: float) -> str:
    """A short number: 12000 → 12k, 0.25 → 0.25."""
    if abs(value) >= 1e6:
        return f"{value / 1e6:g}M"
    short = f"{value / 1000:g}k" if abs(value) >= 10_000 else f"{value:,.6g}"
    return short.replace("-", "−")


def line_chart(series: Sequence[Series], x: Axis, y: Axis, label: str) -> Markup:
    """A plot with its axes and legend as one figure, first series on top; `label` is read to the blind."""
    drawn = [_line(one, x, y) for one in reversed(series)]
    grid = Markup("").join(
        Markup('<path class="grid" d="M0 {}H{}"/>').format(_unit(1 - y.place(tick)), SIZE) for tick in y.ticks(6)
    )
    numbers = Markup("").join(
        Markup('<span class="tick-y" style="top:{}%">{}</span>').format(
            _share(1 - y.place(tick)), tick_label(tick * y.scale)
        )
        for tick in y.ticks(6)
    )
    below = Markup("").join(
        Markup('<span class="tick-x" style="left:{}%">{}</span>').format(
            _share(x.place(tick)), tick_label(tick * x.scale)
        )
        for tick in x.ticks()
    )
    return Markup(
        '<figure class="chart"><p class="axis">{}</p><div class="plot">'
        '<svg viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}{}</svg>'
        "{}{}{}</div>"
        '<p class="axis below">{}</p>{}</figure>'
    ).format(
        y.title,
        SIZE,
        SIZE,
        label,
        grid,
        Markup("").join(drawn),
        numbers,
        below,
        _end(series[0], x, y),
        x.title,
        _legend(series),
    )


def thinned(values: Sequence[float], most: int = 120) -> tuple[tuple[float, float], ...]:
    """(position, mean) of at most `most` equal stretches of `values`: a curve that is light to carry."""
    width = max(1, math.ceil(len(values) / most))
    stretches = [values[start : start + width] for start in range(0, len(values), width)]
    return tuple((index * width + (len(part) - 1) / 2, sum(part) / len(part)) for index, part in enumerate(stretches))


def _line(one: Series, x: Axis, y: Axis) -> Markup:
    places = [(_unit(x.place(px)), _unit(1 - y.place(py))) for px, py in one.points]
    path = "M" + "L".join(f"{px} {py}" for px, py in places)
    kind = f"line {one.colour}{' light' if one.light else ''}"
    drawn = Markup('<path class="{}" style="opacity:{}" d="{}"/>').format(kind, round(one.strength, 2), path)
    if not one.dots:
        return drawn
    return drawn + Markup("").join(
        Markup('<path class="dot {}{}" d="M{} {}h0"><title>{}: {} at {}</title></path>').format(
            one.colour,
            " light" if one.light else "",
            *place,
            one.name,
            f"{py * y.scale:.4g}",
            f"{px * x.scale:,.6g}",
        )
        for place, (px, py) in zip(places, one.points, strict=True)
    )


def _end(one: Series, x: Axis, y: Axis) -> Markup:
    """The value of the last point in letters, where the line has dots."""
    if not one.dots:
        return Markup("")
    px, py = one.points[-1]
    return Markup('<span class="value" style="left:{}%;top:{}%">{}</span>').format(
        _share(x.place(px)), _share(1 - y.place(py)), f"{py * y.scale:.1f}"
    )


def _legend(series: Sequence[Series]) -> Markup:
    if len(series) < 2:
        return Markup("")
    items = Markup("").join(
        Markup('<li><i class="key {}{}" style="opacity:{}"></i>{}</li>').format(
            one.colour, " light" if one.light else "", round(one.strength, 2), one.name
        )
        for one in series
    )
    return Markup('<ul class="legend">{}</ul>').format(items)


def _unit(share: float) -> float:
    return round(share * SIZE, 1)


def _share(share: float) -> float:
    return round(share * 100, 2)
