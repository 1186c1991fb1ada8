"""Claim: what the loop is worth at equal teacher tokens, beside the controls and the two ceilings.

    python -m benchmarks.quality TASK... --seeds 1 2 3 --tokens 12000 --runs runs/quality     # hours; resumes
    python -m benchmarks.quality TASK... --runs runs/quality --table                          # what is done so far
    python -m benchmarks.quality TASK... --runs runs/quality --table \
           --write benchmarks/RESULTS.md --readme README.md      # and RESULTS.html; in the README its table alone

A cell is an ordinary `evokd run` in its own folder; a cell with a result.json is done, one without is resumed. The
ledger is shared, so a second strategy with the same request pays nothing for it and counts it as if paid. The row
"teacher" is the teacher's own accuracy: its labels of pool texts against the gold labels, which no run reads.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from agent.config import read_recipe
from agent.experiments.cells import Arm, make_grid
from agent.experiments.collect import finished, rows
from agent.experiments.page import grid_page
from agent.experiments.tables import markdown
from agent.rundir import RunDir, read_json, read_jsonl
from tasks.data import text_key
from tasks.task import load_task

STRATEGIES = ("seed_only", "pool_random", "static", "evokd", "full_shot", "teacher_shot")
UNLIMITED = {"seed_only", "full_shot", "teacher_shot"}
CONTROL = "pool_random"
"""What the others are compared with, seed by seed and text by text."""
MARKS = ("<!-- benchmarks.quality -->", "<!-- /benchmarks.quality -->")
"""What stands between them in the README is the table."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("tasks", nargs="+", help="bundled names or task.yaml files")
    parser.add_argument("--strategies", nargs="+", default=STRATEGIES)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--tokens", type=int, default=12_000)
    parser.add_argument("--runs", type=Path, default=Path("runs/quality"))
    parser.add_argument("--recipe", type=Path, help="laid under every cell")
    parser.add_argument("--set", dest="sets", action="append", default=[], help="as of evokd run, for every cell")
    parser.add_argument("--table", action="store_true", help="run nothing; print the table of what is done")
    parser.add_argument("--write", type=Path, help="write the table into this page too, with how it was measured")
    parser.add_argument("--readme", type=Path, help=f"put the table between {MARKS[0]} and {MARKS[1]} of this page")
    given = parser.parse_args()
    if not given.table:
        for seed in given.seeds:
            for task in given.tasks:
                for strategy in given.strategies:
                    cell(task, strategy, seed, given)
    made = table(given.tasks, given.strategies, given.runs)
    print(made)
    if given.readme:
        put(made, given.readme)
    if given.write:
        grid = make_grid(given.tasks, [Arm(name) for name in given.strategies], seeds(given.runs), given.runs)
        done = finished(grid)
        compared = rows(grid, done, CONTROL)
        paired = markdown(compared, CONTROL, len(grid.cells), len(done))
        given.write.write_text(page(made, paired, given.tasks, given.strategies, given.runs), encoding="utf-8")
        figures = given.write.with_suffix(".html")
        figures.write_text(grid_page(compared, done, CONTROL, len(grid.cells)), encoding="utf-8")


def put(made: str, readme: Path) -> None:
    """Puts the table between the MARKS of `readme`."""
    before, opening, rest = readme.read_text(encoding="utf-8").partition(MARKS[0])
    _, closing, after = rest.partition(MARKS[1])
    if not (opening and closing):
        sys.exit(f"--readme: expected {MARKS[0]} and {MARKS[1]} in {readme}, found them not; write them into it")
    readme.write_text(f"{before}{opening}\n{made}\n{closing}{after}", encoding="utf-8")


def seeds(runs: Path) -> list[int]:
    """The seeds of which anything is done."""
    return sorted({int(file.parent.name.rpartition("-s")[2]) for file in runs.glob("*-s*/result.json")})


def page(made: str, paired: str, tasks: list[str], strategies: list[str], runs: Path) -> str:
    """The table, and from the run folders what all cells or each strategy had in common."""
    names = [load_task(task).name for task in tasks]
    roots = [root for name in names for s in strategies for root in sorted(runs.glob(f"{name}-{s}-s*"))
             if (root / "result.json").exists()]  # fmt: skip
    configs = {root: read_recipe(root / "config.yaml") for root in roots}
    versions = sorted({f"{k} {v}" for root in roots for k, v in read_json(root / "run.json")["versions"].items()})
    lines = [
        "# Results",
        "Macro-F1 on the test set in points, mean ± standard deviation over the seeds that are done; a dash where none"
        " is. Written by `python -m benchmarks.quality TASK... --runs RUNS --table --write benchmarks/RESULTS.md`.",
        made,
        "By seed, since rows of different seeds cannot be compared:",
        by_seed(names, strategies, runs),
        f"Against {CONTROL} (the curves over teacher tokens, as pictures: [RESULTS.html](RESULTS.html)):",
        paired.strip(),
        "| setting | value |\n|---|---|",
    ]
    for where in ("shots", "test_limit", "budget.tokens", "teacher.model", "student.model", "student.max_steps",
                  "batch.hard", "batch.easy", "batch.pool"):  # fmt: skip
        lines[-1] += f"\n| {where} | {shared(where, configs)} |"
    lines.append(
        f"Versions: {', '.join(versions)}. Machine: {os.cpu_count()} cores, {platform.machine()}, no GPU used."
    )
    return "\n\n".join(lines) + "\n"


