"""evaluate: the student answers the batch before it trains on it (prequential); for llm2llm the seed examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from langgraph.runtime import Runtime

from agent.example import LabelledExample, read_examples
from agent.rundir import write_jsonl
from agent.state import Context, State
from agent.student.student import Said, asked
from tasks import classification
from tasks.task import RIGHT, Kind, kind_module


def evaluate(state: State, runtime: Runtime[Context], of_seeds: bool) -> State:
    """Writes predictions.jsonl: right or wrong, a row an example of the batch; and what a student that writes wrote."""
    context = runtime.context
    here = context.run.iteration(state["iteration"])
    batch = read_examples(context.run.iteration(0).batch if of_seeds else here.batch)
    adapter = context.run.root / str(state["adapter"])
    labels, kind = list(context.task.labels), kind_module(context.task.kind)
    said = asked(context.student, kind, labels, [example.text for example in batch], adapter)
    write_jsonl(here.predictions, rows_of(batch, said, labels, kind))
    return {}


def rows_of(
    batch: Sequence[LabelledExample], said: Said, labels: Sequence[str], kind: Kind = classification
) -> list[dict[str, Any]]:
    """A row an example: what the student said, how sure, and whether that is what the example is trained as; of a task
    of spans, where it is right when all entities are, both sides' entities as well; of free answers the right one
    (`output`) and how like it the student's is."""
    rows = []
    for example, row, answer in zip(batch, said.outputs, said.answers, strict=True):
        spans = {} if answer.entities is None else {"entities": example.entities, "predicted_entities": answer.entities}
        near = kind.likeness(answer, example.answer)
        rows.append(
            {
                "id": example.id,
                "text": example.text,
                "label": example.label,
                "predicted": answer.label,
                **{side: [asdict(one) for one in found or ()] for side, found in spans.items()},
                "confidence": kind.likelihood(answer, row, labels),
                "correct": near >= RIGHT,
                "source": example.source,
                "hard": example.hard,
                "teacher_confidence": example.teacher_confidence,
                **({} if example.output is None else {"output": example.output, "likeness": near}),
            }
        )
    for one, written in zip(rows, said.written, strict=False):
        one |= {"written": written.text, "stopped": written.stopped}
    return rows
