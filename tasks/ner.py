"""Task kind `ner`: the entities in a text, each a part of it with a label of a fixed set.

Data rows: {"text", "entities": [{"start", "end", "label"}]}, offsets in characters; or {"tokens", "tags"} in BIO, whose
text is the tokens with a space between. Entities do not overlap, and begin and end where words do (tasks/spans.py).
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from nervaluate import Evaluator
from pydantic import BaseModel, ConfigDict, Field, field_validator
from seqeval.metrics import classification_report

from tasks import classification
from tasks.classification import Rows
from tasks.classification import likeness as likeness
from tasks.faults import Fault, quoted
from tasks.span_errors import KINDS, errors
from tasks.spans import (
    OUTSIDE,
    decoded,
    encoded,
    likeliest,
    ordered,
    overlapping,
    standing_for,
    tags,
    whole,
)
from tasks.spans import likelihood as likelihood_of
from tasks.task import Entity, Example, Outputs, Sample, Task

KIND = "ner"
METRIC = "micro_f1"
"""Of whole entities: borders and type right (CoNLL-2003)."""

SAMPLE = Sample(
    text="message to a help desk     # what one text is",
    question="Which products and places does this message to a help desk name?",
    labels={"product": "a device or program by its name", "place": "a room, building or town"},
    subjects="printers, telephones, travel, meeting rooms, software",
    seed=(
        {"text": "The Lumo 400 in Cedar Hall is jammed again.",
         "entities": [{"start": 4, "end": 12, "label": "product"}, {"start": 16, "end": 26, "label": "place"}]},
        {"text": "Since the move to Brighton nobody can open Tally.",
         "entities": [{"start": 18, "end": 26, "label": "place"}, {"start": 43, "end": 48, "label": "product"}]},
    ),
    test=(
        {"text": "Please bring a spare Lumo 400 to the Oak Room.",
         "entities": [{"start": 21, "end": 29, "label": "product"}, {"start": 37, "end": 45, "label": "place"}]},
        {"tokens": ["Is", "anyone", "in", "today", "?"], "tags": ["O", "O", "O", "O", "O"]},
    ),
)  # fmt: skip


class Columns(BaseModel):
    model_config = ConfigDict(extra="forbid")
    text: str = "text"
    entities: str = "entities"
    tokens: str = "tokens"
    tags: str = "tags"


class Spec(classification.Labelled):
    """The fields of a ner task.yaml."""

    least: ClassVar[int] = 1
    kind: str = KIND
    columns: Columns = Field(default_factory=Columns)

    @field_validator("labels")
    @classmethod
    def _not_outside(cls, value: dict[str, str | None]) -> dict[str, str | None]:
        if OUTSIDE in value:
            raise ValueError(f"labels other than {OUTSIDE!r}, which stands for no entity")
        return value


def read(spec: Mapping[str, Any], file: Path) -> Task:
    """The task that `spec` (the content of `file`) describes, with its data.

    Raises:
        UserError: every fault of the fields; then every fault of the data.
    """
    return classification.read_with(classification.checked(Spec, spec, file), _examples, file, ("text",), spans=True)


def example(place: str, row: Mapping[str, Any], labels: Mapping[str, str]) -> Example:
    """The labelled example of a row. Raises UserError where it is none."""
    return classification.only(_examples([(place, dict(row))], Columns().model_dump(), labels, True))


def said(text: str, outputs: Outputs, labels: Sequence[str]) -> Example:
    """The entities of the likeliest tags that are entities at all."""
    count = len(encoded(text, (), labels))  # one a word
    return _example(text, decoded(text, likeliest(outputs[:count]), labels))


def likelihood(answer: Example, outputs: Outputs, labels: Sequence[str]) -> float:
    """How likely the student holds these entities (see tasks/spans.py)."""
    return likelihood_of(answer.text, answer.entities or (), outputs, labels)


def target(answer: Example, labels: Sequence[str]) -> tuple[tuple[float, ...], ...]:
    """(W, T): the tag of each word, one-hot."""
    size = len(tags(labels))
    rows = [tuple(float(tag == place) for place in range(size)) for tag in range(size)]
    return tuple(rows[tag] for tag in encoded(answer.text, answer.entities or (), labels))


def examined(
    gold: Sequence[Example], said: Sequence[Example], labels: Sequence[str]
) -> tuple[dict[str, Any], dict[str, list[int]]]:
    """Micro-F1 of entities and the same per type (seqeval), partial matches (nervaluate), mistakes by kind and type;
    `accuracy` is the share of texts whose entities are exactly right.

    Of each text: how many entities it has, how many were said, how many of these are right. Micro-F1 is twice the sum
    of the last over the sum of the others.
    """
    pairs = [(one.text, one.entities or (), other.entities or ()) for one, other in zip(gold, said, strict=True)]
    names = tags(labels)
    right = [[names[tag] for tag in encoded(text, mine, labels)] for text, mine, _ in pairs]
    given = [[names[tag] for tag in encoded(text, theirs, labels)] for text, _, theirs in pairs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a type without an entity has F1 0, as everywhere
        report = classification_report(right, given, output_dict=True, zero_division=0)
    found = Counter((error.label, error.kind) for _, mine, theirs in pairs for error in errors(mine, theirs))
    micro = report["micro avg"]
    metrics = {
        "n": len(pairs),
        "accuracy": sum(mine == theirs for _, mine, theirs in pairs) / max(1, len(pairs)),
        "micro_precision": float(micro["precision"]),
        "micro_recall": float(micro["recall"]),
        "micro_f1": float(micro["f1-score"]),
        "per_class": {label: _scores(report.get(label)) for label in labels},
        "partial": _partial(right, given, labels),
        "errors": {label: {kind: found[label, kind] for kind in KINDS} for label in labels},
    }
    answers = {
        "gold": [len(mine) for _, mine, _ in pairs],
        "predicted": [len(theirs) for _, _, theirs in pairs],
        "right": [len(set(mine) & set(theirs)) for _, mine, theirs in pairs],
    }
    return metrics, answers


def _scores(row: Mapping[str, Any] | None) -> dict[str, float | int]:
    """Precision, recall, F1 and support of one type; zeros where seqeval saw none of it."""
    row = row or {"precision": 0.0, "recall": 0.0, "f1-score": 0.0, "support": 0}
    scores: dict[str, float | int] = {name: float(row[name]) for name in ("precision", "recall")}
    return {**scores, "f1": float(row["f1-score"]), "support": int(row["support"])}


def _partial(gold: list[list[str]], said: list[list[str]], labels: Sequence[str]) -> dict[str, float]:
    """F1 of SemEval-2013 task 9: `partial` (half a point for borders that overlap), `exact` (borders, whatever the
    type) and `ent_type` (type, where borders overlap)."""
    if not any(tag != OUTSIDE for row in (*gold, *said) for tag in row):
        return dict.fromkeys(("partial", "exact", "ent_type"), 0.0)
    overall = Evaluator(gold, said, tags=list(labels), loader="list").evaluate()["overall"]
    return {name: float(overall[name].f1) for name in ("partial", "exact", "ent_type")}


def _example(text: str, entities: Sequence[Entity]) -> Example:
    return Example(text, standing_for(entities), tuple(entities))


def _examples(
    rows: Rows, columns: Mapping[str, str], labels: Mapping[str, str], labelled: bool
) -> tuple[list[Example], list[Fault]]:
    examples, faults = [], []
    for place, row in rows:
        if columns["tokens"] in row and columns["text"] not in row:
            text, entities, found = _of_tokens(place, row, columns, labels)
        else:
            text, entities, found = _of_text(place, row, columns, labels)
        if not found and entities is None and labelled:
            expected = f"{columns['entities']!r} beside a text, or {columns['tags']!r} beside tokens"
            found = [Fault(place, expected, "none", "Add them: an empty list where there is no entity.")]
        if found:
            faults += found
        else:
            examples.append(Example(text, None) if entities is None else _example(text, entities))
    return examples, faults


Read = tuple[str, tuple[Entity, ...] | None, list[Fault]]
"""A text, its entities (None where the row has none), and what is wrong with them."""


def _of_text(place: str, row: Mapping[str, Any], columns: Mapping[str, str], labels: Mapping[str, str]) -> Read:
    text, given = row.get(columns["text"]), row.get(columns["entities"])
    if columns["text"] not in row:
        remedy = f"Fields there: {', '.join(map(str, row))}. Set `columns`."
        return "", None, [Fault(place, f"a field {columns['text']!r} or {columns['tokens']!r}", "none", remedy)]
    if not isinstance(text, str) or not text.strip():
        return "", None, [Fault(place, "a text", quoted(text), "Fill it in or remove the row.")]
    if given is None:
        return text, None, []
    if not isinstance(given, list):
        remedy = 'e.g. [{"start": 0, "end": 4, "label": "…"}].'
        return text, None, [Fault(place, "a list of entities", quoted(given), remedy)]
    faults = [fault for one in given for fault in _entity_faults(place, text, one, labels)]
    if faults:
        return text, None, faults
    entities = ordered([Entity(one["start"], one["end"], str(one["label"])) for one in given])
    if (both := overlapping(entities)) is not None:
        got = " and ".join(f"{quoted(text[one.start : one.end], 40)} at {one.start}" for one in both)
        faults = [Fault(place, "entities that do not overlap", got, "Keep one of them.")]
    return text, entities, faults


def _entity_faults(place: str, text: str, given: Any, labels: Mapping[str, str]) -> list[Fault]:
    """What is wrong with one entity of a row; the first thing, since the others follow from it."""
    if not isinstance(given, dict) or any(type(given.get(name)) is not int for name in ("start", "end")):
        return [Fault(place, "an entity with whole numbers `start` and `end`", quoted(given), "Mend the entity.")]
    start, end, label = given["start"], given["end"], given.get("label")
    if not 0 <= start < end <= len(text):
        got = f"{start} to {end}, in a text of {len(text)} characters"
        return [Fault(place, "an entity that is in its text", got, "Count characters from 0; `end` is the one after.")]
    part = text[start:end]
    if "text" in given and given["text"] != part:
        remedy = "Mend its `start` and `end`."
        return [Fault(place, f"an entity {quoted(given['text'], 40)} at {start} to {end}", quoted(part, 40), remedy)]
    if str(label) not in labels:
        remedy = "Mend the row, or add the label to the task."
        return [Fault(place, f"a label of the task ({', '.join(labels)})", quoted(label), remedy)]
    if not whole(text, start, end):
        got = f"{quoted(part, 40)} at {start} to {end}"
        return [Fault(place, "an entity that begins and ends where words do", got, "Move its borders.")]
    return []


def _of_tokens(place: str, row: Mapping[str, Any], columns: Mapping[str, str], labels: Mapping[str, str]) -> Read:
    tokens, given = row[columns["tokens"]], row.get(columns["tags"])
    bare = isinstance(tokens, list) and all(isinstance(one, str) and one.split() == [one] for one in tokens)
    if not tokens or not bare:
        return "", None, [Fault(place, "tokens, none of them empty or with a space", quoted(tokens), "Mend the row.")]
    text = " ".join(tokens)
    if given is None:
        return text, None, []
    if not isinstance(given, list) or len(given) != len(tokens):
        got = f"{len(given)} tags" if isinstance(given, list) else quoted(given)
        return text, None, [Fault(place, f"a tag for each of {len(tokens)} tokens", got, "Mend the row.")]
    faults, entities, before, start = [], [], OUTSIDE, 0
    for number, (token, tag) in enumerate(zip(tokens, map(str, given), strict=True), 1):
        part, _, label = tag.partition("-")
        here = f"{place}: tag {number}"
        if tag != OUTSIDE and (part not in {"B", "I"} or label not in labels):
            known = f"{OUTSIDE}, B- or I- with a label of the task ({', '.join(labels)})"
            faults.append(Fault(here, known, quoted(tag), "Mend the row, or add the label to the task."))
        elif part == "I" and before not in {f"B-{label}", tag}:
            remedy = f"Every entity begins with B: write B-{label}."
            faults.append(Fault(here, f"B-{label} or {tag} before {tag}", quoted(before), remedy))
        elif part == "B":
            entities.append(Entity(start, start + len(token), label))
        elif part == "I" and entities:
            entities[-1] = Entity(entities[-1].start, start + len(token), label)
        before, start = tag, start + len(token) + 1
    return text, tuple(entities), faults
