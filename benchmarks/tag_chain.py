"""Claim: entities are better read as one chain of tags than word by word, from the same weights.

    python -m benchmarks.tag_chain RUN...

RUN: finished runs of a task of kind ner with entities in its pool. The last student of each, before it taught itself,
tags the pool's texts that it never learned; printed is F1 of whole entities (precision, recall) in three readings:
each word's likeliest tag; the likeliest tags in which no I goes on nothing; the chain (agent/student/transitions.py).
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agent.config import read_recipe, resolve
from agent.example import read_examples
from agent.report.markdown import table
from agent.report.wording import DASH, points
from agent.rundir import RunDir
from agent.student.opening import open_student
from agent.student.transitions import FILE
from agent.weights import fetch
from tasks import ner
from tasks.spans import decoded, words
from tasks.task import Example, Outputs, load_task

HEAD = ("run", "texts", "each word", "no I without a B", "as a chain")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    print(table(HEAD, [row(RunDir.open(folder)) for folder in parser.parse_args().runs]))


def row(run: RunDir) -> list[str]:
    config = resolve(read_recipe(run.config))
    task = load_task(config.task)
    labels, known = list(task.labels), {one.text for one in read_examples(run.history)}
    gold = [one for one in task.pool if one.entities is not None and one.text not in known]
    if not gold:  # full_shot learned them all
        return [run.root.name, "0", DASH, DASH, DASH]
    texts = [one.text for one in gold]
    student = open_student(config.student, labels, fetch(config.student.model), spans=True)
    trained = [one for one in run.iterations() if one.measured.exists()][-1].adapter
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(shutil.copytree(trained, Path(folder) / "adapter", ignore=shutil.ignore_patterns(FILE)))
        alone = student.predict(texts, bare)
    chain = student.predict(texts, trained)
    readings = (
        [by_word(text, one, labels) for text, one in zip(texts, alone, strict=True)],
        [ner.said(text, one, labels) for text, one in zip(texts, alone, strict=True)],
        [ner.said(text, one, labels) for text, one in zip(texts, chain, strict=True)],
    )
    return [run.root.name, str(len(gold)), *(scored(gold, said, labels) for said in readings)]


def by_word(text: str, outputs: Outputs, labels: Sequence[str]) -> Example:
    """The entities of each word's likeliest tag."""
    chosen = np.asarray(outputs)[: len(words(text))].argmax(axis=1).tolist()
    return Example(text, None, decoded(text, chosen, labels))


def scored(gold: Sequence[Example], said: Sequence[Example], labels: Sequence[str]) -> str:
    found = ner.examined(gold, said, labels)[0]
    precision, recall = points(found["micro_precision"]), points(found["micro_recall"])
    return f"{points(found['micro_f1'])} ({precision}, {recall})"


if __name__ == "__main__":
    main()
