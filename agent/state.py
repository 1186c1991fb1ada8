"""State: what is checkpointed, scalars only. Context: the live objects of a run, never checkpointed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, TypedDict

import numpy as np

from agent.config import RunConfig
from agent.rundir import RunDir
from agent.student.student import Student
from agent.teacher.teacher import Teacher
from tasks.task import Example, Task


class State(TypedDict, total=False):
    """The graph state. Data sets, batches and texts live in the run folder, under names fixed by RunDir."""

    iteration: int
    """The current turn of the loop; 0 trains on the seed examples."""
    adapter: str | None
    """The student as it is now: a folder relative to the run folder; None before the first training."""
    waiting: int
    """Labelled candidates that wait for the next iteration."""
    budget_ended: str | None
    """Which limit the teacher lane ran into, e.g. "tokens"."""
    test: float | None
    """The kind's METRIC on the test set, for the progress display; nothing decides by it."""
    stopped_because: str | None
    self_trained: bool
    """The student has labelled pool texts for itself, after the last iteration."""


class StudentLane(TypedDict, total=False):
    """What the student lane hands to the join."""

    adapter: str | None
    test: float | None
    self_trained: bool


class TeacherLane(TypedDict, total=False):
    """What the teacher lane hands to the join; disjoint from StudentLane, so that both run at once."""

    waiting: int
    budget_ended: str | None


@dataclass(frozen=True)
class Context:
    """The live objects shared by all nodes."""

    config: RunConfig
    task: Task
    """With the shots drawn: `task.pool` no longer holds them."""
    shots: tuple[Example, ...]
    run: RunDir
    teacher: Teacher
    student: Student
    notify: Callable[[str, str, int], None] = lambda event, node, iteration: None
    """Told "start" and "end" of every node, for the progress display."""
    turns: AbstractContextManager[Any] = field(default_factory=nullcontext)
    """A lock where teacher and student share a processor: the lanes' nodes then take turns. llama.cpp's threads wait
    for one another at every step, so a student that takes half a core from one of them more than halves the teacher."""

    def rng(self, iteration: int, node: str) -> np.random.Generator:
        """The random generator of one node in one iteration."""
        return rng(self.config.seed, iteration, node)


def rng(seed: int, iteration: int, node: str) -> np.random.Generator:
    """A generator that depends on (run seed, iteration, node) alone, so a resumed run equals an unbroken one."""
    return np.random.default_rng([seed, iteration, *node.encode()])
