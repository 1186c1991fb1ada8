"""Claim: a teacher names entities better when it is shown the seed examples, and what that costs.

    python -m benchmarks.marking TASK [--texts 40] [--examples 0,2,6] [--set teacher.base_url=URL]

TASK: of kind ner, with entities in its pool. The teacher marks the same pool texts with each number of seed examples
before it (`teacher.entity_examples`; the shortest of `shots` a label that have every label). Prints a row a number:
F1 of whole entities, texts that are exactly right of those that were kept, entities said a text, and tokens.
"""

from __future__ import annotations

import argparse
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import Any

from agent.config import BudgetConfig, RunConfig, resolve
from agent.report.markdown import table
from agent.report.wording import points
from agent.state import rng
from agent.teacher.labelling import label_texts
from agent.teacher.marking import to_show
from agent.teacher.teacher import Teacher, open_teacher
from tasks import ner
from tasks.faults import UserError
from tasks.task import Example, Task, load_task

HEAD = ("examples shown", "F1", "precision", "recall", "texts right, %", "said a text", "kept", "tokens a kept text")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("task")
    parser.add_argument("--texts", type=int, default=40)
    parser.add_argument("--examples", default="0,2,6", help="comma-separated")
    parser.add_argument("--set", action="append", default=[], metavar="a.b=c")
    given = parser.parse_args()
    try:
        config = resolve({"task": given.task}, given.set, "--set")
        task, shots = load_task(given.task).draw(config.shots, rng(config.seed, 0, "shots"))
        rows = measured(config, task, shots, given.texts, [int(number) for number in given.examples.split(",")])
        print(table(HEAD, list(rows)))
    except UserError as error:
        sys.exit(str(error))


def measured(
    config: RunConfig, task: Task, shots: Sequence[Example], size: int, numbers: Sequence[int]
) -> Iterator[list[str]]:
    """A row a number of examples shown."""
    known = (text for text in task.pool if text.entities is not None)
    gold = list(islice(known, size))
    for number in numbers:
        with closing(open_teacher(config.teacher, BudgetConfig(), f"marking-{uuid.uuid4().hex}")) as teacher:
            yield [str(number), *row(teacher, config, task, gold, to_show(shots, number))]


def row(
    teacher: Teacher, config: RunConfig, task: Task, gold: Sequence[Example], examples: Sequence[Example]
) -> list[str]:
    texts = [one.text for one in gold]
    answers = label_texts(teacher, config.teacher, task, texts, "benchmark", 0, examples=examples)
    pairs = [(one, answer) for one, answer in zip(gold, answers, strict=True) if answer.label is not None]
    said = [Example(one.text, answer.label, answer.entities) for one, answer in pairs]
    found: dict[str, Any] = ner.examined([one for one, _ in pairs], said, list(task.labels))[0]
    count = max(1, len(pairs))
    marks = sum(len(one.entities or ()) for one in said) / count
    tokens = teacher.usage().tokens / count
    return [points(found["micro_f1"]), points(found["micro_precision"]), points(found["micro_recall"]),
            points(found["accuracy"]), f"{marks:.2f}", f"{len(pairs)} of {len(gold)}", f"{tokens:,.0f}"]  # fmt: skip


if __name__ == "__main__":
    main()
