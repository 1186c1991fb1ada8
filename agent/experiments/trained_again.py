"""The last training of a run again with other settings of the student, and what it took: in a process of its own."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from agent.config import StudentConfig, read_recipe, resolve
from agent.example import learned
from agent.nodes.measure import score_of
from agent.nodes.train import rows_of
from agent.rundir import RunDir, read_json
from agent.weights import fetch
from tasks.task import kind_module, load_task


def trained_again(root: Path, changed: StudentConfig, seed: int) -> dict[str, Any]:
    """Trains a student of `changed` from its base on what the run's learned in the last iteration, before any
    self-training; its loss, scores and cost.

    `peak_memory`: bytes, of a CUDA device what it held at most, else of this whole process, whose libraries are in it.

    Raises:
        UserError: the student cannot be opened so, or does not fit.
    """
    from agent.student.hardware import peak_memory
    from agent.student.opening import open_student  # torch takes seconds

    run = RunDir.open(root)
    config = resolve(read_recipe(run.config), where=str(run.config))
    task = load_task(config.task)
    last = int(read_json(run.result)["iterations"])
    replayed, batch = learned(run, last)
    metric, rows = kind_module(task.kind).METRIC, rows_of(run, last, [*replayed, *batch], task, changed.soft_labels)
    student = open_student(
        changed, list(task.labels), fetch(changed.model), task.several, task.spans, task.kind if task.written else None
    )
    with TemporaryDirectory() as folder:
        adapter = Path(folder) / "adapter"
        start = time.perf_counter()
        kept = read_json(run.iteration(last).training).get("probe_share", changed.probe_share)
        log = student.train(rows, adapter, None, seed, {"probe_share": kept})
        seconds = time.perf_counter() - start
        held = peak_memory(student.device)
        test, _, _ = score_of(student, adapter, task, task.test[: config.test_limit])
        dev = score_of(student, adapter, task, task.dev)[0][metric] if task.dev else None
    return {
        "examples": log.examples, "steps": log.steps, "trainable_parameters": log.trainable_parameters,
        "seconds": seconds, "peak_memory": held, "metric": metric, "test": test[metric], "dev": dev,
        "losses": list(log.losses),
    }  # fmt: skip
