"""A new task: a commented task.yaml with sample data, which runs as it is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from tasks.faults import Fault, UserError
from tasks.task import kind_module, unknown_kind

TASK = """\
# {name}: what is the question, and who will use the answer?
# Check it with `evokd plan {name}`; nothing is spent by that.
{field}
kind: {kind}
language: English            # of the texts the teacher will write
text: {text}
question: {question}
{labels}
# What the written texts vary in. `length` and `register` are there already; give the subjects of your own data.
attributes:
  subject: [{subjects}]

# JSONL, CSV, TSV or Parquet, relative to this file; or the arguments of datasets.load_dataset:
#   test: {{path: some/dataset, split: test}}
data:
  seed: seed.jsonl           # labelled examples; `shots` of each label are drawn (1 to 5 are enough)
  test: test.jsonl           # labelled; read to measure, by nothing else
  # dev: dev.jsonl           # labelled; optional
  # pool: pool.jsonl         # unlabelled real texts; optional, and worth a lot

# Names of the columns in the files, where they differ:
# columns: {{{columns}}}
"""

LABELS = """\

# Label: what it means, in the fewest words that settle doubtful cases (every word is sent with every text).
# Or just a list: labels: [{names}]
labels:
{labels}
"""
"""Of a task whose answers are not free."""


def write_task(folder: Path, kind: str) -> list[Path]:
    """Writes task.yaml, seed.jsonl and test.jsonl into the new folder; an existing one is refused."""
    if faults := unknown_kind(kind, folder / "task.yaml"):
        raise UserError(*faults)
    if folder.exists():
        raise UserError(Fault("NAME", "a new folder", f"{folder}, which exists", "Choose another name."))
    sample = kind_module(kind).SAMPLE
    folder.mkdir(parents=True)
    glosses = "\n".join(f"  {label}: {gloss}" for label, gloss in sample.labels.items())
    files = {
        "task.yaml": TASK.format(
            name=folder.name,
            field=yaml.safe_dump({"name": folder.name}, allow_unicode=True).strip(),
            kind=kind,
            text=sample.text,
            question=sample.question,
            subjects=sample.subjects,
            labels=LABELS.format(names=", ".join(sample.labels), labels=glosses) if glosses else "",
            columns=", ".join(f"{column}: {column}" for column in sample.seed[0]),
        ),
        "seed.jsonl": _lines(sample.seed),
        "test.jsonl": _lines(sample.test),
    }
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    return [folder / name for name in files]


def _lines(rows: Sequence[Mapping[str, str]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)
