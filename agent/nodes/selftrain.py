"""selftrain: at the end the student answers the rest of the pool and trains once more with its surest answers.

Self-training with hard labels, one round after the last iteration (Scudder 1965; for text, Xie et al.,
arXiv 1904.12848 and Mukherjee and Awadallah, arXiv 2006.15315 are its heirs). No teacher token. The texts it labelled
weigh together no more than the teacher's, and they never enter the history. Only at the end, since it is a training as
long as all others together.

A student that holds too many texts for one label would teach itself more of that. What the teacher said of the pool's
texts tells how common each label is; the student's answers are weighted, label by label, so that it is so in them too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from langgraph.runtime import Runtime
from numpy.typing import NDArray

from agent.earlier import pool_learned
from agent.example import LabelledExample, learned, targets
from agent.rundir import read_jsonl, write_jsonl
from agent.selection import surest
from agent.state import Context, State, StudentLane
from agent.student.student import TrainRow
from agent.valuation import ENOUGH, matched


def selftrain(state: State, runtime: Runtime[Context], matching: bool) -> StudentLane:
    """Writes self_labelled.jsonl and adapter_self/, which is then the student of this iteration.

    `matching`: its answers are first matched to the label shares of the teacher's (docs/what-we-learned.md).
    """
    context, iteration = runtime.context, state["iteration"]
    here, config = context.run.iteration(iteration), context.config
    texts = unlabelled(context, iteration)[: config.self_training.texts]
    if not texts:
        write_jsonl(here.self_labelled, [])
        return {"self_trained": True}
    labels = list(context.task.labels)
    replayed, batch = learned(context.run, iteration)
    known = [*replayed, *batch]
    probabilities = context.student.predict(texts, here.adapter)  # (N, L)
    if matching and (share := teacher_share(known, labels)) is not None:
        probabilities = matched(probabilities, share)
    best = probabilities.argmax(axis=1)
    rows = [
        {"text": texts[i], "label": labels[best[i]], "confidence": float(probabilities[i].max())}
        for i in surest(probabilities, config.self_training.share)
    ]
    write_jsonl(here.self_labelled, rows)
    wanted = targets(context.run, iteration, known, labels, config.student.soft_labels)
    taught = [TrainRow(e.text, target) for e, target in zip(known, wanted, strict=True)]
    weight = min(1.0, len(taught) / len(rows))
    own = [TrainRow(row["text"], tuple(float(label == row["label"]) for label in labels), weight) for row in rows]
    seed = int(context.rng(iteration, "selftrain").integers(2**31))
    start = here.adapter if config.student.train_from == "previous" else None
    context.student.train([*taught, *own], here.self_adapter, start, seed)
    return {"adapter": context.run.relative(here.self_adapter), "self_trained": True}


def teacher_share(known: Sequence[LabelledExample], labels: Sequence[str]) -> NDArray[np.float64] | None:
    """(L,): the mean of the teacher's label distributions of pool texts; None for fewer than ENOUGH."""
    said = [e.teacher_distribution for e in known if e.source == "pool" and e.teacher_distribution is not None]
    if len(said) < ENOUGH:
        return None
    share: NDArray[np.float64] = np.array([[one[label] for label in labels] for one in said]).mean(axis=0)
    return share


def unlabelled(context: Context, iteration: int) -> list[str]:
    """Pool texts that no iteration so far, nor an earlier run, sent to the teacher, in an order of this run's own."""
    taken = {row["index"] for k in range(iteration + 1) for row in read_jsonl(context.run.iteration(k).sampled)}
    taken |= pool_learned(context)
    order = context.rng(0, "selftrain").permutation(len(context.task.pool))
    return [context.task.pool[int(index)].text for index in order if int(index) not in taken]
