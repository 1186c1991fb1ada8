"""What a sweep shows: its table as Markdown, and a page with the loss curves and what each setting brings and costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from agent.experiments.statistics import mean_and_std
from agent.experiments.sweep import Arm, Trained
from agent.report import charts
from agent.report.bars import COLOURS, colour, stacked_bars
from agent.report.markdown import escape, table
from agent.report.wording import DASH, METRICS, number, points

LAST = 0.1
"""Share of the steps, the last ones, whose mean is called the loss."""


@dataclass(frozen=True)
class Line:
    """One arm over its seeds. Scores 0 to 1; loss in nats."""

    arm: Arm
    metric: str
    """Its name for a reader."""
    seeds: int
    test: float
    std: float | None
    dev: float | None
    loss: float
    losses: tuple[float, ...]
    """One a step, mean over the seeds."""
    parameters: int
    memory: float
    """Bytes, the most of any seed."""
    seconds: float

    def cells(self) -> list[str]:
        spread = f" ± {100 * self.std:.1f}" if self.std is not None else ""
        return [
            self.arm.name, str(self.seeds), points(self.test) + spread, points(self.dev), f"{self.loss:.3f}",
            number(len(self.losses)), number(self.parameters), number(self.memory / 1e6), f"{self.seconds:.1f}",
        ]  # fmt: skip


def lines_of(done: Sequence[Trained]) -> list[Line]:
    """A line an arm, in the order they were asked for."""
    result = []
    for arm in dict.fromkeys(one.arm for one in done):
        found = [one.found for one in done if one.arm == arm]
        test, std = mean_and_std([one["test"] for one in found])
        losses = np.mean([one["losses"] for one in found], axis=0)  # all seeds take as many steps
        last = max(1, round(LAST * len(losses)))
        dev = [one["dev"] for one in found if one["dev"] is not None]
        result.append(
            Line(
                arm=arm, metric=METRICS[found[0]["metric"]], seeds=len(found),
                test=test, std=std, dev=mean_and_std(dev)[0] if dev else None,
                loss=float(losses[-last:].mean()), losses=tuple(losses.tolist()),
                parameters=found[0]["trainable_parameters"], memory=max(one["peak_memory"] for one in found),
                seconds=float(np.mean([one["seconds"] for one in found])),
            )
        )  # fmt: skip
    return result


def head(lines: Sequence[Line]) -> list[str]:
    """The columns for a reader."""
    score = lines[0].metric
    return [
        "setting", "seeds", f"test {score}", f"dev {score}", "loss", "steps", "trainable parameters",
        "peak memory, MB", "seconds",
    ]  # fmt: skip


def explained(lines: Sequence[Line]) -> str:
    """What the columns are, for the reader of either form."""
    by = (
        "Choose by the dev score; the test score is there to be told."
        if any(line.dev is not None for line in lines)
        else f"The task has no dev set ({DASH}): a setting chosen by the test score makes that score too good."
    )
    return (
        "Mean ± standard deviation over seeds. The student learns from its base what it learned in the run's last "
        "iteration, before any self-training. Loss: cross-entropy in nats, mean of the last tenth of the steps. Peak "
        "memory: on a GPU what the training held, else of a whole process with its libraries. Compare seconds within "
        f"one sweep alone. {by}"
    )


def sweep_markdown(lines: Sequence[Line]) -> str:
    rows = [[escape(cell) for cell in line.cells()] for line in lines]
    names = head(lines)
    return f"{table(names, rows, right=range(1, len(names)))}\n\n{explained(lines)}\n"


def sweep_page(lines: Sequence[Line], title: str) -> str:
    """The HTML, one file that needs nothing else: the table, and for each field its pictures."""
    folders = [Path(__file__).parent, Path(charts.__file__).parent]
    pages = Environment(
        loader=FileSystemLoader(folders), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    own = [line for line in lines if not line.arm.field]
    fields = dict.fromkeys(line.arm.field for line in lines if line.arm.field)
    sections = [(field, pictures([*own, *(line for line in lines if line.arm.field == field)])) for field in fields]
    return pages.get_template("sweep.jinja").render(
        title=title,
        head=head(lines),
        rows=[line.cells() for line in lines],
        sections=sections,
        explained=explained(lines),
    )


def pictures(lines: Sequence[Line]) -> list[tuple[str, Markup]]:
    """(what it shows, the drawing) for the settings of one field."""
    series = [
        charts.Series(line.arm.name, charts.thinned(line.losses), colour(place), dots=False, light=place >= COLOURS)
        for place, line in enumerate(lines)
    ]
    everything = [point for one in series for point in one.points]
    steps = charts.Axis("step", 0.0, max(x for x, _ in everything) or 1.0)
    losses = charts.axis("loss, nats", [y for _, y in everything], zero=True)
    bars = {
        f"test {lines[0].metric}, points": [100 * line.test for line in lines],
        "trainable parameters": [float(line.parameters) for line in lines],
        "peak memory, MB": [line.memory / 1e6 for line in lines],
        "seconds": [line.seconds for line in lines],
    }
    drawn = [("loss", charts.line_chart(series, steps, losses, "training loss by step"))]
    for name, values in bars.items():
        rows = [(line.arm.name, {name: value}) for line, value in zip(lines, values, strict=True)]
        drawn.append((name, stacked_bars(rows, [name])))
    return drawn
