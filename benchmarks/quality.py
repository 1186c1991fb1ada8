"""Claim: what the loop is worth at equal teacher tokens, beside the controls and the two ceilings.

    python -m benchmarks.sets DATA sets                                   # task files of the public sets
    evokd ablate sets/*/task.yaml --recipe benchmarks/quality.yaml --budget-tokens 12000 --seeds 1..3 \\
          --strategies evokd,pool_random,static --runs GRID               # hours; resumes
    python -m benchmarks.quality keep GRID...     # its cells.jsonl → benchmarks/cells.jsonl, beside those kept before
    python -m benchmarks.quality table            # cells.jsonl → RESULTS.md, RESULTS.html; --readme: README's table too

cells.jsonl holds no text (agent/experiments/kept.py), so the tables, and other statistics too, can be made again from a
clone alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

from agent.baselines.strategy import find_strategy
from agent.experiments.cells import Arm, Grid
from agent.experiments.collect import Done, Row, rows
from agent.experiments.kept import SETTINGS, done_of
from agent.experiments.page import grid_page
from agent.experiments.statistics import Difference
from agent.experiments.tables import difference, markdown
from agent.report.markdown import table
from agent.report.wording import DASH, gain, number, points
from agent.rundir import read_jsonl, write_jsonl, write_text
from tasks import ner
from tasks.classification import METRIC

HERE = Path(__file__).parent
CELLS, PAGE, README = HERE / "cells.jsonl", HERE / "RESULTS.md", HERE.parent / "README.md"
CONTROL, WRITTEN = "pool_random", "static"
"""What the others are compared with, seed by seed and text by text: where there is a pool, and where all is written."""
NO_POOL = "_no_pool"
"""How the names of tasks without a pool end (benchmarks/sets.py)."""
USING_POOL = {"sample", "match", "selftrain"}
"""The parts of the graph that read pool texts."""
MARKS = ("<!-- benchmarks.quality -->", "<!-- /benchmarks.quality -->")
"""What stands between them in the README are the tables of strategies, with a pool and without."""
PARTS = ("<!-- benchmarks.parts -->", "<!-- /benchmarks.parts -->")
"""The same for the table of what each part of the loop is worth."""
ENTITIES = ("<!-- benchmarks.entities -->", "<!-- /benchmarks.entities -->")
"""And for the strategies on tasks of entities."""
BUDGET = 12_000
"""Teacher tokens of a cell of labels."""
WHOLE = "evokd"
OTHERS = ("seed_only", "zerogen", "auggpt", "evokd_literal", "static", "longest", "uncertainty", "pool_random")
"""What the loop is to beat; the best of them is chosen by looking, which is in their favour."""
IN_README = (*OTHERS, WHOLE, "teacher_shot", "full_shot")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    keeping = verbs.add_parser("keep", help="the finished cells of grids → cells.jsonl")
    keeping.add_argument("grids", nargs="+", type=Path)
    tabling = verbs.add_parser("table", help="cells.jsonl → RESULTS.md, RESULTS.html")
    tabling.add_argument("--readme", action="store_true", help="put the table of strategies into README.md too")
    given = parser.parse_args()
    if given.verb == "keep":
        keep(given.grids)
        return
    kept = read_jsonl(CELLS)
    write_text(PAGE, page(kept))
    done = [done_of(row) for row in kept]
    for name, control, some in groups(strategies(done)):
        write_text(HERE / f"{name}.html", grid_page(compared(some, control), some, control, len(some)))
    made = {MARKS: readme_table(of(METRIC, done)), PARTS: parts_table(of(METRIC, done))}
    if entities := of(ner.METRIC, done):
        made[ENTITIES] = readme_table(entities)
    if given.readme:
        for marks, text in made.items():
            put(text, README, marks)
    print("\n\n".join(made.values()))


def keep(grids: Sequence[Path]) -> None:
    """The rows of the grids' cells.jsonl, in the place of older ones of the same task, arm and seed."""
    kept = {key(row): row for file in (CELLS, *(grid / CELLS.name for grid in grids)) for row in read_jsonl(file)}
    write_jsonl(CELLS, [kept[name] for name in sorted(kept)])
    print(f"{CELLS.name}: {len(kept)} cells")


def key(row: dict[str, Any]) -> str:
    return json.dumps([row["task"], row["arm"], row["seed"]])


