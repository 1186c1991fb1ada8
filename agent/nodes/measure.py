"""measure: the student on test and dev. The only node that reads the test set; nothing else uses what it says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from langgraph.runtime import Runtime

from agent.rundir import read_json, write_json
from agent.state import Context, State, StudentLane
from agent.student.student import Student, asked
from tasks.task import Example, Task, kind_module


def measure(state: State, runtime: Runtime[Context]) -> StudentLane:
    """Writes measured.json, and answers.json for statistics over several runs.

    After self-training measured.json keeps, as `before_selftrain`, what was measured before it.
    """
    context = runtime.context
    here = context.run.iteration(state["iteration"])
    task, adapter = context.task, context.run.root / str(state["adapter"])
    test, answers = score_of(context.student, adapter, task, task.test[: context.config.test_limit])
    dev = score_of(context.student, adapter, task, task.dev)[0] if task.dev else None
    write_json(here.answers, answers)
    before = None
    if state.get("self_trained"):
        old = read_json(here.measured)
        before = old["before_selftrain"] or {"test": old["test"], "dev": old["dev"]}  # the former when cut right here
    write_json(here.measured, {"test": test, "dev": dev, "before_selftrain": before})
    return {"test": float(test[kind_module(task.kind).METRIC])}


def score_of(
    student: Student, adapter: Path, task: Task, examples: Sequence[Example]
) -> tuple[dict[str, Any], dict[str, list[int]]]:
    """Metrics of the student's answers against the gold ones, and of each text the numbers that statistics need; of a
    student that writes, also the share of its answers that came to an end (`stopped`)."""
    labels, kind = list(task.labels), kind_module(task.kind)
    said = asked(student, kind, labels, [example.text for example in examples], adapter)
    metrics, answers = kind.examined(examples, said.answers, labels)
    if said.written:
        metrics["stopped"] = sum(one.stopped for one in said.written) / len(said.written)
    return metrics, answers
