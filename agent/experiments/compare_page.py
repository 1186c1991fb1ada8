"""What a comparison shows: its tables, the same for the screen and for a page with the runs' curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from agent.experiments.compare import READ, SHOWN
from agent.experiments.statistics import Difference
from agent.experiments.tables import difference, sentence
from agent.report import charts
from agent.report.bars import COLOURS, colour
from agent.report.wording import DASH, METRICS, clip, money, number, plural, points
from tasks.task import RIGHT

OUTCOMES = {
    "lost": "right → wrong",
    "gained": "wrong → right",
    "both_right": "both right",
    "both_wrong": "both wrong",
}
"""What became of a test text, in words."""
TEXT = 120
"""Characters of a test text on a screen."""


@dataclass(frozen=True)
class Table:
    """Cells are one line each; `explained` is what the columns are, or why there is no row."""

    title: str
    head: tuple[str, ...]
    rows: list[list[str]]
    explained: str


def tables(found: Mapping[str, Any], longest: int = TEXT) -> list[Table]:
    """The tables of what `compare` found, test texts cut to `longest` characters."""
    meant = [_meant(found)] if found["bertscore"] is not None else []
    return [_runs(found), *meant, _became(found), _settings(found), _to_read(found, longest)]


def _runs(found: Mapping[str, Any]) -> Table:
    seeds = list(dict.fromkeys(str(run["seed"]) for run in found["runs"]))
    explained = (
        f"{sentence(found['metric'])} of the last student on {plural(found['texts'], 'test text')}, in points. minus "
        "first: the difference to the first run, with a 95 % interval of a bootstrap paired by test text. It covers "
        "what other test texts would change, not what another seed would."
    )
    if len(seeds) > 1:
        explained += f" The runs differ in seed ({', '.join(seeds)}): a part of the difference may be the seeds' alone."
    head = (
        "run", "strategy", "without", "seed", "shots", "student", f"test {METRICS[found['metric']]}",
        "minus first [95 %]", "teacher tokens", "cost", "seconds",
    )  # fmt: skip
    return Table("Runs", head, [_facts(run) for run in found["runs"]], explained)


def _facts(run: Mapping[str, Any]) -> list[str]:
    against, cost = run["difference"], run["cost"]
    return [
        clip(run["name"]), run["strategy"], ", ".join(run["without"]) or DASH, str(run["seed"]), str(run["shots"]),
        clip(run["student"], 60), points(run["test"]), DASH if against is None else difference(Difference(**against)),
        number(run["teacher_tokens"]), DASH if cost is None else money(cost), number(run["seconds"]),
    ]  # fmt: skip


def _meant(found: Mapping[str, Any]) -> Table:
    scores = found["bertscore"]
    rows = []
    for run, one in zip(found["runs"], scores["runs"], strict=True):
        against = one["difference"]
        minus = DASH if against is None else difference(Difference(**against))
        rows.append([clip(run["name"]), points(one["f1"]), minus])
    explained = (
        f"Mean F1 of BERTScore by {scores['model']}, in points: how alike an answer and the right one are by the "
        "vectors of their tokens. Scores by another model cannot be compared with it."
    )
    if scores["cut"]:
        explained += f" Of {plural(scores['cut'], 'text')} only the beginning was read."
    return Table("Meaning", ("run", "BERTScore", "minus first [95 %]"), rows, explained)


def _became(found: Mapping[str, Any]) -> Table:
    rows = [[clip(one["name"]), *(number(one[name]) for name in OUTCOMES)] for one in found["against_first"]]
    explained = f"How many of the {number(found['texts'])}, from the first run to this one."
    if found["metric"] == "micro_f1":
        explained += " A text is right where all of its entities were found and nothing else."
    if found["metric"] == "chrf":
        explained += f" A text is right where the answer's chrF is at least {100 * RIGHT:.0f}."
    return Table("Test texts, from the first run", ("run", *OUTCOMES.values()), rows, explained)


def _settings(found: Mapping[str, Any]) -> Table:
    rows = [[name, *map(_value, values)] for name, values in found["settings"].items()]
    explained = f"From config.yaml, and the versions from run.json; {DASH}: not set. All others are the same."
    head = ("setting", *(clip(run["name"]) for run in found["runs"]))
    return Table("Settings that differ", head, rows, explained if rows else "None differs.")


def _value(value: Any) -> str:
    if value is None or value == []:
        return DASH
    return clip(", ".join(map(str, value)) if isinstance(value, list) else value, 80)


def _to_read(found: Mapping[str, Any], longest: int) -> Table:
    rows = [
        [
            clip(one["name"]), OUTCOMES[name], str(text["index"]),
            *(_known(text[key], longest // 2) for key in ("gold", "first", "this")), _known(text["text"], longest),
        ]
        for one in found["against_first"] for name in READ for text in one["examples"][name]
    ]  # fmt: skip
    explained = f"By rule, not by hand: the first {SHOWN} of each in a shuffle seeded by the task's name. row: of the "
    explained += "test data, from 0."
    if not found["data_there"]:
        explained += " The data are gone or have changed since, so no text can be shown."
    head = ("run", "what became of it", "row", "right answer", "the first run's", "this run's", "text")
    return Table("Test texts to read", head, rows, explained if rows else "Both runs have every text right.")


def _known(value: str | None, longest: int) -> str:
    return DASH if value is None else clip(value, longest)


def compare_page(found: Mapping[str, Any]) -> str:
    """The HTML, one file that needs nothing else: the tables, and all curves in one chart."""
    folders = [Path(__file__).parent, Path(charts.__file__).parent]
    pages = Environment(
        loader=FileSystemLoader(folders), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    first, *others = tables(found, longest=400)
    return pages.get_template("compare.jinja").render(
        task=clip(found["task"], 120), count=len(found["runs"]), runs=first, others=others, curves=curves(found),
        score=METRICS[found["metric"]],
    )  # fmt: skip


def curves(found: Mapping[str, Any]) -> Markup | None:
    """The test score of every run over its teacher tokens, the first run on top; None where no run learned of any."""
    series = [
        charts.Series(
            clip(run["name"]),
            tuple((float(point["teacher_tokens"]), float(point["test"])) for point in run["curve"]),
            colour(place),
            light=place >= COLOURS - 1,
        )
        for place, run in enumerate(found["runs"])
        if run["curve"]
    ]
    tokens = [x for one in series for x, _ in one.points]
    heights = [y for one in series for _, y in one.points]
    if not any(tokens):
        return None
    score = METRICS[found["metric"]]
    x = charts.axis("teacher tokens", tokens, zero=True)
    y = charts.Axis(f"test {score} in points", max(0.0, min(heights) - 0.03), min(1.0, max(heights) + 0.03), 100)
    return charts.line_chart(series, x, y, f"test {score} of each run over teacher tokens")
