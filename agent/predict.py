"""predict: labels of texts by a run's student, from the run folder alone: the task may have changed or gone since."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agent.config import read_recipe, resolve
from agent.rundir import RunDir, read_json
from agent.student.opening import open_student
from agent.weights import fetch
from tasks.faults import Fault, UserError
from tasks.spans import certainty
from tasks.task import Kind, Outputs, joined, kind_module

Given = tuple[str, str]
"""A line to be labelled, after its place, e.g. ("stdin:3", "a text")."""


def predictions(folder: Path, given: Sequence[Given]) -> Iterator[dict[str, Any]]:
    """A row a text: its fields, label, confidence, and the probability of every label; of a task of spans the entities,
    each with its own probability; of one whose answers are written out also what was written, and label null where it
    is no answer; of one whose answers are free what was written alone, and whether it came to an end.

    Raises:
        UserError: the folder holds no trained student, or there is no text, or one without all the fields.
    """
    run = RunDir.open(folder)
    trained = run.adapters()
    if not trained:
        remedy = f"`evokd resume {folder}` first."
        raise UserError(Fault(str(folder), "a trained student", "none yet", remedy))
    if not given:
        raise UserError(Fault("TEXTS", "at least one text", "none", "Give texts, --file or stdin."))
    config = resolve(read_recipe(run.config), where=str(run.config))
    birth = read_json(run.identity)
    labels, fields = list(birth["labels"]), list(birth.get("fields", ["text"]))
    rows = [fielded(one, fields) for one in given]
    spans = bool(birth.get("spans"))
    kind = str(birth["kind"])
    student = open_student(
        config.student,
        labels,
        fetch(config.student.model),
        len(fields) > 1,
        spans,
        kind if birth.get("written") else None,
    )
    texts = [joined(list(row.values())) if len(fields) > 1 else row["text"] for row in rows]
    probabilities = student.predict(texts, trained[-1])  # (N, L), of spans (N, W, T)
    if spans:
        of = kind_module(kind)
        yield from (marked(of, row["text"], one, labels) for row, one in zip(rows, probabilities, strict=True))
        return
    written = student.write(texts, trained[-1])
    if birth.get("free"):
        for said, row, one in zip(rows, probabilities, written, strict=True):
            yield {**said, "written": one.text, "stopped": one.stopped, "confidence": float(row[0])}
        return
    for number, (said, row) in enumerate(zip(rows, probabilities, strict=True)):
        best = int(row.argmax())
        yield {
            **said,
            **({"written": written[number].text} if written else {}),
            "label": labels[best] if row.any() else None,
            "confidence": float(row[best]),
            "probabilities": {label: float(p) for label, p in zip(labels, row, strict=True)},
        }


def marked(kind: Kind, text: str, outputs: Outputs, labels: Sequence[str]) -> dict[str, Any]:
    """The row of a text whose entities were marked. `outputs`: (W, T)."""
    found = kind.said(text, outputs, labels)
    entities = [
        {**asdict(one), "text": text[one.start : one.end], "confidence": certainty(text, one, outputs, labels)}
        for one in found.entities or ()
    ]
    return {"text": text, "entities": entities, "confidence": kind.likelihood(found, outputs, labels)}


def fielded(given: Given, fields: Sequence[str]) -> dict[str, str]:
    """The fields of one thing to label: of a line of JSON those it has, of any other line its text."""
    where, line = given
    row: Any = None
    if line.lstrip().startswith("{"):
        with suppress(json.JSONDecodeError):
            row = json.loads(line)
    if row is None and fields == ["text"]:
        row = {"text": line}
    wanted = " and ".join(f"`{field}`" for field in fields)
    if isinstance(row, dict) and isinstance(row.get("choices"), dict):
        row = {**row, **row["choices"]}
    if not isinstance(row, dict):
        example = json.dumps(dict.fromkeys(fields, "…"), ensure_ascii=False)
        raise UserError(Fault(where, f"a JSON object with {wanted}", line[:60], f"For example {example}."))
    for field in fields:
        if not isinstance(row.get(field), str) or not row[field].strip():
            what = "a text that is not empty" if fields == ["text"] else f"a field `{field}` with a text"
            raise UserError(Fault(where, what, line[:60] or "an empty line", f"Every row has {wanted}."))
    return {field: row[field] for field in fields}


def read_texts(file: Path | None) -> list[Given]:
    """The lines of a file or of standard input, each with its place."""
    try:
        if file is not None:
            content = file.read_text(encoding="utf-8")
        else:
            content = "" if sys.stdin.isatty() else sys.stdin.read()
    except (FileNotFoundError, IsADirectoryError):
        raise UserError(Fault("--file", "a file", str(file), "Check the path.")) from None
    except UnicodeDecodeError:
        remedy = "Convert it, e.g. `iconv -f latin1 -t utf-8`."
        raise UserError(Fault(str(file or "standard input"), "UTF-8 text", "other bytes", remedy)) from None
    lines = content.rstrip().split("\n") if content.strip() else []
    return [(f"{file or 'stdin'}:{number}", line) for number, line in enumerate(lines, 1)]