def groups(done: Sequence[Done]) -> Iterator[tuple[str, str, list[Done]]]:
    """Page, control and cells: of the tasks with a pool, of those without, and of those of entities, where any are."""
    texts = of(METRIC, done)
    for page, control, some in (
        ("RESULTS", CONTROL, [one for one in texts if not one.cell.task_name.endswith(NO_POOL)]),
        (f"RESULTS{NO_POOL}", WRITTEN, [one for one in texts if one.cell.task_name.endswith(NO_POOL)]),
        ("RESULTS_entities", CONTROL, of(ner.METRIC, done)),
    ):
        if some:
            yield page, control, some


def of(metric: str, done: Sequence[Done]) -> list[Done]:
    """The cells whose result is `metric`."""
    return [one for one in done if one.result["metric"]["name"] == metric]


def compared(done: Sequence[Done], control: str) -> list[Row]:
    """The area under a curve is up to BUDGET; runs of entities have budgets of their own, so none."""
    budget = None if of(ner.METRIC, done) else BUDGET
    return rows(Grid(tuple(one.cell for one in done), HERE, budget_tokens=budget), done, control)


def readme_table(done: Sequence[Done]) -> str:
    """For each group that has two strategies to compare: a row a task, a column a strategy, then the loop's difference
    to the control and to the best of the others, and the tokens after which it is where the control ends."""
    return "\n\n".join(
        made for _, control, some in groups(strategies(done)) if (made := strategies_table(some, control))
    )


def strategies_table(done: Sequence[Done], control: str) -> str:
    """The table of one group; "" where no task has two strategies."""
    found = {(row.task, row.arm.strategy): row for row in compared(done, control)}
    tasks = [task for task, names in groupby(sorted(found), key=lambda key: key[0]) if len(list(names)) > 1]
    names = [name for name in IN_README if any((task, name) in found for task in tasks)]
    lines: list[list[str]] = []
    margins: list[float] = []
    for task in tasks:
        whole = found.get((task, WHOLE))
        against = difference(whole.against) if whole and whole.against else DASH
        scores = [score(found.get((task, name))) for name in names]
        nearest = best_other([one for one in done if one.cell.task_name == task])
        told = f"{difference(nearest[1])} {nearest[0]}" if nearest else DASH
        lines.append([task, *scores, against, told, number(whole.to_control if whole else None)])
        margins += [100 * nearest[1].mean] if nearest else []
    head = ["task", *names, f"{WHOLE} minus {control} [95 %]", f"{WHOLE} minus the best other",
            f"{WHOLE}: tokens to {control}'s end"]  # fmt: skip
    if len(margins) > 1:
        mean = sum(margins) / len(margins)
        lines.append([f"mean of {len(margins)}", *[""] * len(names), "", gain(0.0, mean / 100), ""])
    return table(head, lines) if lines else ""


def best_other(done: Sequence[Done]) -> tuple[str, Difference] | None:
    """The strategy of OTHERS that the loop leads by least on one task, and by how much, on the seeds that both have."""
    found = []
    for name in OTHERS:
        pair = compared([one for one in done if one.cell.arm.strategy in (WHOLE, name)], name)
        found += [(name, row.against) for row in pair if row.arm.strategy == WHOLE and row.against]
    return min(found, key=lambda one: one[1].mean, default=None)


def score(row: Row | None) -> str:
    """`78.8 ± 1.6 (3)`: mean, standard deviation, number of seeds."""
    if row is None:
        return DASH
    spread = f" ± {100 * row.std:.1f}" if row.std is not None else ""
    return f"{points(row.mean)}{spread} ({len(row.seeds)})"


def strategies(done: Sequence[Done]) -> list[Done]:
    """The cells without an ablation or a changed setting; those of a task without a pool also as of the task with it,
    where their strategy never looks at one: its run is the same."""
    plain = [one for one in done if one.cell.arm == Arm(one.cell.arm.strategy)]
    tasks, there = {one.cell.task_name for one in plain}, {one.cell for one in plain}
    twins = [
        replace(one, cell=replace(one.cell, task=with_pool, task_name=with_pool))
        for one in plain
        if (with_pool := one.cell.task_name.removesuffix(NO_POOL)) in tasks and reads_no_pool(one)
    ]
    return plain + [twin for twin in twins if twin.cell not in there]


