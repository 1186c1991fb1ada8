"""Task kind `classification`: one text, one label of a fixed set. Data rows: {"text", "label"}."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

from tasks.data import read_rows, shortened, text_key
from tasks.faults import Fault, UserError, quoted
from tasks.task import Example, Outputs, Sample, Task, joined

KIND = "classification"
METRIC = "macro_f1"

Source = str | dict[str, str]
Rows = Sequence[tuple[str, dict[str, Any]]]
"""Rows of a file, each after its place."""
Reader = Callable[[Rows, Mapping[str, str], Mapping[str, str], bool], tuple[list[Example], list[Fault]]]
"""(rows, columns, labels, whether they must have a label) → examples, and a fault for every row that is none."""

LENGTHS = ("3 to 8 words", "one sentence", "two sentences", "a short paragraph")
REGISTERS = ("plain", "informal", "formal", "emotional", "terse, with a spelling mistake")

ALWAYS: Mapping[str, tuple[str, ...]] = {"length": LENGTHS, "register": REGISTERS}
"""What generated texts vary in whatever the task."""

SAMPLE = Sample(
    text="customer review        # what one text is",
    question="Is the customer satisfied?",
    labels={"satisfied": "would come back", "dissatisfied": "would not"},
    subjects="restaurant, hotel, mobile app, delivery, garage",
    seed=(
        {"text": "The staff remembered us, lovely evening.", "label": "satisfied"},
        {"text": "Two hours late and nobody called.", "label": "dissatisfied"},
    ),
    test=(
        {"text": "Quick, friendly, fair price.", "label": "satisfied"},
        {"text": "Broke on the second day.", "label": "dissatisfied"},
    ),
)


class Data(BaseModel):
    model_config = ConfigDict(extra="forbid")
    seed: Source
    test: Source
    dev: Source | None = None
    pool: Source | None = None


class Columns(BaseModel):
    model_config = ConfigDict(extra="forbid")
    text: str = "text"
    label: str = "label"


class Labelled(BaseModel):
    """The fields of a task.yaml of any kind whose examples are labelled, but for `columns`."""

    model_config = ConfigDict(extra="forbid")
    least: ClassVar[int] = 2
    """Labels that a task of this kind has at least."""
    name: str = Field(min_length=1)
    kind: str
    language: str = Field("English", min_length=1)
    text: str = Field("text", min_length=1)
    question: str = Field(min_length=1)
    labels: dict[str, str | None]
    attributes: dict[str, list[str]] = {}
    data: Data

    @field_validator("labels", mode="before")
    @classmethod
    def _labels(cls, value: Any) -> Any:
        """A list of labels, or a mapping of label to description."""
        if isinstance(value, list):
            if any(isinstance(label, dict | list) for label in value):
                raise ValueError("labels as a list of words, or as `label: description` without dashes")
            if len({str(label) for label in value}) < len(value):
                raise ValueError("labels that differ from one another")
            value = dict.fromkeys(value)
        if not isinstance(value, dict) or len(value) < cls.least:
            least = {1: "one label", 2: "two labels"}[cls.least]
            raise ValueError(f"at least {least}, as a list or as `label: description`")
        keys = [str(label).strip() for label in value]
        if "" in keys or len({key.casefold() for key in keys}) < len(keys):
            raise ValueError("labels that differ by more than upper and lower case")
        return {str(label).strip(): text for label, text in value.items()}

    @field_validator("attributes")
    @classmethod
    def _attributes(cls, value: dict[str, list[str]]) -> dict[str, list[str]]:
        if any(not choices for choices in value.values()):
            raise ValueError("at least one choice for each attribute")
        return value


class Spec(Labelled):
    """The fields of a classification task.yaml."""

    kind: str = KIND
    columns: Columns = Columns()


def read(spec: Mapping[str, Any], file: Path) -> Task:
    """The task that `spec` (the content of `file`) describes, with its data.

    Raises:
        UserError: every fault of the fields; then every fault of the data.
    """
    return read_as(Spec, ("text",), spec, file)


def read_as(model: type[Labelled], parts_of_text: tuple[str, ...], spec: Mapping[str, Any], file: Path) -> Task:
    """`read` for any kind whose examples are one or several texts with one label.

    Args:
        model: the fields of its task.yaml; `columns` names a column for each of `parts_of_text`, and for the label.
    """
    return read_with(checked(model, spec, file), partial(_examples, parts_of_text), file, parts_of_text)


def checked(model: type[Labelled], spec: Mapping[str, Any], file: Path) -> Labelled:
    """The fields of a task.yaml. Raises UserError with every fault."""
    try:
        return model.model_validate(spec)
    except ValidationError as error:
        raise UserError(*(_fault(detail, file, model) for detail in error.errors())) from error


def read_with(
    fields: Labelled,
    reader: Reader,
    file: Path,
    parts_of_text: tuple[str, ...],
    spans: bool = False,
    written: bool = False,
) -> Task:
    """The task of checked `fields`, its rows read by `reader`. Raises UserError with every fault of the data."""
    columns: dict[str, str] = fields.model_dump()["columns"]
    labels = {label: text or "" for label, text in fields.labels.items()}
    faults: list[Fault] = []
    notes: list[str] = []
    parts: dict[str, tuple[Example, ...]] = {"dev": (), "pool": ()}
    for part, source in fields.data.model_dump(exclude_none=True).items():
        where = f"{file}: data.{part}"
        try:
            rows = read_rows(source, file.parent, where)
        except UserError as error:
            faults += error.faults
            continue
        if not rows:
            remedy = "Add rows, or leave the field out." if part in {"dev", "pool"} else "Add rows."
            faults.append(Fault(where, "at least one row", "none", remedy))
        examples, found = reader(rows, columns, labels, part != "pool")
        parts[part] = _distinct(examples, part, notes)
        faults += shortened(found)
    if faults:
        raise UserError(*faults)
    attributes = dict(ALWAYS)
    attributes |= {name: tuple(choices) for name, choices in fields.attributes.items()}
    return Task(
        name=fields.name, kind=fields.kind, language=fields.language, text=fields.text,
        question=fields.question, labels=labels, attributes=attributes,
        seed=parts["seed"], dev=parts["dev"], pool=parts["pool"], test=parts["test"],
        notes=tuple(notes), fields=parts_of_text, spans=spans, written=written,
    )  # fmt: skip


def example(place: str, row: Mapping[str, Any], labels: Mapping[str, str]) -> Example:
    """The labelled example of a row. Raises UserError where it is none."""
    return example_as(("text",), Columns(), place, row, labels)


def example_as(
    parts: tuple[str, ...], columns: BaseModel, place: str, row: Mapping[str, Any], labels: Mapping[str, str]
) -> Example:
    """`example` for any kind whose examples are one or several texts with one label."""
    return only(_examples(parts, [(place, dict(row))], columns.model_dump(), labels, True))


def only(found: tuple[list[Example], list[Fault]]) -> Example:
    """The one example that was read, or its faults as a UserError."""
    examples, faults = found
    if faults:
        raise UserError(*faults)
    return examples[0]


def metrics(gold: Sequence[str], predicted: Sequence[str], labels: Sequence[str]) -> dict[str, Any]:
    """Accuracy, macro precision / recall / F1, the same per class, and the confusion matrix (rows = gold).

    A class without a gold example and without a prediction counts as 0 in the macro mean, as in scikit-learn.
    """
    names = list(labels)
    per = precision_recall_fscore_support(gold, predicted, labels=names, zero_division=0)
    precision, recall, f1, support = ([float(value) for value in column] for column in per)
    matrix = confusion_matrix(gold, predicted, labels=names).tolist()
    rows = zip(names, precision, recall, f1, support, strict=True)
    return {
        "n": len(gold),
        "accuracy": float(accuracy_score(gold, predicted)),
        "macro_precision": sum(precision) / len(names),
        "macro_recall": sum(recall) / len(names),
        "macro_f1": sum(f1) / len(names),
        "per_class": {name: {"precision": p, "recall": r, "f1": f, "support": int(s)} for name, p, r, f, s in rows},
        "confusion": {"labels": names, "matrix": matrix},
    }


def said(text: str, outputs: Outputs, labels: Sequence[str]) -> Example:
    """The likeliest label."""
    return Example(text, labels[int(outputs.argmax())])


def likelihood(answer: Example, outputs: Outputs, labels: Sequence[str]) -> float:
    """The student's probability of the label."""
    return float(outputs[labels.index(str(answer.label))])


