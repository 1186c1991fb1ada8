"""The weakness report of one iteration: what the student cannot do, and what is being done about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from agent.example import labels_of
from agent.report.answers import answer, by_source, by_type, free, hard_was_not_hard, pairs, room, spans, wrong
from agent.report.lessons import lessons
from agent.report.markdown import escape, table
from agent.report.progress import progress
from agent.report.record import IterationRecord, Row, RunRecord, read_record
from agent.report.wording import METRICS, analysis_silence, gain, percent, plural, points, probability
from agent.rundir import RunDir
from tasks.span_errors import KINDS
from tasks.task import RIGHT

WRONG_SHOWN = 40
PAIRS_SHOWN = 10
RIGHT_SHOWN = 3


def weakness_report(run: RunDir, iteration: int) -> str:
    """Markdown for a human with one minute. Parts that a run left out are named, never invented.

    Raises:
        UserError: a file of the run is there but cannot be read.
    """
    record = read_record(run)
    now = record.iteration(iteration)
    if now is None:
        return f"# Iteration {iteration}\n\nNot there yet: the run has not reached this iteration.\n"
    task = escape(record.config.get("task", "(unknown task)"))
    parts = [f"# {task}, iteration {iteration}: {'the start' if iteration == 0 else 'what is still wrong'}"]
    if iteration == 0:
        parts += [f"**{_start(record, now)}**", _seed(now), _asked(now), progress(record, 0)]
    else:
        parts += [f"**{_summary(record, now)}**", _wrong(record, now), _types(now), _right(now), _sources(now)]
        parts += [_analysis(record, now), lessons(record, now), progress(record, iteration)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _start(record: RunRecord, now: IterationRecord) -> str:
    seeds = "no seed examples" if not now.batch else plural(len(now.batch), "seed example")
    score = points((now.measured or {}).get("test", {}).get(record.metric))
    return f"The student started from {seeds} and reaches a test {METRICS[record.metric]} of {score}."


def _summary(record: RunRecord, now: IterationRecord) -> str:
    answers = now.predictions
    if answers is None:
        first = f"The student was not examined (evaluate: {record.absence('evaluate')})"
    else:
        missed = len(wrong(answers))
        first = f"Before training the student was wrong on {missed} of {plural(len(answers), 'text')}"
        mixed = pairs(answers)
        if mixed:
            often = ", no pair of labels more than once" if not spans(answers) else ", no mistake more than once"
            first += ", mostly " + _pair(*mixed[0]) if mixed[0][2] > 1 else often
    old = record.iteration(now.number - 1)
    before = ((old.measured if old else None) or {}).get("test", {}).get(record.metric)
    after = (now.measured or {}).get("test", {}).get(record.metric)
    if after is None:
        second = "the test score after training is not there yet"
    else:
        second = f"after training on them the test {METRICS[record.metric]} is {points(after)} ({gain(before, after)})"
        if (alone := now.self_training) is not None and not alone["taken"]:
            second += (
                f"; of the entities that it taught itself, {alone['taught']}, it then named {alone['said']}, so "
                "that student was not taken"
            )
        elif (own := (now.measured or {}).get("before_selftrain")) is not None:
            second += f", {points(own['test'][record.metric])} before the student learned its own labels of pool texts"
    return f"{first}; {second}."


def _pair(label: str, predicted: str, times: int) -> str:
    return f"{escape(label, 60)} → {escape(predicted, 60)} ({times})"


def _wrong(record: RunRecord, now: IterationRecord) -> str:
    title = "## What the student got wrong before training\n\n"
    if now.predictions is None:
        return f"{title}evaluate: {record.absence('evaluate')}."
    rows = wrong(now.predictions)
    if not rows:
        given = (
            "entities" if spans(now.predictions) else "answer, or one like it," if free(now.predictions) else "label"
        )
        return f"{title}Nothing: it gave the teacher's {given} for all {plural(len(now.predictions), 'text')}."
    mixed = pairs(now.predictions)
    more = f" · and {plural(len(mixed) - PAIRS_SHOWN, 'rarer pair')}" if len(mixed) > PAIRS_SHOWN else ""
    marked, own = spans(now.predictions), free(now.predictions)
    intro = "Entity → mistake: " if marked else "Teacher's label → student's answer: "
    intro = "Those least like the teacher's first." if own else intro
    intro += " · ".join(_pair(*pair) for pair in mixed[:PAIRS_SHOWN])
    wrote = any("written" in row for row in rows) and not own
    body = table(
        (
            "text",
            "teacher's entities" if marked else "teacher's answer" if own else "teacher's label",
            "student's answer",
            *(["what it wrote"] if wrote else []),
            "source",
        ),
        [
            (
                escape(row["text"]),
                escape(answer(row, "label"), room(row)),
                f"{escape(answer(row, 'predicted'), room(row))} ({probability(row['confidence'])})",
                *([_written(row)] if wrote else []),
                escape(row["source"]),
            )
            for row in rows[:WRONG_SHOWN]
        ],
    )
    what = "not all of the teacher's entities and no other" if marked else "not the teacher's label"
    what = f"chrF against the teacher's below {100 * RIGHT:.0f}" if own else what
    note = f"Wrong means: {what}. The teacher can be wrong too."
    if len(rows) > WRONG_SHOWN:
        note += f" {len(rows) - WRONG_SHOWN} more are in `{now.name}/predictions.jsonl`."
    return f"{title}{intro}{more}\n\n{body}\n\n{note}"


def _written(row: Row) -> str:
    """What the student wrote, and whether it came to an end."""
    return escape(row.get("written", ""), 300) + ("" if row.get("stopped", True) else " (cut)")


def _right(now: IterationRecord) -> str:
    rows = [row for row in now.predictions or () if row["correct"]]
    if not rows:
        return ""
    count = Counter(label for row in rows for label in labels_of(row))
    shown = ", ".join(f"{escape(label, 60)} {n}" for label, n in count.most_common(PAIRS_SHOWN))
    shaky = sorted(rows, key=lambda row: float(row["confidence"] or 0))[:RIGHT_SHOWN]
    listed = "\n".join(
        f"* “{escape(row['text'], 100)}”: {escape(answer(row, 'label'), room(row))} ({probability(row['confidence'])})"
        for row in shaky
    )
    head = f"{len(rows)} of {len(now.predictions or ())}: {shown}. The least sure of them:"
    return f"## What it got right\n\n{head}\n\n{listed}"


def _types(now: IterationRecord) -> str:
    """Of a task of spans: what it found of each entity type in the batch, and its mistakes by kind."""
    if not now.predictions or not spans(now.predictions):
        return ""
    found = by_type(now.predictions)
    names = ("entities", "right", *KINDS)
    body = table(
        ("type", *names),
        [(escape(label, 60), *(str(row[name]) for name in names)) for label, row in found.items()],
        right=range(1, 1 + len(names)),
    )
    note = "Missed: nothing was marked there. Invented: nothing is there. Boundary: right type, wrong borders. "
    note += "Type: an entity of another type. A mistake counts for the type that is right."
    return f"## By entity type and kind of mistake\n\n{body}\n\n{note}"


def _sources(now: IterationRecord) -> str:
    if not now.predictions:
        return ""
    rows = [
        (escape(source), str(tally.right), str(tally.n), percent(tally.right, tally.n))
        for source, tally in by_source(now.predictions).items()
    ]
    honest = hard_was_not_hard(now.predictions)
    body = table(("source", "right", "texts", "accuracy"), rows, right=(1, 2, 3))
    return f"## Accuracy by source\n\n{body}" + (f"\n\n**{honest}**" if honest else "")


def _analysis(record: RunRecord, now: IterationRecord) -> str:
    title = "## What the teacher makes of it\n\n"
    found = now.analysis
    if found is None:
        return f"{title}analysis: {record.absence('analyze')}."
    shown = f"It was shown {found.get('wrong_shown', 0)} wrong and {found.get('correct_shown', 0)} right answers."
    weaknesses: Sequence[Row] = found.get("weaknesses") or ()
    if not weaknesses:
        why = escape(analysis_silence(found.get("fault")))
        words = f"\n\nIts words: “{escape(found['text'], 600)}”" if found.get("text") else ""
        return f"{title}No weakness: {why}. {shown}{words}"
    rows = [
        (escape(item["pattern"]), escape(item["label"] or "any", 60), escape(item["advice"], 300))
        for item in weaknesses
    ]
    return f"{title}{table(('weakness', 'label', 'advice'), rows)}\n\n{shown}"


def _seed(now: IterationRecord) -> str:
    if not now.batch:
        return ""
    rows = [(escape(row["text"]), escape(answer(row, "label"), room(row))) for row in now.batch[:WRONG_SHOWN]]
    rest = len(now.batch) - len(rows)
    more = f"\n\n{rest} more are in `{now.name}/batch.jsonl`." if rest else ""
    head = ("text", "entities" if spans(now.batch) else "answer" if free(now.batch) else "label")
    return f"## Seed examples\n\n{table(head, rows)}{more}"


def _asked(now: IterationRecord) -> str:
    made = now.generated or ()
    lines = []
    if made:
        labels = Counter(str(row["intended"]) for row in made)
        sources = Counter(str(row["source"]) for row in made)
        by_label = ", ".join(f"{escape(label, 60)} {n}" for label, n in labels.most_common(20))
        kinds = ", ".join(f"{escape(source)} {n}" for source, n in sorted(sources.items()))
        lines.append(f"{plural(len(made), 'text')} generated ({kinds}), by intended label: {by_label}.")
    if now.sampled:
        lines.append(f"{plural(len(now.sampled), 'text')} taken from the pool.")
    asked = " ".join(lines) or "Nothing is there: no texts were generated or sampled for batch 1."
    return f"## What was asked first, for batch 1\n\n{asked}"