def reads_no_pool(one: Done) -> bool:
    """Whether the strategy of a cell leaves out all that reads pool texts."""
    return USING_POOL.issubset(find_strategy(one.cell.arm.strategy).without)


def parts_table(done: Sequence[Done]) -> str:
    """A row an ablation, a column a task: `75.5, −4.0 [−6.1, −1.9]`, the score and its difference to the whole loop
    on the same seeds; the first row is the whole loop on the seeds of its ablations."""
    mine = [one for one in done if one.cell.arm.strategy == WHOLE]
    tasks = sorted({one.cell.task_name for one in mine if one.cell.arm != Arm(WHOLE)})
    arms = list(dict.fromkeys(one.cell.arm for one in mine if one.cell.arm != Arm(WHOLE)))
    found: dict[tuple[str, Arm], str] = {}
    for task in tasks:
        here = [one for one in mine if one.cell.task_name == task]
        seeds = {one.cell.seed for one in here if one.cell.arm != Arm(WHOLE)}
        for row in compared([one for one in here if one.cell.seed in seeds], WHOLE):
            minus = "" if row.against is None else f", {difference(row.against)}"
            found[task, row.arm] = f"{points(row.mean)}{minus} ({len(row.seeds)})"
    named = [(Arm(WHOLE), "the whole loop"), *((arm, arm.name.removeprefix(f"{WHOLE} ")) for arm in arms)]
    lines = [[name, *(found.get((task, arm), DASH) for task in tasks)] for arm, name in named]
    return table(["loop", *tasks], lines)


def page(kept: Sequence[dict[str, Any]]) -> str:
    """RESULTS.md: the paired table, the scores by seed, and what all cells or each strategy had in common."""
    done = [done_of(row) for row in kept]
    versions = sorted({f"{name} {number}" for one in done for name, number in one.result["versions"].items()})
    settings = [[where, shared(where, kept)] for where in SETTINGS]
    return "\n\n".join([
        "# Results",
        "Written by `python -m benchmarks.quality table` from [cells.jsonl](cells.jsonl); curves over teacher tokens: "
        "[RESULTS.html](RESULTS.html). Without a pool of real texts, against `static`, in the second table; curves: "
        "[RESULTS_no_pool.html](RESULTS_no_pool.html). Entities, where there are any, in a third.",
        *(
            markdown(compared(some, control), control, len(some), len(some)).strip()
            for _, control, some in groups(strategies(done))
        ),
        "What each part of the loop is worth: the loop without it, macro-F1, in how far it differs from the whole loop "
        "[95 %], and the number of seeds:",
        parts_table(of(METRIC, done)),
        "F1 by seed, since rows of different seeds cannot be compared:",
        table(["task", "arm", "seeds", "F1 of each"], list(by_seed(done))),
        table(["setting", "value"], settings),
        f"Versions: {', '.join(versions)}. Machines: {'; '.join(sorted({row['machine'] for row in kept}))}.",
    ]) + "\n"  # fmt: skip


def by_seed(done: Sequence[Done]) -> Iterator[list[str]]:
    for (task, arm), group in groupby(done, key=lambda one: (one.cell.task_name, one.cell.arm)):
        runs = sorted(group, key=lambda one: one.cell.seed)
        seeds = ", ".join(str(one.cell.seed) for one in runs)
        yield [task, arm.name, seeds, ", ".join(points(one.score) for one in runs)]


def shared(where: str, kept: Sequence[dict[str, Any]]) -> str:
    """The value of a setting, or its values by strategy."""
    found: dict[str, set[str]] = {}
    for row in kept:
        value = row["settings"][where]
        found.setdefault(row["arm"]["strategy"], set()).add("none" if value is None else str(value))
    every = set().union(*found.values())
    if len(every) == 1:
        return every.pop()
    return ", ".join(f"{strategy} {' or '.join(sorted(values))}" for strategy, values in sorted(found.items()))


def put(made: str, readme: Path, marks: tuple[str, str]) -> None:
    """Puts a table between its marks in `readme`."""
    before, opening, rest = readme.read_text(encoding="utf-8").partition(marks[0])
    _, closing, after = rest.partition(marks[1])
    if not (opening and closing):
        sys.exit(f"{readme}: expected {marks[0]} and {marks[1]}, found them not; write them into it")
    readme.write_text(f"{before}{opening}\n{made}\n{closing}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
