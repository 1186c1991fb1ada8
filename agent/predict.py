"""predict: labels of texts by a run's student, from the run folder alone: the task may have changed or gone since."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from agent.config import read_recipe, resolve
from agent.rundir import RunDir, read_json
from agent.student.encoder import open_student
from agent.weights import fetch
from tasks.faults import Fault, UserError


def predictions(folder: Path, texts: Sequence[str]) -> Iterator[dict[str, Any]]:
    """A row a text: text, label, confidence, and the probability of every label.

    Raises:
        UserError: the folder holds no trained student, or there is no text.
    """
    run = RunDir.open(folder)
    trained = [path for it in run.iterations() for path in (it.adapter, it.self_adapter) if path.exists()]
    if not trained:
        remedy = f"`evokd resume {folder}` first."
        raise UserError(Fault(str(folder), "a trained student", "none yet", remedy))
    if not texts or not all(text.strip() for text in texts):
        got = "an empty one" if texts else "none"
        raise UserError(Fault("TEXTS", "at least one text, none of them empty", got, "Give texts, --file or stdin."))
    config = resolve(read_recipe(run.config), where=str(run.config))
    labels = list(read_json(run.identity)["labels"])
    student = open_student(config.student, labels, fetch(config.student.model))
    probabilities = student.predict(texts, trained[-1])  # (N, L)
    for text, row in zip(texts, probabilities, strict=True):
        best = int(row.argmax())
        yield {
            "text": text,
            "label": labels[best],
            "confidence": float(row[best]),
            "probabilities": {label: float(p) for label, p in zip(labels, row, strict=True)},
        }


def read_texts(file: Path | None) -> list[str]:
    """Texts of a file or of standard input: one a line, or the field `text` where lines are JSON objects."""
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
    return [_text(line, number, str(file or "stdin")) for number, line in enumerate(lines, 1)]


def _text(line: str, number: int, where: str) -> str:
    if not line.strip():
        raise UserError(Fault(f"{where}:{number}", "a text", "an empty line", "Remove it: a row a line is printed."))
    if not line.lstrip().startswith("{"):
        return line
    try:
        text = json.loads(line).get("text")
    except json.JSONDecodeError:
        return line
    if not isinstance(text, str) or not text.strip():
        raise UserError(Fault(f"{where}:{number}", "a field `text`", line[:60], "Fill it in."))
    return text
