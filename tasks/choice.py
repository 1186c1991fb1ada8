"""Task kind `choice`: a question and its choices, answered with reasoning and the letter of one of them.

Data rows: {"question", "choices": {"A": ..., "B": ...}, "answer": "A"}, and where somebody wrote one, "reasoning". All
questions of a task have the letters of its `labels`. The student is a decoder, which writes its answer out (tasks/
written.py); it learns the reasoning that the teacher gave.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sklearn.metrics import confusion_matrix

from tasks import classification
from tasks.classification import Rows
from tasks.classification import likeness as likeness
from tasks.classification import target as target
from tasks.faults import Fault, quoted
from tasks.task import Example, Outputs, Sample, Task, joined
from tasks.written import END, FORM, REASONING, Answered, read_answer, written
from tasks.written import NO_ANSWER as NO_ANSWER

KIND = "choice"
METRIC = "accuracy"

FREE = False
TOKENS = 200
"""Of an answer, at most: two sentences of reasoning take some sixty."""
LETTERED = re.compile(r"\b(?:option|choice|answer|letter)s?\s+\W?[A-Z]\b", re.IGNORECASE)
"""A reasoning that speaks of a choice by its letter."""

SAMPLE = Sample(
    text="question about everyday things     # what one question is",
    question="Which choice is the right one?",
    labels={"A": "", "B": "", "C": ""},
    subjects="kitchen, weather, tools, animals, travel",
    seed=(
        {"question": "What do you use to cut paper?", "choices": {"A": "scissors", "B": "a spoon", "C": "a candle"},
         "answer": "A", "reasoning": "Cutting needs a blade, and of the three only scissors have one."},
        {"question": "Where does milk stay fresh?", "choices": {"A": "an oven", "B": "a fridge", "C": "a shelf"},
         "answer": "B", "reasoning": "Milk keeps where it is cold, and a fridge is cold."},
        {"question": "What falls from clouds?", "choices": {"A": "sand", "B": "leaves", "C": "rain"},
         "answer": "C", "reasoning": "Clouds are made of water, which falls as rain."},
    ),
    test=(
        {"question": "What do you open to enter a room?", "choices": {"A": "a jar", "B": "a book", "C": "a door"},
         "answer": "C"},
        {"question": "What does a baker make?", "choices": {"A": "bread", "B": "shoes", "C": "glass"}, "answer": "A"},
    ),
)  # fmt: skip


class Columns(BaseModel):
    model_config = ConfigDict(extra="forbid")
    question: str = "question"
    choices: str = "choices"
    answer: str = "answer"
    reasoning: str = "reasoning"


class Spec(classification.Labelled):
    """The fields of a choice task.yaml; `labels` are the letters of the choices."""

    kind: str = KIND
    columns: Columns = Field(default_factory=Columns)


def read(spec: Mapping[str, Any], file: Path) -> Task:
    """The task that `spec` (the content of `file`) describes, with its data.

    Raises:
        UserError: every fault of the fields; then every fault of the data.
    """
    fields = classification.checked(Spec, spec, file)
    return classification.read_with(fields, _examples, file, ("question", *fields.labels), written=True)


def turn(text: str, labels: Sequence[str]) -> str:
    """What a question is to who answers it: the question, its choices, and the form of an answer."""
    question, *choices = text.split("\n")
    lines = [f"{label}. {choice}" for label, choice in zip(labels, choices, strict=True)]
    return "\n".join([question, *lines, "", FORM])


def relettered(text: str, label: str, labels: Sequence[str], to: str) -> str:
    """`text` with the choice of `label` and that of `to` in each other's place, so that `to` is the right letter."""
    lines = text.split("\n")
    one, other = (1 + list(labels).index(letter) for letter in (label, to))
    lines[one], lines[other] = lines[other], lines[one]
    return "\n".join(lines)


def read_reply(text: str, labels: Sequence[str]) -> Answered:
    """What a teacher's answer says: a reasoning worth learning, and a letter."""
    return read_answer(text, labels)


def prose(text: str) -> tuple[int, int]:
    """The reasoning, without its tags."""
    return text.index(REASONING) + len(REASONING), text.rindex(END)


def with_written(said: Example, written: str) -> Example:
    """The letter says it all."""
    return said


def lesson(answer: Example, place: int, labels: Sequence[str]) -> tuple[Example, str]:
    """The question with its choices in another order and the answer to it, so that of all that is learned the right
    letters are as often one as another: of the answers to some fifty questions half may be B, and a small student
    learns that first (docs/what-we-learned.md). A reasoning that names a letter keeps its own."""
    own = str(answer.label)
    letter = own if LETTERED.search(answer.reasoning or "") else labels[place % len(labels)]
    moved = replace(answer, text=relettered(answer.text, own, labels, letter), label=letter)
    return moved, written(answer.reasoning, letter)