def target(answer: Example, labels: Sequence[str]) -> tuple[float, ...]:
    """The label, one-hot."""
    return tuple(float(label == answer.label) for label in labels)


def likeness(said: Example, gold: Example) -> float:
    """1 where it is the same answer, else 0."""
    return float(said == gold)


def examined(
    gold: Sequence[Example], said: Sequence[Example], labels: Sequence[str]
) -> tuple[dict[str, Any], dict[str, list[int]]]:
    """`metrics`, and of each text the gold label and the student's, as indices of `labels`."""
    right, given = ([str(one.label) for one in examples] for examples in (gold, said))
    answers = {name: [labels.index(label) for label in row] for name, row in (("gold", right), ("predicted", given))}
    return metrics(right, given, labels), answers


def _examples(
    parts: Sequence[str], rows: Rows, columns: Mapping[str, str], labels: Mapping[str, str], labelled: bool
) -> tuple[list[Example], list[Fault]]:
    examples, faults = [], []
    for place, row in rows:
        values, label = [row.get(columns[part]) for part in parts], row.get(columns["label"])
        missing = [part for part in parts if columns[part] not in row]
        empty = [value for value in values if not isinstance(value, str) or not value.strip()]
        if missing:
            remedy = f"Fields there: {', '.join(map(str, row))}. Set `columns.{missing[0]}`."
            faults.append(Fault(place, f"a field {columns[missing[0]]!r}", "none", remedy))
        elif empty:
            faults.append(Fault(place, "a text", quoted(empty[0]), "Fill it in or remove the row."))
        elif label is None and labelled:
            remedy = "Fill it in, or set `columns.label`."
            faults.append(Fault(place, f"a label in {columns['label']!r}", "none", remedy))
        elif label is not None and str(label) not in labels:
            remedy = "Mend the row, or add the label to the task."
            faults.append(Fault(place, f"a label of the task ({', '.join(labels)})", quoted(label), remedy))
        else:
            texts = [str(value) for value in values]
            text = texts[0] if len(texts) == 1 else joined(texts)
            examples.append(Example(text, None if label is None else str(label)))
    return examples, faults


