"""sweep: the student of a run that has ended, trained again on what it learned, one setting at a time.

What the rank of LoRA, the learning rate and the epochs bring and cost, without a teacher token: all that is learned
from stands in the run's folder. Nothing is chosen: whoever chooses does it by the dev score.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import reduce
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from agent.config import RunConfig, StudentConfig, read_recipe, resolve
from agent.experiments.trained_again import trained_again
from agent.progress import Progress
from agent.run import born
from agent.rundir import RunDir, read_json, write_json
from tasks.faults import Fault, UserError, quoted
from tasks.task import load_task

USUAL = ("student.lora.rank=4,8,16,32", "student.learning_rate=0.0003,0.001,0.003", "student.epochs=4,8,16")
"""What people ask for first."""
OWN = "as the run had it"


@dataclass(frozen=True)
class Arm:
    """One changed setting of the student; `field` "" = none."""

    field: str
    value: str
    student: StudentConfig

    @property
    def name(self) -> str:
        return f"{self.field.removeprefix('student.')}={self.value}" if self.field else OWN


@dataclass(frozen=True)
class Trained:
    """One arm with one seed, and what `trained_again` says of it."""

    arm: Arm
    seed: int
    found: dict[str, Any]


def sweep(folder: Path, vary: Sequence[str], seeds: Sequence[int], progress: Progress) -> list[Trained]:
    """Every arm with every seed; what is done in `sweep/` of the run is not done again.

    Raises:
        UserError: the run has not ended or its data changed; a setting is none of the student's, or cannot be so.
    """
    run = RunDir.open(folder)
    if not run.result.exists():
        raise UserError(Fault("RUN", "a run that has ended", str(folder), f"`evokd resume {folder}` first."))
    config = resolve(read_recipe(run.config), where=str(run.config))
    born(run, load_task(config.task))
    wanted = [(arm, seed) for arm in arms(config, vary) for seed in seeds]
    done = []
    with run.alone(), ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as apart:
        for place, (arm, seed) in enumerate(wanted, 1):
            record = run.swept(arm.student.model_dump_json(), seed)
            if not record.exists():
                progress.say(f"training {place} of {len(wanted)}: {arm.name}, seed {seed}")
                found = apart.submit(trained_again, run.root, arm.student, seed).result()
                write_json(record, {"setting": arm.name, "seed": seed, **found})
            done.append(Trained(arm, seed, read_json(record)))
    return done


def arms(config: RunConfig, vary: Sequence[str]) -> list[Arm]:
    """The run's own student, then of each `student.x=1,2,3` a student a value.

    Raises:
        UserError: with every fault: no such form, a field that is none of the student's, a value it cannot have.
    """
    found, faults = [Arm("", "", config.student)], []
    for item in vary:
        field, equals, values = (part.strip() for part in item.partition("="))
        if not equals or not field.startswith("student."):
            got, remedy = quoted(item), f"For example --vary {USUAL[0]}."
            faults.append(Fault("--vary", "student.FIELD=VALUE,VALUE", got, remedy))
            continue
        for value in filter(None, (part.strip() for part in values.split(","))):
            try:
                changed = resolve(config.model_dump(mode="json"), [f"{field}={value}"], "--vary").student
            except UserError as error:
                faults += error.faults
                continue
            if value != str(reduce(getattr, field.split("."), config)):  # the run's own value is there already
                found.append(Arm(field, value, changed))
    if faults:
        raise UserError(*faults)
    return found