def example(place: str, row: Mapping[str, Any], labels: Mapping[str, str]) -> Example:
    """The labelled example of a row. Raises UserError where it is none."""
    return classification.only(_examples([(place, dict(row))], Columns().model_dump(), labels, True))


def said(text: str, outputs: Outputs, labels: Sequence[str]) -> Example:
    """The likeliest choice; NO_ANSWER where there is none."""
    return Example(text, labels[int(outputs.argmax())] if outputs.any() else NO_ANSWER)


def likelihood(answer: Example, outputs: Outputs, labels: Sequence[str]) -> float:
    """The student's probability of the choice, 0 of NO_ANSWER."""
    return float(outputs[labels.index(answer.label)]) if answer.label in labels else 0.0


def examined(
    gold: Sequence[Example], said: Sequence[Example], labels: Sequence[str]
) -> tuple[dict[str, Any], dict[str, list[int]]]:
    """Accuracy, no answer being a wrong one; how often there was none; the same per letter (a letter the student likes
    too much shows there), and the matrix of letters (rows = gold, no answer last).

    Of each question one answer to give, one given, and whether it is right.
    """
    right, given = ([str(one.label) for one in examples] for examples in (gold, said))
    names = [*labels, NO_ANSWER]
    matrix = confusion_matrix(right, given, labels=names)
    hits = [one == other for one, other in zip(right, given, strict=True)]
    per = {}
    for place, label in enumerate(labels):
        asked, taken, hit = int(matrix[place].sum()), int(matrix[:, place].sum()), int(matrix[place, place])
        precision, recall = hit / taken if taken else 0.0, hit / asked if asked else 0.0
        f1 = 2 * hit / (asked + taken) if asked + taken else 0.0
        per[label] = {"precision": precision, "recall": recall, "f1": f1, "support": asked}
    metrics = {
        "n": len(right),
        "accuracy": sum(hits) / max(1, len(hits)),
        "unanswered": given.count(NO_ANSWER) / max(1, len(given)),
        "per_class": per,
        "confusion": {"labels": names, "matrix": matrix.tolist()},
    }
    ones = [1] * len(right)
    return metrics, {"gold": ones, "predicted": ones, "right": [int(hit) for hit in hits]}


def _examples(
    rows: Rows, columns: Mapping[str, str], labels: Mapping[str, str], labelled: bool
) -> tuple[list[Example], list[Fault]]:
    examples, faults = [], []
    for place, row in rows:
        found = _faults(place, row, columns, labels, labelled)
        faults += found
        if not found:
            choices, answer = row[columns["choices"]], row.get(columns["answer"])
            text = joined([row[columns["question"]], *(choices[label] for label in labels)])
            reasoning = " ".join(str(row.get(columns["reasoning"]) or "").split()) or None
            examples.append(Example(text, None if answer is None else str(answer), reasoning=reasoning))
    return examples, faults


def _faults(
    place: str, row: Mapping[str, Any], columns: Mapping[str, str], labels: Mapping[str, str], labelled: bool
) -> list[Fault]:
    """What is wrong with a row; the first thing, since the others follow from it."""
    question, choices, answer = (row.get(columns[name]) for name in ("question", "choices", "answer"))
    if not isinstance(question, str) or not question.strip():
        got = quoted(question) if columns["question"] in row else f"the fields {', '.join(map(str, row))}"
        return [Fault(place, f"a question in {columns['question']!r}", got, "Fill it in, or set `columns.question`.")]
    if not isinstance(choices, Mapping) or set(choices) != set(labels):
        got = f"the letters {', '.join(map(str, choices))}" if isinstance(choices, Mapping) else quoted(choices)
        remedy = f"Every question of the task has these: {', '.join(labels)}."
        return [Fault(f"{place}: {columns['choices']}", "a choice for each letter of `labels`", got, remedy)]
    if empty := [label for label in labels if not isinstance(choices[label], str) or not choices[label].strip()]:
        return [Fault(f"{place}: choice {empty[0]}", "a text", quoted(choices[empty[0]]), "Fill it in.")]
    if answer is None and labelled:
        return [Fault(place, f"an answer in {columns['answer']!r}", "none", "Fill it in, or set `columns.answer`.")]
    if answer is not None and str(answer) not in labels:
        return [Fault(place, f"an answer among the choices ({', '.join(labels)})", quoted(answer), "Mend the row.")]
    if answer is not None:
        right, same = str(answer), " ".join(choices[str(answer)].casefold().split())
        for label in labels:
            if label != right and " ".join(choices[label].casefold().split()) == same:
                got = f"{right} and {label} are both {quoted(choices[right], 40)}"
                return [Fault(place, "a right choice that differs from the others", got, "Mend one of them.")]
    return []
