"""label: candidates get their label in a separate call; agreement with the intended one is recorded.

EvoKD labels all it generates apart (arXiv 2403.06414). Here the label a text was written for is a second opinion, which
counts as much as the two have agreed so far; and once the teacher has shown that it writes what it was asked for, easy
texts keep that label: their tokens buy other texts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from langgraph.runtime import Runtime

from agent.answer_das import spelled_row
from agent.example import LabelledExample, read_examples, write_examples
from agent.rundir import put_drops, read_jsonl, write_json, write_jsonl
from agent.state import Context, State, TeacherLane
from agent.teacher.calibration import calibrate, label_weights
from agent.teacher.labelling import TeacherLabel, label_texts
from agent.teacher.marking import to_show
from agent.trust import DISAGREES, PROBE, agreement, enough, proven
from agent.valuation import product

SAME = "same_answer"
"""Reason of a drop: the teacher has answered the same before, when it was asked for several answers."""
CONTINUED = "continued"
"""Source of an example whose answer the student began (agent/nodes/begin.py)."""


def label(
    state: State, runtime: Runtime[Context], separate: bool, apart: Collection[str], agreeing: bool
) -> TeacherLane:
    """sampled + begun + generated → candidates of the next iteration. What nobody wrote is always labelled.

    Args:
        separate: Generated texts are labelled apart; else they keep the label they were written for, unasked.
        apart: Kinds for which that goes on when the teacher is proven (see trust.py).
        agreeing: The label a text was written for counts beside the separate one: its distribution is multiplied, or,
            where there is none, a text whose two labels differ is dropped. Else the separate one is taken.
    """
    context, iteration = runtime.context, state["iteration"]
    here, after = context.run.iteration(iteration), context.run.iteration(iteration + 1)
    generated = read_jsonl(here.generated)
    found = [{**row, "source": "pool", "intended": None} for row in read_jsonl(here.sampled)]
    found += [{**row, "source": CONTINUED, "intended": None} for row in read_jsonl(here.begun)]
    asked = [row for row in generated if separate and row["source"] in apart]
    kept = [] if separate else generated
    open_ = [row for row in generated if separate and row["source"] not in apart]
    if proven(context.run, iteration, context.task.choices):
        kept, open_ = open_, []
    rows = interleaved(found, [*asked, *open_[:PROBE]])
    rows = [row for row in rows for _ in range(context.config.batch.answers)]
    answers = ask(context, iteration, rows)
    if rest := open_[PROBE:]:
        if enough(*agreed_so_far(context, iteration, rows, answers), context.task.choices):
            kept = rest
        else:
            rows, answers = [*rows, *rest], [*answers, *ask(context, iteration, rest)]
    if context.config.teacher.calibrate:
        weights = label_weights(earlier_pool(context, iteration) + raw_of_pool(rows, answers))
        answers = answers if weights is None else [calibrated(answer, weights) for answer in answers]
    so_far = agreed_so_far(context, iteration, rows, answers)
    rate = agreeing_rate(*so_far, context.task.choices) if agreeing else None
    if context.task.written:
        answers = unlike(rows, answers)
    examples, drops = labelled(rows, answers, iteration + 1, rate, unasked=kept)
    if context.task.written:
        said = {(row["text"], *content(answer)): answer for row, answer in zip(rows, answers, strict=True)}
        write_jsonl(after.spelled, [spelled_row(e, said[e.text, *content(e)]) for e in examples])
    if context.task.spans:
        write_json(here.mentions, mentions(rows, answers, {example.text for example in examples}))
    write_examples(after.candidates, examples)
    write_examples(after.batch, examples)
    put_drops(here.dropped, "label", drops)
    ended = context.teacher.budget_ended or state.get("budget_ended")
    return {"waiting": len(examples), "budget_ended": ended}


def ask(context: Context, iteration: int, rows: Sequence[dict[str, Any]]) -> list[TeacherLabel]:
    """The teacher's label of each row's text."""
    texts, choices = [row["text"] for row in rows], [row.get("labels") for row in rows]
    batch = context.config.batch
    warm = float(batch.answers > 1) if batch.answer_temperature is None else batch.answer_temperature
    begun = [str(row.get("begun", "")) for row in rows]
    teacher, config, task = context.teacher, context.config.teacher, context.task
    examples = to_show(context.shots, config.entity_examples)
    return label_texts(teacher, config, task, texts, "label", iteration, choices, warm, begun, examples)


def content(one: TeacherLabel | LabelledExample) -> tuple[str | None, ...]:
    """What a written answer says."""
    return (one.label if isinstance(one, TeacherLabel) else one.teacher_label), one.reasoning, one.output


def unlike(rows: Sequence[dict[str, Any]], answers: Sequence[TeacherLabel]) -> list[TeacherLabel]:
    """The answers; one that says of the same text what another said before is none."""
    seen: set[tuple[str | None, ...]] = set()
    result = []
    for row, answer in zip(rows, answers, strict=True):
        key = (row["text"], *content(answer))
        again = answer.label is not None and key in seen
        result.append(TeacherLabel(None, None, None, SAME, answer.said) if again else answer)
        seen.add(key)
    return result


def agreed_so_far(
    context: Context, iteration: int, rows: Sequence[dict[str, Any]], answers: Sequence[TeacherLabel]
) -> tuple[int, int]:
    """(texts whose two labels agree, texts with two labels) of this run, these included."""
    agreed, asked = agreement(context.run, iteration)
    pairs = [(row["intended"], answer) for row, answer in zip(rows, answers, strict=True)]
    now = [intended in given.labels for intended, given in pairs if intended is not None and given.label is not None]
    return agreed + now.count(True), asked + len(now)


def agreeing_rate(agreed: int, asked: int, labels: int) -> float:
    """The share of texts whose two labels agree, chance where there are none (one more, and one miss more a label)."""
    return max(1 / labels, (agreed + 1) / (asked + labels))


def both(distribution: Mapping[str, float], intended: str, rate: float) -> dict[str, float]:
    """The separate label's distribution times that of the intended one: `rate` for it, the rest shared evenly."""
    said = np.array([list(distribution.values())])  # (1, L)
    rest = (1 - rate) / (len(distribution) - 1)
    meant = np.array([[rate if label == intended else rest for label in distribution]])
    return dict(zip(distribution, product(said, meant, 1.0)[0].tolist(), strict=True))


