"""teach: one example more for the student of a run that has ended, and what that did to it.

The student goes on from its weights with the example and a part of the history (experience replay: Rolnick et al.,
arXiv 1811.11682), so that it is learned in seconds and little else is forgotten. Whether so is measured: on the
example, on paraphrases of it that the teacher writes and nobody trains on, and on the test set.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from agent.config import BudgetConfig, RunConfig, read_recipe, resolve
from agent.example import LabelledExample, read_examples, targets
from agent.experiments.statistics import Answers, outcomes, paired_difference
from agent.memory import balanced
from agent.nodes.generate import LONGEST, Call, Slot, request, written
from agent.nodes.measure import score_of
from agent.predict import fielded
from agent.progress import Progress
from agent.run import born
from agent.rundir import RunDir, read_json, write_json
from agent.selection import fresh
from agent.state import rng
from agent.student.student import Student, TrainRow
from agent.teacher.route import LOCAL
from agent.teacher.teacher import open_teacher
from agent.weights import fetch
from tasks.data import text_key
from tasks.faults import Fault, UserError, quoted
from tasks.task import Example, Task, joined, kind_module, load_task

REPLAYED = 16
"""Examples of the history for each label that are learned again."""
SHARE = 0.2
"""Of what is learned from, the examples that were taught: one among hundreds would change nothing."""


def teach(folder: Path, given: str, paraphrases: int, progress: Progress) -> dict[str, Any]:
    """Teaches the example `given` (a JSON object with the task's fields and `label`); the record it writes.

    Raises:
        UserError: the run has not ended or its data changed; the example is none of this task, or one of its test set.
    """
    run = RunDir.open(folder)
    if not run.result.exists():
        raise UserError(Fault("RUN", "a run that has ended", str(folder), f"`evokd resume {folder}` first."))
    config = resolve(read_recipe(run.config), where=str(run.config))
    task = load_task(config.task)
    birth = born(run, task)
    if not task.label_alone:
        remedy = "Add the example to the task's seed data and run it again."
        raise UserError(Fault("RUN", "a run of a task whose texts have one label each", f"kind {task.kind}", remedy))
    example = example_of(given, task)
    with run.alone():
        asked = written_anew(config, task, example, paraphrases, f"{birth['id']}-teach", progress)
        from agent.student.opening import open_student  # torch takes seconds

        labels = list(task.labels)
        student = open_student(config.student, labels, fetch(config.student.model, progress.say), task.several)
        return learn(run, config, task, student, example, asked)


def learn(
    run: RunDir, config: RunConfig, task: Task, student: Student, example: Example, paraphrases: Sequence[str]
) -> dict[str, Any]:
    """Trains and measures; writes `taught_<n>/`."""
    place, labels, start = run.next_taught(), list(task.labels), run.adapters()[-1]
    earlier = [Example(**read_json(one.record)["example"]) for one in run.taught()]
    number = place.number
    rows = to_learn(run, config, [*earlier, example], labels, rng(config.seed, number, "teach"))
    test = task.test[: config.test_limit]
    student.train(rows, place.adapter, start, int(rng(config.seed, number, "teach-train").integers(2**31)))
    said = {}
    for when, adapter in (("before", start), ("after", place.adapter)):
        probabilities = student.predict([example.text, *paraphrases], adapter)  # (1 + P, L)
        best = [labels[int(i)] for i in probabilities.argmax(axis=1)]
        metrics, answers, _ = score_of(student, adapter, task, test)
        said[when] = {
            "label": best[0],
            "confidence": float(probabilities[0, labels.index(str(example.label))]),
            "paraphrases_right": sum(label == example.label for label in best[1:]),
            "test": metrics[kind_module(task.kind).METRIC],
            "answers": answers,
        }
    record = {
        "example": {"text": example.text, "label": example.label},
        "paraphrases": list(paraphrases),
        "trained_on": len(rows),
        "test": changed(said["before"].pop("answers"), said["after"].pop("answers"), len(labels)),
        **said,
    }
    student.export(place.adapter, place.model)
    write_json(place.record, record)
    return {**record, "verdict": verdict(record), "path": str(place.root)}


def to_learn(
    run: RunDir, config: RunConfig, taught: Sequence[Example], labels: Sequence[str], random: np.random.Generator
) -> list[TrainRow]:
    """A balanced part of the history with the targets of its last training, and the taught examples, each as often as
    makes them SHARE of all."""
    history = read_examples(run.history)
    part: list[LabelledExample] = [
        history[i] for i in balanced([e.label for e in history], REPLAYED * len(labels), random)
    ]
    wanted = targets(run, run.iterations()[-1].number, part, labels, config.student.soft_labels)
    again = [TrainRow(e.text, target) for e, target in zip(part, wanted, strict=True)]
    copies = max(1, round(SHARE / (1 - SHARE) * len(again) / len(taught)))
    new = [TrainRow(one.text, tuple(float(label == one.label) for label in labels)) for one in taught]
    return [*again, *new * copies]


def changed(before: dict[str, list[int]], after: dict[str, list[int]], labels: int) -> dict[str, Any]:
    """What became of the test texts: how many went wrong, how many right, and macro-F1 with a 95 % interval, paired by
    text."""
    old, new = (Answers(np.array(said["gold"]), np.array(said["predicted"])) for said in (before, after))
    found, texts = paired_difference([new], [old], labels), outcomes(old.correct, new.correct)
    return {
        "texts": len(old.gold),
        "now_wrong": int(texts["lost"].sum()),
        "now_right": int(texts["gained"].sum()),
        "difference": found.mean,
        "interval": [found.low, found.high],
    }


def verdict(record: dict[str, Any]) -> dict[str, str]:
    """`learned`: yes, by heart (the example, but not most of its paraphrases), no, or known (before it was taught).
    `forgotten`: yes where the whole interval of the test score's change lies below 0."""
    before, after, asked = record["before"], record["after"], len(record["paraphrases"])
    label = record["example"]["label"]
    most = 2 * after["paraphrases_right"] >= asked
    if after["label"] != label:
        learned = "no"
    elif before["label"] == label and before["paraphrases_right"] >= after["paraphrases_right"]:
        learned = "known"
    else:
        learned = "yes" if most else "by heart"
    return {"learned": learned, "forgotten": "yes" if record["test"]["interval"][1] < 0 else "no"}


def example_of(given: str, task: Task) -> Example:
    """The example of a JSON object.

    Raises:
        UserError: no such object, a label the task does not have, or a text that measures.
    """
    values = fielded(("--example", given), list(task.fields))
    try:
        label = json.loads(given).get("label")
    except (json.JSONDecodeError, AttributeError):
        label = None
    if label is None or str(label) not in task.labels:
        form = json.dumps({**dict.fromkeys(task.fields, "…"), "label": next(iter(task.labels))}, ensure_ascii=False)
        expected = f"a JSON object with `label`, one of {', '.join(task.labels)}"
        raise UserError(Fault("--example", expected, quoted(given, 80), f"For example {form}."))
    text = joined(list(values.values())) if task.several else values["text"]
    for part, examples in (("test", task.test), ("dev", task.dev)):
        if text_key(text) in {text_key(one.text) for one in examples}:
            remedy = "It measures, so it cannot be learned. Teach another."
            raise UserError(Fault("--example", f"a text that is not in data.{part}", quoted(text, 80), remedy))
    return Example(text, str(label))


def written_anew(
    config: RunConfig, task: Task, example: Example, count: int, run_id: str, progress: Progress
) -> list[str]:
    """Up to `count` paraphrases of the example by the run's teacher, near repetitions left out; 0 asks nobody."""
    if count == 0:
        return []
    if config.teacher.mode == "live" and config.teacher.base_url == LOCAL:
        fetch(config.teacher.model, progress.say)
    label, shown = str(example.label), task.line(example.text, LONGEST)
    call = Call(label, (Slot(label, "plain", {}),) * count, (), (shown,), ())
    with closing(open_teacher(config.teacher, BudgetConfig(), run_id)) as teacher:
        asked = request(task, call, config.batch.generate_temperature, "rephrase")
        rows, _ = written(task, call, teacher.ask([asked], "teach", 0)[0])
    texts = [row["text"] for row in rows]
    held = {text_key(one.text) for one in (*task.test, *task.dev)}
    return [texts[i] for i in fresh(texts, [], [example.text])[0] if text_key(texts[i]) not in held]
