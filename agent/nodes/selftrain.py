"""selftrain: at the end the student answers the rest of the pool and trains once more with its surest answers.

Self-training with hard labels, one round after the last iteration (Scudder 1965; for text, Xie et al.,
arXiv 1904.12848 and Mukherjee and Awadallah, arXiv 2006.15315 are its heirs). No teacher token. The texts it labelled
weigh together no more than the teacher's, and they never enter the history. Only at the end, since it is a training as
long as all others together.

A student that holds too many texts for one label would teach itself more of that: so `match` comes before. Of entities
it learns the probabilities of each word's tags, which hold more than the likeliest: what its neighbours are. A student
that knows little of entities learns from itself to name none; it is not taken (`SAID`).
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from langgraph.runtime import Runtime

from agent.example import learned, targets
from agent.rundir import IterationDir, write_json, write_jsonl
from agent.selection import surest
from agent.state import Context, State, StudentLane
from agent.student.student import TrainRow
from agent.unlabelled import unlabelled
from tasks.task import Example, Outputs, Target, Task, kind_module

SAID = 0.5
"""Share of the entities it was taught that a student must say afterwards, of the same texts. town_news, six runs: 0.99
to 1.00, test F1 two to seven points up; europeana_fr, three runs: 0.17, 0.36 and 0.28, down 10.7 to 2.3, 6.7 to 1.9 and
16.6 to 7.8."""


def selftrain(state: State, runtime: Runtime[Context]) -> StudentLane:
    """Writes self_labelled.jsonl and adapter_self/, which is then the student of this iteration; where words are tagged
    self_training.json too, and no adapter_self/ where that student was not taken."""
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
    if context.task.spans and not reproduced(context, here, [said[i] for i in chosen]):
        shutil.rmtree(here.self_adapter)
        return {"self_trained": True}
    return {"adapter": context.run.relative(here.self_adapter), "self_trained": True}


def reproduced(context: Context, here: IterationDir, lessons: Sequence[Example]) -> bool:
    """Writes self_training.json: whether the student at `here.self_adapter` names at least SAID of the entities of its
    lessons."""
    kind, labels = kind_module(context.task.kind), list(context.task.labels)
    outputs = context.student.predict([one.text for one in lessons], here.self_adapter)
    again = [kind.said(one.text, row, labels) for one, row in zip(lessons, outputs, strict=True)]
    taught, given = entities(lessons), entities(again)
    taken = given >= SAID * taught
    write_json(here.self_training, {"taught": taught, "said": given, "taken": taken})
    return taken


def entities(examples: Sequence[Example]) -> int:
    """How many all of them have."""
    return sum(len(one.entities or ()) for one in examples)


def lesson(task: Task, said: Example, outputs: Outputs) -> Target:
    """What a text is learned as: its likeliest label alone; where words are tagged all that it gave, (W, T)."""
    target = kind_module(task.kind).target(said, list(task.labels))
    return tuple(tuple(row) for row in outputs[: len(target)].tolist()) if task.spans else target


def as_said(said: Example, sure: float) -> dict[str, Any]:
    """A row of self_labelled.jsonl."""
    if said.entities is None:
        return {"text": said.text, "label": said.label, "confidence": sure}
    return {"text": said.text, "entities": [asdict(one) for one in said.entities], "confidence": sure}
