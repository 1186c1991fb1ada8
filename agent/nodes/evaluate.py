"""evaluate: the student answers the batch before it trains on it (prequential); for llm2llm the seed examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from langgraph.runtime import Runtime
from numpy.typing import NDArray

from agent.example import LabelledExample, read_examples
from agent.rundir import write_jsonl
from agent.state import Context, State
from tasks import classification
from tasks.task import Kind, kind_module


def evaluate(state: State, runtime: Runtime[Context], of_seeds: bool) -> State:
    """Writes predictions.jsonl: right or wrong, a row an example of the batch; and what a student that writes wrote."""
    context = runtime.context
    here = context.run.iteration(state["iteration"])
    batch = read_examples(context.run.iteration(0).batch if of_seeds else here.batch)
    adapter = context.run.root / str(state["adapter"])
    probabilities = context.student.predict([example.text for example in batch], adapter)
    labels, kind = list(context.task.labels), kind_module(context.task.kind)
    rows = answers(batch, probabilities, labels, kind)
    for row, written in zip(rows, context.student.write([e.text for e in batch], adapter), strict=False):
        row |= {"written": written.text, "stopped": written.stopped}
    write_jsonl(here.predictions, rows)
    return {}


def answers(
    batch: Sequence[LabelledExample], probabilities: NDArray[np.float64], labels: Sequence[str],
    kind: Kind = classification,
) -> list[dict[str, Any]]:  # fmt: skip
    """A row an example: what the student said, how sure, and whether that is what the example is trained as; of a task
    of spans, where it is right when all entities are, both sides' entities as well."""
    rows = []
    for example, row in zip(batch, probabilities, strict=True):
        said = kind.said(example.text, row, labels)
        spans = {} if said.entities is None else {"entities": example.entities, "predicted_entities": said.entities}
        rows.append(
            {
                "id": example.id,
                "text": example.text,
                "label": example.label,
                "predicted": said.label,
                **{side: [asdict(one) for one in found or ()] for side, found in spans.items()},
                "confidence": kind.likelihood(said, row, labels),
                "correct": said == example.answer,
                "source": example.source,
                "hard": example.hard,
                "teacher_confidence": example.teacher_confidence,
            }
        )
    return rows
