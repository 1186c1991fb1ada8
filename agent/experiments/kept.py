"""A finished cell as one row without any text: what tables and statistics need, so that evidence can be published."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from agent.config import read_recipe
from agent.experiments.cells import Arm, Cell, Grid
from agent.experiments.collect import Done, answers_of
from agent.rundir import RunDir, read_json

SETTINGS = (
    "shots", "test_limit", "budget.tokens", "teacher.model", "student.model", "student.max_steps", "student.dtype",
    "batch.hard", "batch.easy", "batch.pool",
)  # fmt: skip
"""Of the run's configuration, by dots."""


def row_of(grid: Grid, done: Done) -> dict[str, Any]:
    """The row: task, arm, seed, settings, result.json, the final student's answers and the gold ones as indices."""
    run, arm = RunDir(grid.root(done.cell)), done.cell.arm
    config = read_recipe(run.config)
    return {
        "task": done.cell.task_name,
        "arm": {"strategy": arm.strategy, "without": list(arm.without), "sets": list(arm.sets)},
        "seed": done.cell.seed,
        "settings": {where: setting(config, where) for where in SETTINGS},
        "result": done.result,
        "labels": done.labels,
        "right": list(done.right),
        "answers": read_json(run.iteration(int(done.result["iterations"])).answers),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
    }


def done_of(row: dict[str, Any]) -> Done:
    """The cell of a row, as `finished` gave it."""
    arm = Arm(row["arm"]["strategy"], tuple(row["arm"]["without"]), tuple(row["arm"]["sets"]))
    cell = Cell(row["task"], row["task"], arm, row["seed"])
    return Done(cell, row["result"], answers_of(row["answers"]), row["labels"], (row["right"][0], row["right"][1]))


def setting(fields: Any, where: str) -> Any:
    """The value at `where`; of a model's folder or file its name alone."""
    for part in where.split("."):
        fields = fields[part]
    return Path(fields).name if where.endswith(".model") and Path(fields).exists() else fields
