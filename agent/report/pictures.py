"""The drawn sections of the page: markup from the record, or None where it has nothing to draw."""

from __future__ import annotations

from collections import Counter
from typing import Any

from markupsafe import Markup

from agent.report.answers import SOURCES
from agent.report.bars import COLOURS, histogram, stacked_bars
from agent.report.charts import Axis, Series, axis, line_chart, thinned
from agent.report.record import Row, RunRecord
from agent.report.wording import METRICS, probability

OTHER = "all other labels"


def curve(record: RunRecord) -> Markup | None:
    """Test and dev score and prequential accuracy over teacher tokens (over iterations if it has none)."""
    rows = [record.metrics[k] for k in sorted(record.metrics)]
    tokens = {row["iteration"]: record.tokens(row["iteration"]) or 0 for row in rows}
    by_tokens = len(rows) == 1 or len(set(tokens.values())) > 1

    def line(name: str, colour: str, key: str, score: str, light: bool = False) -> Series:
        found = [(row["iteration"], (row.get(key) or {}).get(score)) for row in rows]
        points = tuple((float(tokens[k] if by_tokens else k), float(y)) for k, y in found if y is not None)
        return Series(name, points, colour, light=light)

    lines = [
        line(f"test {METRICS[record.metric]}", "c0", "test", record.metric),
        line(f"dev {METRICS[record.metric]}", "c2", "dev", record.metric),
        line(
            "accuracy on the batch before training (prequential: not the result)",
            "c1",
            "prequential",
            "accuracy",
            True,
        ),
    ]
    drawn = [one for one in lines if one.points]
    if not drawn:
        return None
    x = axis(
        "teacher tokens" if by_tokens else "iteration",
        [px for one in drawn for px, _ in one.points],
        zero=True,
    )
    heights = [py for one in drawn for _, py in one.points]
    y = Axis("points, 0 to 100", max(0.0, min(heights) - 0.05), min(1.0, max(heights) + 0.05), 100)
    return line_chart(drawn, x, y, "scores over " + x.title)


def losses(record: RunRecord) -> Markup | None:
    """Training loss, a line an iteration: pale = first, full = last."""
    written = [(one.number, (one.training or {}).get("losses")) for one in record.iterations]
    found = [(number, values) for number, values in written if values]
    if not found:
        return None
    lines = [
        Series(
            f"iteration {number}", thinned(values), "c0", dots=len(values) == 1,
            strength=1.0 if len(found) == 1 else 0.25 + 0.75 * index / (len(found) - 1),
        )
        for index, (number, values) in enumerate(found)
    ]  # fmt: skip
    everything = [point for one in lines for point in one.points]
    x = Axis("step", 0.0, max(px for px, _ in everything) or 1.0)
    return line_chart(lines, x, axis("loss", [py for _, py in everything], zero=True), "training loss by step")


def balance(record: RunRecord, key: str) -> Markup | None:
    """Kept examples of each batch by `key`: "by_label" or "by_source". Beyond 8 the rarer are summed up."""
    rows = [(k, record.metrics[k]["counts"].get(key) or {}) for k in sorted(record.metrics)]
    total: Counter[str] = Counter()
    for _, counts in rows:
        total.update(counts)
    if not total:
        return None
    names = [name for name in (SOURCES if key == "by_source" else ()) if name in total]
    names += [name for name, _ in total.most_common() if name not in names]
    if len(names) > COLOURS:
        shown = names[: COLOURS - 1]
        rows = [(k, _folded(counts, shown)) for k, counts in rows]
        names = [*shown, OTHER]
    return stacked_bars([(f"iteration {k}", counts) for k, counts in rows], names)


def _folded(counts: Row, shown: list[str]) -> dict[str, int]:
    folded = {name: counts[name] for name in shown if name in counts}
    rest = sum(n for name, n in counts.items() if name not in shown)
    return {**folded, OTHER: rest} if rest else folded


def das(record: RunRecord) -> list[dict[str, Any]]:
    """For each iteration with scores: its histogram before and after selection, and both means."""
    found: list[tuple[int, list[Row]]] = []
    for one in record.iterations:
        rows = [row for row in one.scored or () if row["das"] is not None]
        if rows:
            found.append((one.number, rows))
    if not found:
        return []
    x = axis("DAS", [row["das"] for _, rows in found for row in rows])
    pictures = []
    for number, rows in found:
        everything = [float(row["das"]) for row in rows]
        kept = [float(row["das"]) for row in rows if row["kept"]]
        means = f"mean {probability(_mean(everything))} → {probability(_mean(kept))}"
        text = f"kept {len(kept)} of {len(everything)}, {means}"
        pictures.append({"iteration": number, "text": text, "picture": histogram(everything, kept, x, text)})
    return pictures


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def seconds(record: RunRecord) -> Markup | None:
    """Seconds in each node, a bar an iteration; beyond 8 nodes the quicker are summed up."""
    rows = [(k, record.metrics[k].get("seconds") or {}) for k in sorted(record.metrics)]
    total: Counter[str] = Counter()
    for _, spent in rows:
        total.update(spent)
    if not total:
        return None
    names = [name for name, _ in total.most_common()]
    if len(names) > COLOURS:
        shown = names[: COLOURS - 1]
        rest = "other nodes"
        rows = [
            (
                k,
                {
                    **{n: s for n, s in spent.items() if n in shown},
                    rest: sum(s for n, s in spent.items() if n not in shown),
                },
            )
            for k, spent in rows
        ]
        names = [*shown, rest]
    return stacked_bars([(f"iteration {k}", spent) for k, spent in rows], names, " s")