def by_seed(names: list[str], strategies: list[str], runs: Path) -> str:
    """A row a task and seed, a column a strategy."""
    lines = ["| task | seed | " + " | ".join(strategies) + " |", "|---" * (len(strategies) + 2) + "|"]
    for name in names:
        for seed in seeds(runs):
            files = [runs / f"{name}-{strategy}-s{seed}" / "result.json" for strategy in strategies]
            cells = [f"{100 * read_json(file)['metric']['test']:.1f}" if file.exists() else "–" for file in files]
            lines.append(f"| {name} | {seed} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def shared(where: str, configs: dict[Path, dict[str, Any]]) -> str:
    """The value of a setting, or its values by strategy."""
    found: dict[str, set[str]] = {}
    for config in configs.values():
        value: Any = config
        for part in where.split("."):
            value = value[part]
        found.setdefault(config["strategy"], set()).add("none" if value is None else str(value))
    every = set().union(*found.values())
    if len(every) == 1:
        return every.pop()
    return ", ".join(f"{strategy} {' or '.join(sorted(values))}" for strategy, values in sorted(found.items()))


def folder(runs: Path, task: str, strategy: str, seed: int) -> Path:
    return runs / f"{load_task(task).name}-{strategy}-s{seed}"


def cell(task: str, strategy: str, seed: int, given: argparse.Namespace) -> None:
    """Runs one cell, or goes on with it; nothing where it is done."""
    root = folder(given.runs, task, strategy, seed)
    if (root / "result.json").exists():
        return
    command = [sys.executable, "-m", "agent.cli"]
    if (root / "config.yaml").exists():
        command += ["resume", str(root)]
    else:
        command += ["run", task, "--strategy", strategy, "--seed", str(seed), "--run-dir", str(root)]
        command += ["--recipe", str(given.recipe)] if given.recipe else []
        if strategy not in UNLIMITED:
            command += ["--set", f"budget.tokens={given.tokens}", "--set", "iterations=100"]
        for item in given.sets:
            command += ["--set", item]
    print(f"== {root.name}", flush=True)
    done = subprocess.run(command, check=False)
    if done.returncode not in {0, 3}:
        sys.exit(f"{root.name}: exit code {done.returncode}; mend it and start again, what is done stays")


def table(tasks: list[str], strategies: list[str], runs: Path) -> str:
    """A row a strategy, a column a task: mean ± standard deviation of test macro-F1 over seeds, in points."""
    names = [load_task(task).name for task in tasks]
    lines = ["| strategy | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for strategy in strategies:
        cells = [scores(sorted(runs.glob(f"{name}-{strategy}-s*/result.json"))) for name in names]
        lines.append(f"| {strategy} | " + " | ".join(cells) + " |")
    lines.append("| teacher, accuracy of its labels | " + " | ".join(teacher(task, runs) for task in tasks) + " |")
    return "\n".join(lines)


def scores(files: list[Path]) -> str:
    """`81.3 ± 1.2 (3 seeds, 11,950 tokens)`; a dash where nothing is done."""
    if not files:
        return "–"
    results = [read_json(file) for file in files]
    values = [100 * result["metric"]["test"] for result in results]
    spread = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
    used = statistics.mean(r["teacher"]["prompt_tokens"] + r["teacher"]["completion_tokens"] for r in results)
    counted = f"{len(values)} seed{'s' if len(values) > 1 else ''}"
    return f"{statistics.mean(values):.1f}{spread} ({counted}, {used:,.0f} tokens)"


def teacher(task: str, runs: Path) -> str:
    """Share of the teacher's labels of pool texts that are gold, over all distinct texts labelled in these runs."""
    known = load_task(task)
    gold = {text_key(example.text): example.label for example in known.pool if example.label is not None}
    said: dict[str, str] = {}
    for root in runs.glob(f"{known.name}-*"):
        for row in read_jsonl(RunDir(root).history):
            if row["source"] == "pool":
                said[text_key(row["text"])] = row["teacher_label"]
    both = [gold[key] == label for key, label in said.items() if key in gold]
    return f"{100 * sum(both) / len(both):.1f} ({len(both)} texts)" if both else "–"


if __name__ == "__main__":
    main()