def earlier_pool(context: Context, iteration: int) -> list[Mapping[str, float]]:
    """The teacher's raw distributions for the pool texts of earlier iterations."""
    numbers = range(1, iteration + 1)
    examples = [e for k in numbers for e in read_examples(context.run.iteration(k).candidates)]
    return [e.teacher_raw for e in examples if e.source == "pool" and e.teacher_raw is not None]


def raw_of_pool(rows: Sequence[dict[str, Any]], answers: Sequence[TeacherLabel]) -> list[Mapping[str, float]]:
    """The same for the texts just labelled."""
    pairs = zip(rows, answers, strict=True)
    return [answer.raw for row, answer in pairs if row["source"] == "pool" and answer.raw is not None]


def calibrated(answer: TeacherLabel, weights: Mapping[str, float]) -> TeacherLabel:
    """The answer with its distribution calibrated, and the label that is then the likeliest."""
    if answer.label is None or answer.raw is None:
        return answer
    distribution = calibrate(answer.raw, weights)
    best = max(distribution, key=lambda label: distribution[label])
    return replace(answer, label=best, confidence=distribution[best], distribution=distribution)


def interleaved(one: Sequence[dict[str, Any]], other: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Both lists in turn, in proportion, so that a budget that ends early leaves some of each."""
    keyed = [
        (i / max(1, len(rows)), which, row) for which, rows in enumerate((one, other)) for i, row in enumerate(rows)
    ]
    return [row for _, _, row in sorted(keyed, key=lambda item: item[:2])]


def mentions(rows: Sequence[dict[str, Any]], answers: Sequence[TeacherLabel], kept: Collection[str]) -> dict[str, Any]:
    """The entities that the teacher named in the texts of `rows`: made = kept + dropped, and those without a place.

    `kept`: texts that became examples; what was placed in another is dropped with it ("text_dropped").
    """
    misplaced: list[dict[str, str]] = []
    dropped: Counter[str] = Counter()
    for row, answer in zip(rows, answers, strict=True):
        misplaced += [{"text": row["text"], **one} for one in answer.misplaced]
        if row["text"] not in kept and (lost := answer.mentions - len(answer.misplaced)):
            dropped["text_dropped"] += lost
    dropped.update(one["reason"] for one in misplaced)
    made = sum(answer.mentions for answer in answers)
    return {
        "made": made,
        "kept": made - dropped.total(),
        "dropped": dict(sorted(dropped.items())),
        "misplaced": misplaced,
    }


def labelled(
    rows: Sequence[dict[str, Any]], answers: Sequence[TeacherLabel], iteration: int, rate: float | None = None,
    unasked: Sequence[dict[str, Any]] = (),
) -> tuple[list[LabelledExample], list[dict[str, Any]]]:  # fmt: skip
    """Examples for the texts with a label, a drop for each of the others; `unasked` ones are what they were written
    for, and of the teacher's label, its confidence and agreement nothing is known.

    `rate`: how much the label a text was written for counts (see `both`); None = not at all.
    """
    examples: list[LabelledExample] = []
    drops: list[dict[str, Any]] = []
    for row, answer in zip(rows, answers, strict=True):
        if answer.label is None:
            drops.append({"reason": answer.fault, "text": row["text"], "detail": answer.said[:200] or None})
            continue
        intended, label = row["intended"], answer.label
        confidence, distribution = answer.confidence, answer.distribution
        if rate is not None and intended is not None and distribution is not None:
            distribution = both(distribution, intended, rate)
            label = max(distribution, key=distribution.__getitem__)
            confidence = distribution[label]
        elif rate is not None and intended is not None and intended not in answer.labels:
            given = ", ".join(answer.labels)
            drops.append({"reason": DISAGREES, "text": row["text"], "detail": f"{intended}, labelled {given}"})
            continue
        examples.append(
            LabelledExample(
                id=f"i{iteration:03d}-{len(examples):04d}",
                text=row["text"],
                label=label,
                iteration=iteration,
                source=row["source"],
                intended=intended,
                teacher_label=answer.label,
                teacher_confidence=confidence,
                teacher_distribution=distribution,
                teacher_raw=answer.raw,
                agrees=None if intended is None else intended in answer.labels,
                entities=answer.entities,
                reasoning=answer.reasoning,
                output=answer.output,
                begun=answer.begun or None,
            )
        )
    for row in unasked:
        name, label = f"i{iteration:03d}-{len(examples):04d}", row["intended"]
        examples.append(LabelledExample(name, row["text"], label, iteration, row["source"], intended=label))
    return examples, drops
