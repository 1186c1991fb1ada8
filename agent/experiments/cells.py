"""A grid and its cells: each cell is an ordinary run of one (task, arm, seed) in a folder of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.baselines.strategy import find_strategy
from agent.config import PARTS, RunConfig, merged
from agent.plan import configure, plan_of
from tasks.faults import Fault, UserError, quoted
from tasks.task import kind_module, load_task

ITERATIONS = 200
"""Of a strategy that a budget ends: more than any budget allows."""


@dataclass(frozen=True)
class Arm:
    """What is compared: a strategy, or a strategy less some parts, or with some settings changed."""

    strategy: str
    without: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    """As of `--set`: a.b=c."""

    @property
    def name(self) -> str:
        less = f" without {', '.join(self.without)}" if self.without else ""
        return self.strategy + less + (f" with {', '.join(self.sets)}" if self.sets else "")


@dataclass(frozen=True)
class Cell:
    """One run of a grid."""

    task: str
    """As it was asked for: a bundled name, or the path of a task.yaml."""
    task_name: str
    arm: Arm
    seed: int

    @property
    def name(self) -> str:
        """Also its folder below the grid's."""
        changes = [*(f"no_{part}" for part in self.arm.without), *self.arm.sets]
        parts = [self.task_name, self.arm.strategy, *changes, f"s{self.seed}"]
        return re.sub(r"[^\w.-]+", "_", "-".join(parts))


@dataclass(frozen=True)
class Grid:
    """The cells that were asked for, and what they share."""

    cells: tuple[Cell, ...]
    folder: Path
    budget_tokens: int | None
    """Teacher tokens of each cell; None = as the recipe has it. Ceilings and teacherless strategies have no budget."""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    sets: tuple[str, ...] = ()

    def root(self, cell: Cell) -> Path:
        return self.folder / cell.name

    def config(self, cell: Cell) -> RunConfig:
        """The configuration of the cell's run: recipe, then the budget, then `--set`, then the arm's own settings.

        Raises:
            UserError: a fault of the recipe.
        """
        asked = {"task": cell.task, "strategy": cell.arm.strategy, "without": list(cell.arm.without)}
        fields = merged(self.recipe, {**asked, "seed": cell.seed})
        if self.budget_tokens is not None and "iterations" not in find_strategy(cell.arm.strategy).settings:
            fields = merged(fields, {"iterations": ITERATIONS, "budget": {"tokens": self.budget_tokens}})
        return configure(fields, (*self.sets, *cell.arm.sets), "recipe")


def make_grid(
    tasks: Sequence[str], arms: Sequence[Arm], seeds: Sequence[int], folder: Path,
    budget_tokens: int | None = None, recipe: Mapping[str, Any] | None = None, sets: Sequence[str] = (),
) -> Grid:  # fmt: skip
    """All (seed, task, arm); every cell is checked, so that a fault is told before anything runs.

    Raises:
        UserError: with the faults of the first cell that has any; or two tasks of one name, or of two metrics.
    """
    read = {task: load_task(task) for task in tasks}
    names = [read[task].name for task in tasks]
    for name in names:
        if names.count(name) > 1:
            raise UserError(Fault("TASK...", "tasks of different names", quoted(name), "Leave one out."))
    results = {kind_module(task.kind).METRIC for task in read.values()}
    if len(results) > 1:
        expected = "tasks whose results are of one metric, for one table"
        raise UserError(Fault("TASK...", expected, " and ".join(sorted(results)), "Run a grid for each."))
    cells = tuple(Cell(t, n, arm, seed) for seed in seeds for t, n in zip(tasks, names, strict=True) for arm in arms)
    grid = Grid(cells, folder, budget_tokens, dict(recipe or {}), tuple(sets))
    for cell in cells:
        if cell.seed == cells[0].seed:
            plan_of(grid.config(cell), read[cell.task])
    return grid


def read_arms(strategies: str, without: Sequence[str], vary: Sequence[str] = ()) -> list[Arm]:
    """`a,b` → a strategy each; of `without`, each `x` or `x,y` → the first strategy less these parts; of `vary`, each
    `a.b=c` → the first strategy with this setting.

    Raises:
        UserError: an unknown strategy or part.
    """
    names = list(dict.fromkeys(name.strip() for name in strategies.split(",") if name.strip()))
    for name in names:
        find_strategy(name)
    if not names:
        raise UserError(Fault("--strategies", "names with commas between", quoted(strategies), "e.g. evokd,static"))
    arms = [Arm(name) for name in names]
    for item in without:
        parts = tuple(dict.fromkeys(part.strip() for part in item.split(",") if part.strip()))
        for part in parts:
            if part not in PARTS:
                raise UserError(Fault("--without", f"parts among {', '.join(PARTS)}", quoted(part), "Choose of these."))
        if parts and Arm(names[0], parts) not in arms:
            arms.append(Arm(names[0], parts))
    for item in dict.fromkeys(item.strip() for item in vary):
        if "=" not in item:
            raise UserError(Fault("--vary", "a.b=c, as of --set", quoted(item), "e.g. --vary shots=3"))
        arms.append(Arm(names[0], sets=(item,)))
    return arms


def read_seeds(text: str) -> list[int]:
    """`1..5`, `1,2,7`, or both: 1..3,7.

    Raises:
        UserError: anything else.
    """
    found: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)\s*(?:\.\.\s*(\d+)\s*)?", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if first > last:
            remedy = "Give --seeds 1..5, or --seeds 1,2,7."
            raise UserError(Fault("--seeds", "whole numbers, with .. or commas between", quoted(text), remedy))
        found += range(first, last + 1)
    return list(dict.fromkeys(found))