def _distinct(examples: Sequence[Example], part: str, notes: list[str]) -> tuple[Example, ...]:
    """In the pool a text counts once; elsewhere repeated texts are only told."""
    first: dict[str, Example] = {}
    for example in examples:
        first.setdefault(text_key(example.text), example)
    repeated = len(examples) - len(first)
    if repeated:
        done = "left out" if part == "pool" else "kept"
        notes.append(f"{part}: {repeated} texts repeat an earlier one ({done})")
    return tuple(first.values()) if part == "pool" else tuple(examples)


def _fault(detail: Any, file: Path, model: type[Labelled]) -> Fault:
    place = f"{file}: " + ".".join(str(part) for part in detail["loc"] if part not in {"str", "dict[str,str]"})
    if detail["type"] == "missing":
        return Fault(place, "a value", "nothing", "Add the field.")
    if detail["type"] == "extra_forbidden":
        first = model.model_fields.get(str(detail["loc"][0]))
        section = None if first is None else first.annotation
        known = (section if isinstance(section, type) and issubclass(section, BaseModel) else model).model_fields
        return Fault(place, "a known field", quoted(detail["loc"][-1]), f"Known fields: {', '.join(known)}.")
    message = str(detail["msg"]).removeprefix("Input should be ").removeprefix("Value error, ")
    return Fault(place, message, quoted(detail["input"]), "Change the value.")
