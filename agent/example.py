"""LabelledExample: one example of a batch or of the history, with its birth. A row of batch.jsonl."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agent.rundir import RunDir, read_jsonl, write_jsonl


@dataclass(frozen=True)
class LabelledExample:
    """An example that the student is examined on and then trains on."""

    id: str
    """`i003-0007`: made for iteration 3, the eighth candidate."""
    text: str
    label: str
    """What it is trained as: the teacher's label; gold for source `seed`, `name` and `gold`."""
    iteration: int
    source: str
    """`seed`, `name` (of a label), `hard`, `easy`, `plain` (generated without a target), `pool`, `gold`, or `eda`."""
    intended: str | None = None
    """The label it was written for; None where it was not generated."""
    teacher_label: str | None = None
    teacher_confidence: float | None = None
    teacher_distribution: Mapping[str, float] | None = None
    """Calibrated; of a written text, times the label it was written for (agent/nodes/label.py)."""
    teacher_raw: Mapping[str, float] | None = None
    """The teacher's distribution before calibration."""
    agrees: bool | None = None
    """Whether the separate label is the intended one."""
    student_confidence: float | None = None
    """The student's probability of `label` before it trained on this text."""
    das: float | None = None
    hard: bool | None = None
    """Of a real text: the student, asked before it trained on it, was less sure of its answer than for most of the
    batch. Generated texts are what they were written to be: see `source`."""

    def target(self, labels: Iterable[str], soft: bool) -> tuple[float, ...]:
        """The distribution over `labels` to learn: the teacher's where `soft` and known, else one-hot."""
        if soft and self.teacher_distribution is not None:
            return tuple(float(self.teacher_distribution.get(label, 0.0)) for label in labels)
        return tuple(float(label == self.label) for label in labels)


def origin(row: Mapping[str, Any]) -> str:
    """Where the example of a row came from: its source, of real texts with whether they were hard."""
    hard = row.get("hard")
    return str(row["source"]) if hard is None else f"{row['source']}, {'hard' if hard else 'easy'}"


def read_examples(path: Path) -> list[LabelledExample]:
    """The examples of a JSONL file; [] where it does not exist."""
    return [LabelledExample(**row) for row in read_jsonl(path)]


def write_examples(path: Path, examples: Iterable[LabelledExample]) -> None:
    write_jsonl(path, [as_row(example) for example in examples])


def learned(run: RunDir, iteration: int) -> tuple[list[LabelledExample], list[LabelledExample]]:
    """What the student trains on in `iteration`: (examples of the history that replay chose, the batch)."""
    here = run.iteration(iteration)
    wanted = {row["id"] for row in read_jsonl(here.replayed)}
    return [example for example in read_examples(run.history) if example.id in wanted], read_examples(here.batch)


def targets(
    run: RunDir, iteration: int, examples: Iterable[LabelledExample], labels: Sequence[str], soft: bool
) -> list[tuple[float, ...]]:
    """The distribution over `labels` that each example is learned as: what reconcile made of it, else its own."""
    made = {row["id"]: tuple(row["target"]) for row in read_jsonl(run.iteration(iteration).targets)}
    return [made[e.id] if e.id in made else e.target(labels, soft) for e in examples]


def as_row(example: LabelledExample) -> dict[str, Any]:
    return asdict(example)
