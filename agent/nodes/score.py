"""score: DAS of every candidate with the student as it is now; the best candidates become the batch.

Of a label it is one difference (agent/das/divergence.py); of a written answer one for each of its sentences, and of
several answers to a question a rule keeps one (agent/answer_das.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from langgraph.runtime import Runtime
from numpy.typing import NDArray

from agent.answer_das import compared, decided, mean_difference, rule_of, tell
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
    reasons: list[str | None] = [None] * len(scored)
    if context.task.written:
        scored, reasons = by_sentences(context, iteration, scored, adapter)
    left = [i for i, reason in enumerate(reasons) if reason is None]
    sources = [scored[i].source for i in left]
    best = top_by_score([rank(scored[i]) for i in left], sources, filled(places, Counter(sources)))
    kept = {left[i] for i in best}
    write_examples(here.candidates, scored)
    write_examples(here.batch, [c for i, c in enumerate(scored) if i in kept])
    rows = [
        {"id": c.id, "source": c.source, "das": c.das, "kept": i in kept, "reason": reason}
        for i, (c, reason) in enumerate(zip(scored, reasons, strict=True))
    ]
    write_jsonl(here.scored, rows)
    return {}


def by_sentences(
    context: Context, iteration: int, candidates: Sequence[LabelledExample], adapter: Path
) -> tuple[list[LabelledExample], list[str | None]]:
    """Candidates with the mean divergence of their answer's sentences, and why the rule does not keep each; it keeps
    all where none was asked for and each question has one answer."""
    here, config = context.run.iteration(iteration), context.config
    rows = compared(here, candidates, context.task, config, context.student, adapter)
    chosen, rule = rows, rule_of(config)
    if rule is not None:
        chosen = decided(rows, rule, context.rng(iteration, f"score-{rule}"))
    tell(here, config, context.task, rows, chosen)
    scored = []
    for one, row in zip(candidates, rows, strict=True):
        own = float(row.passage.row["student"]) if context.task.free else one.student_confidence
        scored.append(replace(one, das=mean_difference(row), student_confidence=own))
    return scored, [None if rule is None else row.reason for row in chosen]


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
