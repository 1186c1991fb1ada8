"""evaluate: the student answers the batch before it trains on it (prequential); for llm2llm the seed examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from langgraph.runtime import Runtime
from numpy.typing import NDArray

from agent.example import LabelledExample, read_examples
from agent.rundir import write_jsonl
from agent.state import Context, State


def evaluate(state: State, runtime: Runtime[Context], of_seeds: bool) -> State:
    """Writes predictions.jsonl: right or wrong, a row an example of the batch."""
    context = runtime.context
    here = context.run.iteration(state["iteration"])
    batch = read_examples(context.run.iteration(0).batch if of_seeds else here.batch)
    adapter = context.run.root / str(state["adapter"])
    probabilities = context.student.predict([example.text for example in batch], adapter)
    write_jsonl(here.predictions, answers(batch, probabilities, list(context.task.labels)))
    return {}


def answers(
    batch: Sequence[LabelledExample], probabilities: NDArray[np.float64], labels: Sequence[str]
) -> list[dict[str, Any]]:
    """A row an example: what the student said, how sure, and whether it is the example's label."""
    rows = []
    for example, row in zip(batch, probabilities, strict=True):
        best = int(np.argmax(row))
        rows.append(
            {
                "id": example.id,
                "text": example.text,
                "label": example.label,
                "predicted": labels[best],
                "confidence": float(row[best]),
                "correct": labels[best] == example.label,
                "source": example.source,
                "hard": example.hard,
                "teacher_confidence": example.teacher_confidence,
            }
        )
    return rows
