"""selftrain: at the end the student answers the rest of the pool and trains once more with its surest answers.

Self-training with hard labels, one round after the last iteration (Scudder 1965; for text, Xie et al.,
arXiv 1904.12848 and Mukherjee and Awadallah, arXiv 2006.15315 are its heirs). No teacher token. The texts it labelled
weigh together no more than the teacher's, and they never enter the history. Only at the end, since it is a training as
long as all others together.

A student that holds too many texts for one label would teach itself more of that: so `match` comes before. Of entities
it learns the probabilities of each word's tags, which hold more than the likeliest: what its neighbours are.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from langgraph.runtime import Runtime

from agent.example import learned, targets
from agent.rundir import write_jsonl
from agent.selection import surest
from agent.state import Context, State, StudentLane
from agent.student.student import TrainRow
from agent.unlabelled import unlabelled
from tasks.task import Example, Outputs, Target, Task, kind_module


def selftrain(state: State, runtime: Runtime[Context]) -> StudentLane:
    """Writes self_labelled.jsonl and adapter_self/, which is then the student of this iteration."""
    context, iteration = runtime.context, state["iteration"]
    here, config = context.run.iteration(iteration), context.config
    texts = unlabelled(context, iteration)[: config.self_training.texts]
    if not texts:
        write_jsonl(here.self_labelled, [])
        return {"self_trained": True}
    labels, kind = list(context.task.labels), kind_module(context.task.kind)
    replayed, batch = learned(context.run, iteration)
    known = [*replayed, *batch]
    adapter = context.run.root / str(state["adapter"])
    outputs = context.student.predict(texts, adapter)
    said = [kind.said(text, row, labels) for text, row in zip(texts, outputs, strict=True)]
    sure = np.array([kind.likelihood(one, row, labels) for one, row in zip(said, outputs, strict=True)])
    groups = [bool(one.entities) if context.task.spans else one.label for one in said]
    chosen = surest(sure, groups, config.self_training.share)
    write_jsonl(here.self_labelled, [as_said(said[i], float(sure[i])) for i in chosen])
    wanted = targets(context.run, iteration, known, labels, config.student.soft_labels, kind)
    taught = [TrainRow(e.text, target) for e, target in zip(known, wanted, strict=True)]
    weight = min(1.0, len(taught) / len(chosen))
    own = [TrainRow(texts[i], lesson(context.task, said[i], outputs[i]), weight) for i in chosen]
    seed = int(context.rng(iteration, "selftrain").integers(2**31))
    start = adapter if config.student.train_from == "previous" else None
    context.student.train([*taught, *own], here.self_adapter, start, seed)
    return {"adapter": context.run.relative(here.self_adapter), "self_trained": True}


def lesson(task: Task, said: Example, outputs: Outputs) -> Target:
    """What a text is learned as: its likeliest label alone; where words are tagged all that it gave, (W, T)."""
    target = kind_module(task.kind).target(said, list(task.labels))
    return tuple(tuple(row) for row in outputs[: len(target)].tolist()) if task.spans else target


def as_said(said: Example, sure: float) -> dict[str, Any]:
    """A row of self_labelled.jsonl."""
    if said.entities is None:
        return {"text": said.text, "label": said.label, "confidence": sure}
    return {"text": said.text, "entities": [asdict(one) for one in said.entities], "confidence": sure}
