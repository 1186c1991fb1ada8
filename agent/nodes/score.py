"""score: DAS of every candidate with the student as it is now; the best candidates become the batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from langgraph.runtime import Runtime
from numpy.typing import NDArray

from agent.das.divergence import divergence
from agent.example import LabelledExample, read_examples, write_examples
from agent.rundir import write_jsonl
from agent.selection import filled, top_by_score
from agent.state import Context, State
from tasks import classification
from tasks.task import Kind, kind_module


def score(state: State, runtime: Runtime[Context], places: Mapping[str, int]) -> State:
    """Candidates → batch: generated ones compete for the `places` of their source; pool texts all stay."""
    context, iteration = runtime.context, state["iteration"]
    here = context.run.iteration(iteration)
    candidates = read_examples(here.candidates)
    adapter = context.run.root / str(state["adapter"])
    probabilities = context.student.predict([c.text for c in candidates], adapter)
    labels, kind = list(context.task.labels), kind_module(context.task.kind)
    scored = with_scores(candidates, probabilities, labels, kind)
    sources = [c.source for c in scored]
    kept = set(top_by_score([rank(c) for c in scored], sources, filled(places, Counter(sources))))
    write_examples(here.candidates, scored)
    write_examples(here.batch, [c for i, c in enumerate(scored) if i in kept])
    rows = [{"id": c.id, "source": c.source, "das": c.das, "kept": i in kept} for i, c in enumerate(scored)]
    write_jsonl(here.scored, rows)
    return {}


def with_scores(
    candidates: Sequence[LabelledExample], probabilities: NDArray[np.float64], labels: Sequence[str],
    kind: Kind = classification,
) -> list[LabelledExample]:  # fmt: skip
    """Each candidate with the student's probability of its answer and, where the teacher's is known, its DAS; pool
    texts with whether they are the harder half of their kind.

    `probabilities`: as the student gives them, a row a candidate.
    """
    rows = list(zip(candidates, probabilities, strict=True))
    said = [kind.said(c.text, row, labels) for c, row in rows]
    sure = np.array([kind.likelihood(one, row, labels) for one, (_, row) in zip(said, rows, strict=True)])
    real = [candidate.source == "pool" for candidate in candidates]
    middle = float(np.median(sure[real])) if any(real) else 0.0
    own = [kind.likelihood(c.answer, row, labels) for c, row in rows]
    scored = []
    for candidate, student, answer in zip(candidates, own, sure, strict=True):
        teacher = candidate.teacher_confidence
        das = None if teacher is None else float(divergence([teacher], [student])[0])
        hard = bool(answer < middle) if candidate.source == "pool" else None
        scored.append(replace(candidate, student_confidence=student, das=das, hard=hard))
    return scored


def rank(candidate: LabelledExample) -> float:
    """DAS; where the teacher gave no confidence, the student's own doubt 1 − p(label)."""
    if candidate.das is not None:
        return candidate.das
    return 1.0 - (candidate.student_confidence or 0.0)
