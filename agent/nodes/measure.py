"""measure: the student on test and dev. The only node that reads the test set; nothing else uses what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from langgraph.runtime import Runtime

from agent.rundir import read_json, write_json, write_jsonl
from agent.state import Context, State, StudentLane
from agent.student.student import Student, Written, asked
from tasks.task import Example, Task, kind_module


def measure(state: State, runtime: Runtime[Context]) -> StudentLane:
    """Writes measured.json, and answers.json for statistics over several runs; of a student that writes also what it
    wrote (written.jsonl) and, in iteration 0, all that of its untrained base (`base` in measured.json).

    After self-training measured.json keeps, as `before_selftrain`, what was measured before it.
    """
    context = runtime.context
    here = context.run.iteration(state["iteration"])
    task, adapter = context.task, context.run.root / str(state["adapter"])
    examples = task.test[: context.config.test_limit]
    test, answers, written = score_of(context.student, adapter, task, examples)
    dev = score_of(context.student, adapter, task, task.dev)[0] if task.dev else None
    found = {"test": test, "dev": dev, "before_selftrain": None}
    if state.get("self_trained"):
        old = read_json(here.measured)  # its `before_selftrain` where it was cut right here
        found["before_selftrain"] = old["before_selftrain"] or {"test": old["test"], "dev": old["dev"]}
    if written:
        write_jsonl(here.written, [asdict(one) for one in written])
        if state["iteration"] == 0:
            found["base"], base, untrained = score_of(context.student, None, task, examples)
            write_json(here.base_answers, base)
            write_jsonl(here.base_written, [asdict(one) for one in untrained])
    write_json(here.answers, answers)
    write_json(here.measured, found)
    return {"test": float(test[kind_module(task.kind).METRIC])}


def score_of(
    student: Student, adapter: Path | None, task: Task, examples: Sequence[Example]
) -> tuple[dict[str, Any], dict[str, list[int]], list[Written]]:
    """Metrics of the student's answers against the gold ones, and of each text the numbers that statistics need; of a
    student that writes, also the share of its answers that came to an end (`stopped`), and what it wrote."""
    labels, kind = list(task.labels), kind_module(task.kind)
    said = asked(student, kind, labels, [example.text for example in examples], adapter)
    metrics, answers = kind.examined(examples, said.answers, labels)
    if said.written:
        metrics["stopped"] = sum(one.stopped for one in said.written) / len(said.written)
    return metrics, answers, said.written
