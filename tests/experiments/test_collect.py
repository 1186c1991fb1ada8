"""What a table says of curves, on cases worked by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from agent.experiments.cells import Arm, Cell, Grid
from agent.experiments.collect import Done, rows
from agent.experiments.statistics import Answers


def done(strategy: str, seed: int, *curve: tuple[int, float]) -> Done:
    points = [{"iteration": i, "teacher_tokens": tokens, "test": test} for i, (tokens, test) in enumerate(curve)]
    result = {"metric": {"name": "macro_f1", "test": curve[-1][1], "dev": None}, "curve": points}
    answers = Answers(np.array([0, 1]), np.array([0, 1]))
    return Done(Cell("toy", "toy", Arm(strategy), seed), result, answers, 2, (0, 0))


def test_tokens_until_the_mean_end_of_the_control_is_reached() -> None:
    cells = [
        done("static", 1, (0, 0.1), (600, 0.5), (1000, 0.6)),
        done("static", 2, (0, 0.1), (600, 0.7), (1000, 0.8)),  # the mean of the ends is 0.7
        done("evokd", 1, (0, 0.1), (400, 0.6), (1000, 0.8)),  # reached half-way from 400 to 1,000
        done("evokd", 2, (0, 0.7), (400, 0.9), (1000, 0.9)),  # reached for nothing
        done("eda", 1, (0, 0.1), (500, 0.2), (1000, 0.8)),
        done("eda", 2, (0, 0.1), (500, 0.2), (1000, 0.6)),  # never
        done("longest", 1, (0, 0.1), (1000, 0.9)),  # trained once: no steps to read a curve from
    ]
    grid = Grid(tuple(one.cell for one in cells), Path(), 1000)
    found = {row.arm.strategy: row.to_control for row in rows(grid, cells, "static")}
    assert found["evokd"] is not None and round(found["evokd"]) == 350
    assert found["eda"] is None and found["longest"] is None
    assert found["static"] is None  # its own end is what is looked for
