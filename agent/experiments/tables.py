"""The table of a grid, as Markdown and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from agent.experiments.collect import SHARES, Row
from agent.experiments.statistics import Difference
from agent.report.markdown import escape, table
from agent.report.wording import DASH, METRICS, gain, number, points
from tasks import classification


def fields(metric: str) -> list[str]:
    """The columns of the CSV."""
    return [
        "task", "arm", "seeds", metric, "std", "teacher_tokens", "minus_control", "low", "high", "area",
        "tokens_to_end_of_control", *(f"tokens_to_{round(100 * share)}_percent_of_full_shot" for share in SHARES),
        "share_of_full_shot", "share_of_teacher_shot", "labels_right",
    ]  # fmt: skip


def metric_of(rows: Sequence[Row]) -> str:
    """The key of the result of all of them: a grid has one."""
    return rows[0].metric if rows else classification.METRIC


def sentence(metric: str) -> str:
    """What a metric is called, at the beginning of a sentence."""
    name = METRICS[metric]
    return name[0].upper() + name[1:]


def head(control: str, metric: str) -> list[str]:
    """The columns for a reader."""
    reach = [f"tokens to {control}'s end", *(f"tokens to {100 * share:.0f} % of full-shot" for share in SHARES)]
    return [
        "task", "arm", "seeds", METRICS[metric], f"minus {control} [95 %]", "tokens", "mean F1 over tokens", *reach,
        "% of full-shot", "% of teacher-shot", "labels right, %",
    ]  # fmt: skip


def difference(found: Difference) -> str:
    """A difference of scores with its interval, in points."""
    mean, low, high = (gain(0.0, value) for value in (found.mean, found.low, found.high))
    return f"{mean} [{low}, {high}]"


def cells(row: Row) -> list[str]:
    """A row for a reader, scores in points."""
    spread = f" ± {100 * row.std:.1f}" if row.std is not None else ""
    against = DASH if row.against is None else difference(row.against)
    return [
        row.task, row.arm.name, str(len(row.seeds)), points(row.mean) + spread, against, number(row.tokens),
        points(row.area), number(row.to_control), *(number(tokens) for tokens in row.to_shares), points(row.of_full),
        points(row.of_ceiling), points(row.right),
    ]  # fmt: skip


def markdown(rows: Sequence[Row], control: str, planned: int, finished: int) -> str:
    """The table, with a line that says what it shows and how much of the grid is done."""
    metric = metric_of(rows)
    names = head(control, metric)
    made = table(names, [[escape(cell) for cell in cells(row)] for row in rows], right=range(2, len(names)))
    said = (
        f"{sentence(metric)} on the test set in points, mean ± standard deviation over seeds; difference to {control} "
        "with a 95 % interval of a bootstrap paired by seed and test text; labels right: the teacher's, of pool texts "
        f"whose gold label is known (teacher_shot: the teacher's own accuracy); tokens to {control}'s end: until its "
        "mean last score is reached; a dash is not known or never reached. "
        f"{finished} of {planned} cells done."
    )
    return f"{made}\n\n{said}\n"


def comma_separated(rows: Sequence[Row]) -> str:
    """A line a row, scores 0 to 1, unknown fields empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(fields(metric_of(rows)))
    for row in rows:
        against = row.against
        minus = [against.mean, against.low, against.high] if against else [None, None, None]
        seeds = " ".join(map(str, row.seeds))
        writer.writerow([row.task, row.arm.name, seeds, row.mean, row.std, row.tokens, *minus, row.area,
                         row.to_control, *row.to_shares, row.of_full, row.of_ceiling, row.right])  # fmt: skip
    return text.getvalue()
