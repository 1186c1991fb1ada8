"""Runs the cells of a grid one after the other; what is done is skipped, what was cut goes on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from agent.config import RunConfig, dump, read_recipe, resolve
from agent.experiments.cells import Cell, Grid
from agent.plan import plan_of
from agent.run import Watcher, launch, resume, settled_student
from agent.rundir import RunDir, write_text
from agent.weights import whole_path
from tasks.faults import Fault, UserError
from tasks.task import Task, load_task

CALLING = ("base_url", "mode", "api_key_env", "same_processor", "max_concurrency", "requests_per_minute",
           "tokens_per_minute", "timeout", "attempts", "price")  # fmt: skip
"""Settings of the teacher that say where and how it is called, not what is asked of it."""


def run_grid(grid: Grid, watcher: Watcher) -> None:
    """Runs what is not done. A fault stops the grid; what is done stays, and the same command goes on.

    Raises:
        UserError: of a cell's run, or a cell was run with other settings before.
    """
    for place, cell in enumerate(grid.cells, 1):
        if not done(grid, cell):
            watcher.say(f"cell {place} of {len(grid.cells)}: {cell.name}")
            try:
                run_cell(grid, cell, watcher)
            except UserError as error:
                remedy = "Mend it and give the same command: what is done stays."
                raise UserError(
                    *error.faults, Fault(f"cell {cell.name}", "a run that ends", "this fault", remedy)
                ) from None


def done(grid: Grid, cell: Cell) -> bool:
    """Whether the cell has its result; raises UserError where that is of other settings."""
    run = RunDir(grid.root(cell))
    if run.config.exists():
        _check_same(grid, cell, run)
    return run.result.exists()


def run_cell(grid: Grid, cell: Cell, watcher: Watcher) -> None:
    """Runs the cell, or goes on with it; then the teacher is called where and how it is asked for now."""
    run = RunDir(grid.root(cell))
    if run.config.exists():
        call_as_now(run, grid.config(cell))
        resume(run.root, watcher)
        return
    for left in (run.identity, run.graph, run.capabilities):  # cut before the run began, which config.yaml marks
        left.unlink(missing_ok=True)
    launch(grid.config(cell), run.root, watcher)


def call_as_now(run: RunDir, asked: RunConfig) -> None:
    """Writes CALLING as `asked` into the config.yaml of a cut run: its endpoint may have moved, or been slow."""
    written = resolve(read_recipe(run.config), where=str(run.config))
    teacher = written.teacher.model_copy(update={name: getattr(asked.teacher, name) for name in CALLING})
    if teacher != written.teacher:
        write_text(run.config, dump(written.model_copy(update={"teacher": teacher})))


def _check_same(grid: Grid, cell: Cell, run: RunDir) -> None:
    """The settings of the run in the cell's folder are those asked for now."""
    written = resolve(read_recipe(run.config), where=str(run.config))
    asked = grid.config(cell)
    task = _task(asked.task)
    student = settled_student(asked.student, plan_of(asked, task), task)
    before, now = _comparable(written), _comparable(asked.model_copy(update={"student": student}))
    for name in now:
        if before[name] != now[name]:
            got = f"{name}: {_changed(before[name], now[name])}"
            remedy = "Give another --runs folder, or the settings it was begun with."
            raise UserError(Fault(str(run.root), "a cell run with the settings asked for now", got, remedy))


@cache
def _task(name: str) -> Task:
    """Read once for all cells of the task that are looked at: of 1,500 pool texts that takes a third of a second."""
    return load_task(name)


def _comparable(config: RunConfig) -> dict[str, Any]:
    """What decides a cell's result: not where its endpoint and ledger are, nor what the hardware chose."""
    fields = config.model_dump(mode="json")
    for name in (*CALLING, "ledger"):
        fields["teacher"].pop(name)
    for name in ("device", "dtype"):
        fields["student"].pop(name)
    fields["task"] = whole_path(fields["task"])
    for part in ("teacher", "student"):
        fields[part]["model"] = whole_path(fields[part]["model"])
    return fields


def _changed(before: Any, now: Any) -> str:
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        return ", ".join(
            f"{key} {before.get(key)} before, {now[key]} now" for key in now if before.get(key) != now[key]
        )
    return f"{before} before, {now} now"
