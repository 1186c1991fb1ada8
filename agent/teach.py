"""teach: one example more for the student of a run that has ended, and what that did to it.

The student goes on from its weights with the example and a part of the history (experience replay: Rolnick et al.,
arXiv 1811.11682), so that it is learned in seconds and little else is forgotten. Whether so is measured: on the
example, on paraphrases of it that the teacher writes and nobody trains on, and on the test set.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from agent.config import BudgetConfig, RunConfig, read_recipe, resolve
from agent.das.token_spans import geometric_mean
from agent.example import LabelledExample, entities_of, read_examples
from agent.experiments.collect import answers_of
from agent.experiments.statistics import outcomes, paired_difference
from agent.memory import balanced
from agent.nodes.generate import LONGEST, Call, Slot, request, written
from agent.nodes.measure import score_of
from agent.nodes.train import rows_of
from agent.predict import fielded
from agent.progress import Progress
from agent.run import born
from agent.rundir import RunDir, read_json, write_json
from agent.selection import fresh
from agent.state import rng
from agent.student.student import Said, Student, TrainRow, asked
from agent.teacher.route import LOCAL
from agent.teacher.teacher import open_teacher
from agent.weights import fetch
from tasks import spans
from tasks.data import text_key
from tasks.faults import Fault, UserError, quoted
from tasks.task import RIGHT, Example, Task, kind_module, load_task

REPLAYED = 16
"""Examples of the history for each label that are learned again."""
SHARE = 0.2
"""Of what is learned from, the examples that were taught: one among hundreds would change nothing."""

LEARNED = 0.9
"""Of a free answer's likeness to the one that was taught: three weekdays in the wrong order have 0.85."""


def teach(folder: Path, given: str, paraphrases: int, progress: Progress) -> dict[str, Any]:
    """Teaches the example `given` (a row of the task's data as JSON); the record it writes.

    Raises:
        UserError: the run has not ended or its data changed; the example is none of this task, or one of its test set.
    """
    run = RunDir.open(folder)
    if not run.result.exists():
        raise UserError(Fault("RUN", "a run that has ended", str(folder), f"`evokd resume {folder}` first."))
    config = resolve(read_recipe(run.config), where=str(run.config))
    task = load_task(config.task)
    birth = born(run, task)
    example = example_of(given, task)
    with run.alone():
        wanted = 0 if task.spans else paraphrases  # where the entities of a paraphrase are, nobody knows
        anew = written_anew(config, task, example, wanted, f"{birth['id']}-teach", progress)
        from agent.student.opening import open_student  # torch takes seconds

        student = open_student(
            config.student, list(task.labels), fetch(config.student.model, progress.say), task.several, task.spans,
            task.kind if task.written else None,
        )  # fmt: skip
        return learn(run, config, task, student, example, anew)


def learn(
    run: RunDir, config: RunConfig, task: Task, student: Student, example: Example, paraphrases: Sequence[str]
) -> dict[str, Any]:
    """Trains and measures; writes `taught_<n>/`."""
    place, labels, start = run.next_taught(), list(task.labels), run.adapters()[-1]
    earlier = [read_example(read_json(one.record)["example"]) for one in run.taught()]
    number, kind = place.number, kind_module(task.kind)
    rows = to_learn(run, config, [*earlier, example], task, rng(config.seed, number, "teach"))
    test = task.test[: config.test_limit]
    student.train(rows, place.adapter, start, int(rng(config.seed, number, "teach-train").integers(2**31)))
    said: dict[str, dict[str, Any]] = {}
    for when, adapter in (("before", start), ("after", place.adapter)):
        found = asked(student, kind, labels, [example.text, *paraphrases], adapter)
        right = [
            kind.likeness(one, replace(example, text=one.text)) >= (LEARNED if task.free else RIGHT)
            for one in found.answers
        ]
        metrics, answers, _ = score_of(student, adapter, task, test)
        said[when] = {
            "label": in_words(task, found.answers[0]),
            "right": right[0],
            "confidence": sure_of(student, task, example, found, adapter),
            "paraphrases_right": sum(right[1:]),
            "test": metrics[kind.METRIC],
            "answers": answers,
        }
    told = {key: value for key, value in asdict(example).items() if value is not None}
    record = {
        "example": told,
        "answer": in_words(task, example),
        "paraphrases": list(paraphrases),
        "trained_on": len(rows),
        "metric": kind.METRIC,
        "test": changed(said["before"].pop("answers"), said["after"].pop("answers"), len(labels), task.free),
        **said,
    }
    student.export(place.adapter, place.model)
    write_json(place.record, record)
    return {**record, "verdict": verdict(record), "path": str(place.root)}


