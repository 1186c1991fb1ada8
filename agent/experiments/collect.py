"""From the run folders of a grid to the rows of its table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from agent.config import read_recipe
from agent.example import entities_of
from agent.experiments.cells import Arm, Cell, Grid
from agent.experiments.statistics import (
    Answers,
    Curve,
    Difference,
    area,
    mean_and_std,
    paired_difference,
    tokens_to,
)
from agent.rundir import RunDir, read_json, read_jsonl
from tasks.data import text_key
from tasks.task import Entity, load_task

FULL, CEILING = "full_shot", "teacher_shot"
SHARES = (0.90, 0.95)
"""Of full-shot's score, whose first tokens the table tells."""


@dataclass(frozen=True)
class Done:
    """One finished cell."""

    cell: Cell
    result: dict[str, Any]
    answers: Answers
    labels: int
    right: tuple[int, int]
    """(right, all) of the teacher's labels of pool texts whose gold label the data has; no run reads that one."""

    @property
    def metric(self) -> str:
        """The key of the result, e.g. "macro_f1"."""
        return str(self.result["metric"]["name"])

    @property
    def score(self) -> float:
        return float(self.result["metric"]["test"])

    @cached_property
    def curve(self) -> Curve:
        return [(float(point["teacher_tokens"]), float(point["test"])) for point in self.result["curve"]]

    @property
    def tokens(self) -> int:
        """Paid for what the final student learned."""
        return int(self.curve[-1][0])


@dataclass(frozen=True)
class Row:
    """One arm on one task, over its seeds. Scores are 0 to 1; None = not known (yet)."""

    task: str
    arm: Arm
    seeds: tuple[int, ...]
    mean: float
    std: float | None
    tokens: float
    """Mean teacher tokens of what was learned."""
    against: Difference | None
    """This arm minus the control, over the seeds that both have; None for the control itself."""
    area: float | None
    """Mean F1 over the token budget; None without a budget, or for an arm that spends no tokens step by step."""
    to_control: float | None
    """Mean tokens to reach the mean score with which the control ends; None where a seed never does."""
    to_shares: tuple[float | None, ...]
    """Mean tokens to reach SHARES of full-shot's mean, None where a seed never does."""
    of_full: float | None
    of_ceiling: float | None
    metric: str
    right: float | None
    """Share of the teacher's labels of pool texts that are right; for `teacher_shot` the teacher's own accuracy."""


def finished(grid: Grid) -> list[Done]:
    """The cells that have a result."""
    found = []
    for cell in grid.cells:
        run = RunDir(grid.root(cell))
        if run.result.exists():
            result = read_json(run.result)
            last = run.iteration(int(result["iterations"]))
            answers = read_json(last.answers)
            labels = len(read_json(last.measured)["test"]["per_class"])
            found.append(Done(cell, result, answers_of(answers), labels, labels_right(run)))
    return found


def labels_right(run: RunDir) -> tuple[int, int]:
    """How many of the teacher's labels of pool texts are the gold ones, and of how many that is known; of a task of
    spans a text is right where all its entities are."""
    gold = _gold(str(read_recipe(run.config)["task"]))
    said = [row for row in read_jsonl(run.history) if row["source"] == "pool"]
    known = [
        (row["teacher_label"], entities_of(row)) == gold[key] for row in said if (key := text_key(row["text"])) in gold
    ]
    return sum(known), len(known)


@lru_cache(maxsize=32)
def _gold(task: str) -> dict[str, tuple[str, tuple[Entity, ...] | None]]:
    """The gold answer of each pool text that has one, by text: its label and, of a task of spans, its entities; {} of
    free answers, of which none is the only right one."""
    read = load_task(task)
    known = ((one.label, one) for one in read.pool if not read.free)
    return {text_key(one.text): (label, one.entities) for label, one in known if label is not None}


def rows(grid: Grid, done: Sequence[Done], control: str) -> list[Row]:
    """A row for each (task, arm) with a finished cell, in the grid's order."""
    tasks = list(dict.fromkeys(cell.task_name for cell in grid.cells))
    arms = list(dict.fromkeys(cell.arm for cell in grid.cells))
    result = []
    for task in tasks:
        here = {arm: _by_seed(done, task, arm) for arm in arms}
        full, ceiling, end = (_mean_of(here, strategy) for strategy in (FULL, CEILING, control))
        for arm in arms:
            if here[arm]:
                against = _difference(here[arm], here.get(Arm(control), {})) if arm != Arm(control) else None
                result.append(_row(task, arm, here[arm], against, end, full, ceiling, grid.budget_tokens))
    return result


def _row(
    task: str, arm: Arm, runs: dict[int, Done], against: Difference | None,
    end: float | None, full: float | None, ceiling: float | None, budget: int | None,
) -> Row:  # fmt: skip
    each = list(runs.values())
    mean, std = mean_and_std([one.score for one in each])
    stepwise = all(len(one.curve) > 2 for one in each)

    def reached(score: float | None) -> float | None:
        return _mean_tokens(each, score) if score and stepwise else None

    return Row(
        task=task, arm=arm, seeds=tuple(runs), mean=mean, std=std,
        tokens=float(np.mean([one.tokens for one in each])),
        against=against,
        area=float(np.mean([area(one.curve, budget) for one in each])) if budget and stepwise else None,
        to_control=reached(end) if against else None,
        to_shares=tuple(reached(share * full if full else None) for share in SHARES),
        of_full=mean / full if full else None,
        of_ceiling=mean / ceiling if ceiling else None,
        metric=each[0].metric,
        right=sum(one.right[0] for one in each) / asked if (asked := sum(one.right[1] for one in each)) else None,
    )  # fmt: skip


def _by_seed(done: Sequence[Done], task: str, arm: Arm) -> dict[int, Done]:
    return {one.cell.seed: one for one in done if one.cell.task_name == task and one.cell.arm == arm}


def _mean_of(arms: dict[Arm, dict[int, Done]], strategy: str) -> float | None:
    runs = arms.get(Arm(strategy))
    return mean_and_std([one.score for one in runs.values()])[0] if runs else None


def _difference(ours: dict[int, Done], control: dict[int, Done]) -> Difference | None:
    both = [seed for seed in ours if seed in control]
    if not both:
        return None
    labels = ours[both[0]].labels
    return paired_difference([ours[s].answers for s in both], [control[s].answers for s in both], labels)


def _mean_tokens(runs: Sequence[Done], score: float) -> float | None:
    reached = [tokens_to(one.curve, score) for one in runs]
    known = [tokens for tokens in reached if tokens is not None]
    return float(np.mean(known)) if len(known) == len(reached) else None


def answers_of(written: dict[str, list[int]]) -> Answers:
    """The content of answers.json."""
    return Answers(**{name: np.array(row, dtype=np.int64) for name, row in written.items()})
