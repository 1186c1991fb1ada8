"""How near the answers of several runs come to the right ones in meaning: BERTScore by an encoder that is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from agent.experiments.statistics import Answers, paired_difference
from agent.weights import Progress, fetch
from tasks.instruction import UNIT


def by_meaning(
    model: str, answers: Sequence[Sequence[str]], references: Sequence[str], say: Progress | None = None
) -> dict[str, Any]:
    """{"model", "cut": texts of which only the beginning was read, "runs": [{"f1", "difference"}, ...]}.

    F1 is the mean BERTScore of a run's answers, 0 to 1; `difference` that to the first run's with a 95 % interval,
    paired by test text, None of the first itself.

    Args:
        model: As `student.model`, an encoder.
        answers: Of each run, one a test text.

    Raises:
        UserError: there is no such encoder.
    """
    from agent.student.bertscore import bertscore  # torch takes seconds

    weights = fetch(model, say)
    every = [one for mine in answers for one in mine]
    scores, cut = bertscore(weights, every, [*references] * len(answers))  # one loading, each text read once
    by_run = scores.reshape(len(answers), -1)
    whole = np.full(len(references), UNIT)
    scored = [Answers(whole, whole, np.rint(UNIT * mine).astype(np.int64)) for mine in by_run]
    runs = [
        {
            "f1": float(mine.mean()),
            "difference": None if one is scored[0] else asdict(paired_difference([one], [scored[0]], 1)),
        }
        for mine, one in zip(by_run, scored, strict=True)
    ]
    return {"model": weights.name, "cut": cut, "runs": runs}
