"""Claim: the two lanes overlap. A run's wall time is the longer lane's, not the sum.

    python -m benchmarks.lanes [--student all-MiniLM-L6-v2]

A real student trains here; the teacher is a server that answers as slowly as a hosted model (0.6 s and 20 ms a
token) but uses no processor. Prints, for each iteration with both lanes, their seconds and the wall time of both.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from agent.plan import configure
from agent.progress import Progress
from agent.run import launch
from agent.rundir import RunDir, read_json, read_jsonl
from tests.fakes.fake_teacher import FakeTeacher
from tests.fakes.toy import toy_answer, write_toy


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--student", default="all-MiniLM-L6-v2")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        fake = FakeTeacher(toy_answer, latency=0.6, per_token=0.02)
        teacher = {"base_url": fake.base_url, "model": fake.model, "ledger": str(root / "ledger.sqlite")}
        teacher |= {"max_concurrency": 4}
        task = write_toy(root / "toy", pool=400)
        recipe = {"task": str(task), "iterations": 3, "teacher": teacher, "student": {"model": given.student}}
        launch(configure(recipe), root / "run", Progress())
        fake.close()
        show(RunDir(root / "run"))


def show(run: RunDir) -> None:
    """The table, and the ratio that the claim is about."""
    timings = read_jsonl(run.timings)
    print("| iteration | student lane, s | teacher lane, s | wall, s | wall / longer lane |")
    print("|---|---|---|---|---|")
    walls, longer = 0.0, 0.0
    for iteration in sorted({row["iteration"] for row in timings if row["lane"] == "teacher"}):
        rows = [row for row in timings if row["iteration"] == iteration and row["lane"] != "main"]
        sums = {lane: sum(row["seconds"] for row in rows if row["lane"] == lane) for lane in ("student", "teacher")}
        wall = max(row["started"] + row["seconds"] for row in rows) - min(row["started"] for row in rows)
        most = max(sums.values())
        print(f"| {iteration} | {sums['student']:.1f} | {sums['teacher']:.1f} | {wall:.1f} | {wall / most:.2f} |")
        walls, longer = walls + wall, longer + most
    seconds = read_json(run.result)["seconds"]
    print(f"\nboth lanes: {walls:.1f} s of wall for {longer:.1f} s of the longer lane: ratio {walls / longer:.2f}")
    print("result.json: " + ", ".join(f"{name} {value:.1f} s" for name, value in seconds.items()))


if __name__ == "__main__":
    main()
