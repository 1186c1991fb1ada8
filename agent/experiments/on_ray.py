"""The same grid on a Ray cluster (extra `cluster`): a cell is a Ray task, and several run at once.

Every machine must have evokd installed and see the grid's folder, the tasks and the ledger under the same paths. A cell
whose worker dies is started again by Ray, up to RETRIES times, and goes on where it was cut, as `evokd resume` does;
a cell that is done is only read. So none is lost, and none is paid or counted twice.
"""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import Any

from agent.experiments.cells import Cell, Grid
from agent.experiments.drive import done, run_cell
from agent.run import Watcher
from agent.state import Context
from agent.weights import whole_path
from tasks.faults import Fault, UserError, quoted

RETRIES = 5


class Silent:
    """Nobody watches a cell on another machine."""

    def say(self, message: str) -> None: ...
    def note(self, message: str) -> None: ...

    def watch(self, context: Context) -> None: ...

    def notify(self, event: str, node: str, iteration: int) -> None: ...


def run_grid_on_ray(grid: Grid, address: str, gpus: float | None, watcher: Watcher) -> None:
    """Runs what is not done on the cluster at `address` (host:port, or "auto").

    Args:
        gpus: Of each cell, e.g. 0.25 for four cells on one; None = one where the cluster has any.

    Raises:
        UserError: something is to do, but ray is not installed or no cluster is at `address`; or, once the other cells
            are done, the faults of those that failed.
    """
    ray = _ray()
    grid = absolute(grid)
    waiting = [cell for cell in grid.cells if not done(grid, cell)]
    if not waiting:
        return
    try:
        _reach(address)
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (OSError, ValueError, RuntimeError, ray.exceptions.RayError) as error:
        remedy = "Start one (`ray start --head`), or give its address, e.g. --ray 10.0.0.1:6379."
        raise UserError(Fault("--ray", f"a Ray cluster at {quoted(address)}", str(error)[:200], remedy)) from error
    try:
        share = gpus if gpus is not None else float(min(1.0, ray.cluster_resources().get("GPU", 0.0)))
        work = ray.remote(num_cpus=1, num_gpus=share, max_retries=RETRIES)(run_there)
        running = {work.options(name=cell.name).remote(grid, cell): cell for cell in waiting}
        faults: list[Fault] = []
        while running:
            for ready in ray.wait(list(running), num_returns=1)[0]:
                cell = running.pop(ready)
                found = _outcome(ray, ready, cell)
                faults += found
                watcher.say(f"{cell.name}: {'failed' if found else 'done'}, {len(running)} of {len(waiting)} left")
    finally:
        ray.shutdown()
    if faults:
        raise UserError(*faults)


def run_there(grid: Grid, cell: Cell) -> list[Fault]:
    """On the worker: runs the cell or goes on with it; its faults, if the user can mend any."""
    try:
        run_cell(grid, cell, Silent())
    except UserError as error:
        remedy = "Mend it and give the same command: what is done stays."
        return [*error.faults, Fault(f"cell {cell.name}", "a run that ends", "this fault", remedy)]
    return []


def absolute(grid: Grid) -> Grid:
    """The grid with paths that hold in any working directory: its folder, the task files, the ledger, local models."""
    cells = tuple(replace(cell, task=whole_path(cell.task)) for cell in grid.cells)
    config = grid.config(grid.cells[0])
    fields = {
        "teacher": {"ledger": str(config.teacher.ledger.absolute()), "model": whole_path(config.teacher.model)},
        "student": {"model": whole_path(config.student.model)},
    }
    sets = tuple(f"{part}.{name}={value}" for part, found in fields.items() for name, value in found.items())
    return replace(grid, cells=cells, folder=grid.folder.absolute(), sets=(*grid.sets, *sets))


def _reach(address: str) -> None:
    """Fails at once where nobody listens at host:port; ray itself would try for a minute."""
    host, _, port = address.rpartition(":")
    if host and port.isdigit() and "://" not in address:
        socket.create_connection((host, int(port)), timeout=10).close()


def _outcome(ray: Any, ready: Any, cell: Cell) -> list[Fault]:
    try:
        found: list[Fault] = ray.get(ready)
    except (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError, ray.exceptions.NodeDiedError) as error:
        remedy = "See that worker's log; the same command goes on where it was cut."
        return [
            Fault(f"cell {cell.name}", f"a worker that lives, in {RETRIES + 1} tries", type(error).__name__, remedy)
        ]
    return found


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        remedy = "pip install 'evokd[cluster]'"
        raise UserError(Fault("--ray", "the package ray", "it is not installed", remedy)) from error
    return ray
