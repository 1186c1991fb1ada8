"""The page of `evokd score`: DAS before and after the rule, and sentences to read. One HTML file by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from agent.report.bars import histogram
from agent.report.charts import Axis, axis
from agent.report.wording import DASH, clip, number, percent, probability

Row = Mapping[str, Any]
TO_READ = 5
"""Sentences of each class that are shown."""
CLASSES = ("teacher", "student", "shared")


def das_page(found: Row, rows: Sequence[Row], listed: str = "scored.jsonl", over: str = "evokd score") -> str:
    """The HTML. `found` as in score.json, `rows` as in the file `listed`; `over` stands above the title."""
    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    page = pages.get_template("das.jinja").render(
        found=found, pictures=pictures(rows), classes=classes(found), rules=rules(found),
        readings=[(name, to_read(name, rows)) for name in CLASSES],
        share=percent(found["kept"], found["made"]), file=clip(found["file"], 120),
        models=[clip(found["teacher"], 80), clip(found["student"], 80)], listed=listed, over=over,
    )  # fmt: skip
    return page.encode("utf-8", "replace").decode("utf-8")


def pictures(rows: Sequence[Row]) -> list[tuple[str, str, Markup]]:
    """(title, what it counts, histogram) of the share of teacher sentences (what an example contributes: seed figure of
    the method), of d, and of the length that a rule must not merely follow."""

    def drawn(title: str, note: str, name: str, x: Axis | None) -> tuple[str, str, Markup] | None:
        everything = [value for row in rows for value in _values(row, name)]
        kept = [value for row in rows if row["kept"] for value in _values(row, name)]
        if not everything:
            return None
        label = f"{title}: {len(kept)} of {len(everything)} kept"
        return title, note, histogram(everything, kept, x or axis(title, everything, zero=True), label)

    found = (
        drawn("share of teacher sentences", "examples", "ratio", Axis("share", 0.0, 1.0)),
        drawn("d = p(teacher) − p(student)", "sentences", "d", Axis("d", -1.0, 1.0)),
        drawn("length in characters", "examples", "length", None),
    )
    return [one for one in found if one is not None]


def _values(row: Row, name: str) -> list[float]:
    if name == "d":
        return [float(one["d"]) for one in row["sentences"] if one["d"] is not None]
    return [float(len(row["text"]) if name == "length" else row[name])]


def classes(found: Row) -> list[list[str]]:
    """Sentences of each class, a row a class: before the rule, after it, with their shares."""
    cells = []
    for name in found["before"]["sentences"]:
        counts = []
        for when in ("before", "after"):
            sentences = found[when]["sentences"]
            counts += [number(sentences[name]), percent(sentences[name], sum(sentences.values()))]
        cells.append([name, *counts])
    return cells


def rules(found: Row) -> list[list[str]]:
    """What each rule would keep of the same examples, a row a rule; first all of them."""
    cells = []
    for name, kept in {"all": found["before"], **found["rules"]}.items():
        sentences, examples = kept["sentences"], kept["examples"]
        each = f"{sentences['teacher'] / examples:.2f}" if examples else DASH
        share = percent(sentences["teacher"], sum(sentences.values()))
        cells.append([name, number(examples), each, share, probability(kept["d"]), number(kept["characters"])])
    return cells


def to_read(name: str, rows: Sequence[Row]) -> list[list[str]]:
    """Sentences of a class, evenly spaced by d from its highest to its lowest, so that none is chosen by hand."""
    found = [(row, one) for row in rows for one in row["sentences"] if one["of"] == name]
    found.sort(key=lambda pair: -pair[1]["d"])
    places = sorted({round(i * (len(found) - 1) / (TO_READ - 1)) for i in range(TO_READ)}) if found else []
    return [
        [
            clip(one["text"], 300), *(probability(one[key]) for key in ("p_teacher", "p_student", "d")),
            "yes" if row["kept"] else "no",
        ]
        for row, one in (found[place] for place in places)
    ]  # fmt: skip
