"""LabelledExample: one example of a batch or of the history, with its birth. A row of batch.jsonl."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agent.rundir import RunDir, read_jsonl, write_jsonl
from tasks import classification
from tasks.task import Entity, Example, Kind, Target


@dataclass(frozen=True)
class LabelledExample:
    """An example that the student is examined on and then trains on."""

    id: str
    """`i003-0007`: made for iteration 3, the eighth candidate."""
    text: str
    label: str
    """What it is trained as: the teacher's label; gold for source `seed`, `name` and `gold`. Of a task of spans the
    label under which it is counted."""
    iteration: int
    source: str
    """`seed`, `name` (of a label), `hard`, `easy`, `plain` (generated without a target), `pool`, `gold`, `eda`, or
    `continued` (an answer that the student began)."""
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
    entities: tuple[Entity, ...] | None = None
    """What it is trained as in a task of spans; None, and in no row, elsewhere."""

    reasoning: str | None = None
    """Why, where answers are written out and somebody said so; None, and in no row, elsewhere."""
    output: str | None = None
    """The answer itself, where it is free; None, and in no row, elsewhere."""
    begun: str | None = None
    """What of a written answer the student wrote itself, so that it is not learned; None, and in no row, elsewhere."""

    @property
    def answer(self) -> Example:
        """The text and what it is trained as."""
        return Example(self.text, self.label, self.entities, self.reasoning, self.output)

    def target(self, labels: Sequence[str], soft: bool, kind: Kind = classification) -> Target:
        """What to learn: the teacher's distribution over `labels` where `soft` and known, else the answer alone."""
        if soft and self.teacher_distribution is not None:
            return tuple(float(self.teacher_distribution.get(label, 0.0)) for label in labels)
        return kind.target(self.answer, labels)


OF_SOME = {"entities", "reasoning", "output", "begun"}
"""Fields that stand only in rows of tasks that have them."""


def origin(row: Mapping[str, Any]) -> str:
    """Where the example of a row came from: its source, of real texts with whether they were hard."""
    hard = row.get("hard")
    return str(row["source"]) if hard is None else f"{row['source']}, {'hard' if hard else 'easy'}"


def labels_of(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The labels that the example of a row is one of: its own, or those of its entities."""
    return Example("", str(row["label"]), entities_of(row)).labels


def entities_of(row: Mapping[str, Any], key: str = "entities") -> tuple[Entity, ...] | None:
    """The entities of a row, None where it is of no task of spans."""
    found = row.get(key)
    return None if found is None else tuple(Entity(**one) for one in found)


def read_examples(path: Path) -> list[LabelledExample]:
    """The examples of a JSONL file; [] where it does not exist."""
    return [LabelledExample(**{**row, "entities": entities_of(row)}) for row in read_jsonl(path)]


def write_examples(path: Path, examples: Iterable[LabelledExample]) -> None:
    write_jsonl(path, [as_row(example) for example in examples])


def learned(run: RunDir, iteration: int) -> tuple[list[LabelledExample], list[LabelledExample]]:
    """What the student trains on in `iteration`: (examples of the history that replay chose, the batch)."""
    here = run.iteration(iteration)
    wanted = {row["id"] for row in read_jsonl(here.replayed)}
    return [example for example in read_examples(run.history) if example.id in wanted], read_examples(here.batch)


def targets(
    run: RunDir, iteration: int, examples: Iterable[LabelledExample], labels: Sequence[str], soft: bool,
    kind: Kind = classification,
) -> list[Target]:  # fmt: skip
    """What each example is learned as: what reconcile made of it, else its own target."""
    made = {row["id"]: tuple(row["target"]) for row in read_jsonl(run.iteration(iteration).targets)}
    return [made[e.id] if e.id in made else e.target(labels, soft, kind) for e in examples]


def as_row(example: LabelledExample) -> dict[str, Any]:
    row = asdict(example)
    return {key: row[key] for key in row if key not in OF_SOME or row[key] is not None}
