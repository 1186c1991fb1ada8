"""score: DAS of every candidate with the student as it is now; the best candidates become the batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from langgraph.runtime import Runtime
from numpy.typing import NDArray

from agent.das import divergence
from agent.example import LabelledExample, read_examples, write_examples
from agent.rundir import write_jsonl
from agent.selection import filled, top_by_score
from agent.state import Context, State


def score(state: State, runtime: Runtime[Context], places: Mapping[str, int]) -> State:
    """Candidates → batch: generated ones compete for the `places` of their source; pool texts all stay."""
    context, iteration = runtime.context, state["iteration"]
    here = context.run.iteration(iteration)
    candidates = read_examples(here.candidates)
    adapter = context.run.root / str(state["adapter"])
    probabilities = context.student.predict([c.text for c in candidates], adapter)
    scored = with_scores(candidates, probabilities, list(context.task.labels))
    sources = [c.source for c in scored]
    kept = set(top_by_score([rank(c) for c in scored], sources, filled(places, Counter(sources))))
    write_examples(here.candidates, scored)
    write_examples(here.batch, [c for i, c in enumerate(scored) if i in kept])
    rows = [{"id": c.id, "source": c.source, "das": c.das, "kept": i in kept} for i, c in enumerate(scored)]
    write_jsonl(here.scored, rows)
    return {}


def with_scores(
    candidates: Sequence[LabelledExample], probabilities: NDArray[np.float64], labels: Sequence[str]
) -> list[LabelledExample]:
    """Each candidate with the student's probability of its label and, where the teacher's is known, its DAS; pool
    texts with whether they are the harder half of their kind.

    `probabilities` is (N, L) in the order of `labels`.
    """
    sure = probabilities.max(axis=1)
    real = [candidate.source == "pool" for candidate in candidates]
    middle = float(np.median(sure[real])) if any(real) else 0.0
    own = [float(row[labels.index(c.label)]) for c, row in zip(candidates, probabilities, strict=True)]
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
