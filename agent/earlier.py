"""earlier: what the student of a run that has ended learned of others, learned again by a run of the same task or of
one with further labels. So a label is added while a student is in use: a few seed examples of it beside all that was
learned before (rehearsal of the whole history, which forgets least: Robins 1995), and the loop goes on from there.

What the earlier run labelled keeps its label: texts of a new label that stood in its pool as something else stay so.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from agent.config import RunConfig, read_recipe, resolve
from agent.example import LabelledExample, read_examples, targets
from agent.rundir import RunDir, read_json, read_jsonl
from agent.state import Context
from tasks.data import text_key
from tasks.faults import Fault, UserError, quoted
from tasks.task import Task, kind_module

SOURCE = "earlier"


def check_earlier(config: RunConfig, task: Task) -> None:
    """Raises UserError: `earlier` is no run that has ended, is of another kind, has a label that `task` lacks, or
    learned a text that `task` measures with."""
    if config.earlier is None:
        return
    run = RunDir.open(Path(config.earlier))
    if not run.result.exists():
        remedy = f"`evokd resume {config.earlier}` first."
        raise UserError(Fault("earlier", "a run that has ended", str(config.earlier), remedy))
    birth, faults = read_json(run.identity), []
    if birth["kind"] != task.kind or birth.get("fields", ["text"]) != list(task.fields):
        faults.append(Fault("earlier", f"a run of kind {task.kind}", f"kind {birth['kind']}", "Name another run."))
    if lost := [label for label in birth["labels"] if label not in task.labels]:
        remedy = "Keep the label in the task; labels can be added, not taken away."
        faults.append(Fault(f"{task.name}: labels", f"the label {lost[0]!r}, which the run learned", "none", remedy))
    held = {text_key(one.text) for one in (*task.test, *task.dev)}
    if known := [e.text for e in read_examples(run.history) if text_key(e.text) in held]:
        remedy = "Take it out of the test and dev data: it was learned."
        faults.append(Fault(f"{task.name}: data", "test texts that nobody learned", quoted(known[0], 60), remedy))
    if faults:
        raise UserError(*faults)


def earlier_examples(folder: Path) -> list[LabelledExample]:
    """All that the run's student learned, as it learned it in the end; ids `e-0000`."""
    run = RunDir.open(folder)
    config, birth = resolve(read_recipe(run.config), where=str(run.config)), read_json(run.identity)
    history, labels = read_examples(run.history), list(birth["labels"])
    soft = config.student.soft_labels and not (birth.get("spans") or birth.get("written"))
    if soft:
        kind, last = kind_module(birth["kind"]), run.iterations()[-1].number
        learned = targets(run, last, history, labels, True, kind)
        history = [
            replace(one, teacher_distribution=dict(zip(labels, np.asarray(target).tolist(), strict=True)))
            for one, target in zip(history, learned, strict=True)
        ]
    return [
        replace(one, id=f"e-{number:04d}", source=SOURCE, iteration=0, hard=None) for number, one in enumerate(history)
    ]


def pool_learned(context: Context) -> set[int]:
    """Indices of the pool texts that the earlier run's student learned."""
    if context.config.earlier is None:
        return set()
    known = {text_key(row["text"]) for row in read_jsonl(context.run.iteration(0).batch)}
    return {index for index, one in enumerate(context.task.pool) if text_key(one.text) in known}


def measured_earlier(folder: Path) -> dict[str, Any]:
    """earlier.json: which run it was, and its student's last test metrics."""
    run = RunDir.open(folder)
    result = read_json(run.result)
    return {"run": str(folder), "test": read_json(run.iteration(int(result["iterations"])).measured)["test"]}