def in_words(task: Task, answer: Example) -> str:
    """An answer to be read."""
    if task.spans:
        return spans.in_words(answer.text, answer.entities or ())
    return str((answer.output if task.free else answer.label) or "(nothing)")


def sure_of(student: Student, task: Task, example: Example, found: Said, adapter: Path) -> float:
    """The student's probability of the example's answer; of a free one the geometric mean of its tokens'."""
    if task.free:
        return geometric_mean(student.read([example.text], [example.output or ""], adapter)[0])
    return kind_module(task.kind).likelihood(example, found.outputs[0], list(task.labels))


def read_example(row: Mapping[str, Any]) -> Example:
    """An example as taught.json holds it."""
    return Example(**{**row, "entities": entities_of(row)})


def to_learn(
    run: RunDir, config: RunConfig, taught: Sequence[Example], task: Task, random: np.random.Generator
) -> list[TrainRow]:
    """A balanced part of the history with the targets of its last training, and the taught examples, each as often as
    makes them SHARE of all."""
    history, last = read_examples(run.history), run.iterations()[-1].number
    chosen = balanced([e.label for e in history], REPLAYED * len(task.labels), random)
    part: list[LabelledExample] = [history[i] for i in chosen]
    new = [
        LabelledExample(
            f"taught-{number}", one.text, str(one.label), last, "taught", entities=one.entities,
            reasoning=one.reasoning, output=one.output,
        )
        for number, one in enumerate(taught)
    ]  # fmt: skip
    copies = max(1, round(SHARE / (1 - SHARE) * len(part) / len(new)))
    return rows_of(run, last, [*part, *new * copies], task, config.student.soft_labels)


def changed(
    before: dict[str, list[int]], after: dict[str, list[int]], labels: int, free: bool = False
) -> dict[str, Any]:
    """What became of the test texts: how many went wrong, how many right, and the change of the score with a 95 %
    interval, paired by text."""
    old, new = answers_of(before), answers_of(after)
    right = [one.like(RIGHT) if free else one.correct for one in (old, new)]
    found, texts = paired_difference([new], [old], labels), outcomes(*right)
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
    before, after, anew = record["before"], record["after"], len(record["paraphrases"])
    most = 2 * after["paraphrases_right"] >= anew
    if not after["right"]:
        learned = "no"
    elif before["right"] and before["paraphrases_right"] >= after["paraphrases_right"]:
        learned = "known"
    else:
        learned = "yes" if most else "by heart"
    return {"learned": learned, "forgotten": "yes" if record["test"]["interval"][1] < 0 else "no"}


def example_of(given: str, task: Task) -> Example:
    """The example of a JSON object: a row of the task's data, its fields under their usual names.

    Raises:
        UserError: no such object, a label the task does not have, or a text that measures.
    """
    try:
        row = json.loads(given)
    except json.JSONDecodeError:
        row = None
    kind = kind_module(task.kind)
    if not isinstance(row, dict) or (task.label_alone and str(row.get("label")) not in task.labels):
        form = json.dumps(kind.SAMPLE.seed[0], ensure_ascii=False)
        expected = "a JSON object"
        if task.label_alone:
            form = json.dumps({**dict.fromkeys(task.fields, "…"), "label": next(iter(task.labels))}, ensure_ascii=False)
            expected = f"a JSON object with `label`, one of {', '.join(task.labels)}"
        raise UserError(Fault("--example", expected, quoted(given, 80), f"For example {form}."))
    if task.label_alone:
        fielded(("--example", given), list(task.fields))
    example = kind.example("--example", row, task.labels)
    for part, examples in (("test", task.test), ("dev", task.dev)):
        if text_key(example.text) in {text_key(one.text) for one in examples}:
            remedy = "It measures, so it cannot be learned. Teach another."
            raise UserError(Fault("--example", f"a text that is not in data.{part}", quoted(example.text, 80), remedy))
    return example


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
