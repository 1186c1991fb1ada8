"""train: the student learns the batch and what replay chose; the batch enters the history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from os.path import commonprefix
from pathlib import Path

from langgraph.runtime import Runtime

from agent.example import LabelledExample, as_row, learned, targets
from agent.rundir import RunDir, read_jsonl, replace_rows, write_json
from agent.state import Context, State, StudentLane
from agent.student.student import DEFAULT, SCHEDULED, TrainRow
from agent.valuation import earlier_share
from tasks.task import Task, kind_module, written_kind


def train(state: State, runtime: Runtime[Context], averaged: bool = False) -> StudentLane:
    """Writes the adapter, training.json and this iteration's rows of history.jsonl.

    `averaged`: two of the students may be averaged, so every iteration trains the same initial adapter.
    """
    context, iteration = runtime.context, state["iteration"]
    here, config = context.run.iteration(iteration), context.config.student
    replayed, batch = learned(context.run, iteration)
    examples = [*replayed, *batch]
    rows = rows_of(context.run, iteration, examples, context.task, config.soft_labels)
    seed = int(context.rng(0 if averaged else iteration, "train").integers(2**31))
    schedule = {name: getattr(config, name) for name in SCHEDULED} if context.config.stages else DEFAULT
    share = probe_share(context.run, iteration, config.probe_share, averaged)
    schedule = {**schedule, "probe_share": share}
    log = context.student.train(rows, here.adapter, start_of(state, context), seed, schedule)
    replace_rows(context.run.history, iteration, [{**as_row(e), "iteration": iteration} for e in batch])
    write_json(
        here.training,
        {
            "examples": log.examples, "new": len(batch), "replayed": len(replayed), "steps": log.steps,
            "truncated": log.truncated, "trainable_parameters": log.trainable_parameters,
            "by_label": counted(examples, list(context.task.labels)), "probe_share": share, "losses": list(log.losses),
        },
    )  # fmt: skip
    return {"adapter": context.run.relative(here.adapter)}


def probe_share(run: RunDir, iteration: int, share: float, averaged: bool) -> float:
    """How much of a probe that it begins as stays in this student: nothing of one of seed examples and names, which
    people wrote, or where the first student's weights will be in it."""
    rows = read_jsonl(run.iteration(iteration).targets)
    first = averaged and bool(rows) and earlier_share(float(rows[0]["trust"])) > 0
    return 0.0 if iteration == 0 or first else share


def rows_of(
    run: RunDir, iteration: int, examples: Sequence[LabelledExample], task: Task, soft: bool
) -> list[TrainRow]:  # fmt: skip
    """The examples as the student learns them in `iteration`: their targets and weights, and what is written out."""
    weights = {row["id"]: row["weight"] for row in read_jsonl(run.iteration(iteration).weights)}
    wanted = targets(run, iteration, examples, list(task.labels), soft, kind_module(task.kind))
    if task.written:
        return written_rows(examples, task, weights)
    return [TrainRow(e.text, target, weights.get(e.id, 1.0)) for e, target in zip(examples, wanted, strict=True)]


def written_rows(examples: Sequence[LabelledExample], task: Task, weights: Mapping[str, float]) -> list[TrainRow]:
    """The examples with their answers written out (`lesson` of the task kind)."""
    labels, kind, rows = list(task.labels), written_kind(task.kind), []
    for place, example in enumerate(examples):
        answer, written = kind.lesson(example.answer, place, labels)
        begun = len(commonprefix([written, example.begun or ""]))  # noqa: RUF071
        rows.append(TrainRow(answer.text, kind.target(answer, labels), weights.get(example.id, 1.0), written, begun))
    return rows


def start_of(state: State, context: Context) -> Path | None:
    """The adapter to go on from, or None for the base model."""
    adapter = state.get("adapter")
    goes_on = context.config.student.train_from == "previous" and adapter is not None
    return context.run.root / str(adapter) if goes_on else None


def counted(examples: list[LabelledExample], labels: list[str]) -> dict[str, int]:
    """Examples by label, every label named; one whose entities have several counts for each."""
    counts = Counter(label for example in examples for label in example.answer.labels)
    return {label: counts[label] for label in labels}
