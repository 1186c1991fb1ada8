"""The page of a grid: its table and F1 over teacher tokens, one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from agent.experiments.collect import CEILING, FULL, Done, Row
from agent.experiments.tables import cells, head, metric_of, sentence
from agent.report import charts
from agent.report.bars import COLOURS, colour
from agent.report.wording import METRICS

POINTS = 25
"""Of a mean curve."""


def grid_page(rows: Sequence[Row], done: Sequence[Done], control: str, planned: int) -> str:
    """The HTML. `rows` and `done` as `collect` gives them."""
    folders = [Path(__file__).parent, Path(charts.__file__).parent]
    pages = Environment(
        loader=FileSystemLoader(folders), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    tasks, metric = list(dict.fromkeys(row.task for row in rows)), metric_of(rows)
    figures = [(task, figure([one for one in done if one.cell.task_name == task])) for task in tasks]
    return pages.get_template("grid.jinja").render(
        head=head(control, metric), rows=[cells(row) for row in rows], figures=figures,
        score=METRICS[metric], sentence=sentence(metric), done=len(done), planned=planned, control=control,
    )  # fmt: skip


def figure(done: Sequence[Done]) -> Markup | None:
    """Mean score of each arm over teacher tokens; ceilings as level lines. None where nothing was spent."""
    arms = list(dict.fromkeys(one.cell.arm for one in done))
    levels = [arm for arm in arms if arm.strategy in {FULL, CEILING}]
    most = max((one.tokens for one in done if one.cell.arm not in levels), default=0)
    if most == 0:
        return None
    series = []
    for place, arm in enumerate(arms):
        runs = [one for one in done if one.cell.arm == arm]
        if arm in levels:
            level = float(np.mean([one.score for one in runs]))
            points: tuple[tuple[float, float], ...] = ((0.0, level), (float(most), level))
        else:
            points = mean_curve(runs)
        if len(points) > 1:
            dashed = arm in levels or place >= COLOURS - 1
            series.append(charts.Series(arm.name, points, colour(place), dots=False, light=dashed))
    if not series:
        return None
    x = charts.axis("teacher tokens", [0.0, float(most)], zero=True)
    heights = [y for one in series for _, y in one.points]
    score = METRICS[done[0].metric]
    y = charts.Axis(f"{score} in points", max(0.0, min(heights) - 0.03), min(1.0, max(heights) + 0.03), 100)
    return charts.line_chart(series, x, y, f"{score} over teacher tokens, mean over seeds")


def mean_curve(runs: Sequence[Done]) -> tuple[tuple[float, float], ...]:
    """The mean over seeds, in straight lines between measured points, up to where the shortest run ends."""
    end = min(one.tokens for one in runs)
    if end == 0:
        return ()
    places = np.linspace(0, end, POINTS)
    each = [np.interp(places, [x for x, _ in one.curve], [y for _, y in one.curve]) for one in runs]
    return tuple(zip(places.tolist(), np.mean(each, axis=0).tolist(), strict=True))
