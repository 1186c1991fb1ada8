"""selftrain: at the end the student answers the rest of the pool and trains once more with its surest answers.

Self-training with hard labels, one round after the last iteration (Scudder 1965; for text, Xie et al.,
arXiv 1904.12848 and Mukherjee and Awadallah, arXiv 2006.15315 are its heirs). No teacher token. The texts it labelled
weigh together no more than the teacher's, and they never enter the history. Only at the end, since it is a training as
long as all others together.

A student that holds too many texts for one label would teach itself more of that: so `match` comes before.
"""

from __future__ import annotations

from langgraph.runtime import Runtime

from agent.example import learned, targets
from agent.rundir import write_jsonl
from agent.selection import surest
from agent.state import Context, State, StudentLane
from agent.student.student import TrainRow
from agent.unlabelled import unlabelled


def selftrain(state: State, runtime: Runtime[Context]) -> StudentLane:
    """Writes self_labelled.jsonl and adapter_self/, which is then the student of this iteration."""
    context, iteration = runtime.context, state["iteration"]
    here, config = context.run.iteration(iteration), context.config
    texts = unlabelled(context, iteration)[: config.self_training.texts]
    if not texts:
        write_jsonl(here.self_labelled, [])
        return {"self_trained": True}
    labels = list(context.task.labels)
    replayed, batch = learned(context.run, iteration)
    known = [*replayed, *batch]
    adapter = context.run.root / str(state["adapter"])
    probabilities = context.student.predict(texts, adapter)  # (N, L)
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
    start = adapter if config.student.train_from == "previous" else None
    context.student.train([*taught, *own], here.self_adapter, start, seed)
    return {"adapter": context.run.relative(here.self_adapter), "self_trained": True}
