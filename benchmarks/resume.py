"""Claim: a real run killed in the middle of three nodes ends as the unbroken run, and no call is paid twice.

    python -m benchmarks.resume [TASK] [--recipe FILE]

The run is killed (SIGKILL) in generate, train and label, and resumed each time, on a ledger of its own. Then the same
run is made unbroken on the same ledger, which must answer everything, and every file is compared.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from agent.rundir import RunDir, read_json, read_jsonl

KILLS = (("generate", 0), ("train", 1), ("label", 1))
"""Killed while this node of this iteration works: after the node before it in its lane has ended."""
BEFORE = {"generate": "analyze", "train": "replay", "label": "generate"}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("task", nargs="?", default="avis_clients")
    parser.add_argument("--recipe", default=str(Path(__file__).with_name("first_run.yaml")))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        evokd = [sys.executable, "-m", "agent.cli"]
        start = [*evokd, "run", given.task, "--recipe", given.recipe, "--set", f"teacher.ledger={root}/ledger.sqlite"]
        command = [*start, "--run-dir", str(root / "cut")]
        for node, iteration in KILLS:
            kill_in(command, root / "cut", node, iteration)
            print(f"killed in {node} of iteration {iteration}", flush=True)
            command = [*evokd, "resume", str(root / "cut")]
        subprocess.run(command, check=True)
        sent = answered(root / "ledger.sqlite")
        subprocess.run([*start, "--run-dir", str(root / "whole")], check=True)
        cut, whole = read_json(root / "cut" / "result.json"), read_json(root / "whole" / "result.json")
        print(
            f"requests answered after the cut run: {sent}; after the unbroken run: {answered(root / 'ledger.sqlite')}"
        )
        print(f"unbroken run: {whole['teacher']['calls']} calls, {whole['teacher']['cached_calls']} from the ledger")
        print(f"curve of the cut run:      {json.dumps(cut['curve'])}")
        print(f"curve of the unbroken run: {json.dumps(whole['curve'])}")
        different = compare(RunDir(root / "cut"), RunDir(root / "whole"))
        print("files that differ: " + (", ".join(different) or "none"))
        sys.exit(bool(different) or cut["curve"] != whole["curve"])


def kill_in(command: list[str], folder: Path, node: str, iteration: int) -> None:
    """Runs `command` and kills it, and its local teacher with it, two seconds into the node."""
    process = subprocess.Popen(command)
    while process.poll() is None:
        ended = {(row["node"], row["iteration"]) for row in read_jsonl(folder / "timings.jsonl")}
        if (BEFORE[node], iteration) in ended and (node, iteration) not in ended:
            time.sleep(2)
            os.kill(process.pid, signal.SIGKILL)
            break
        time.sleep(0.2)
    process.wait()


def answered(ledger: Path) -> int:
    with sqlite3.connect(ledger) as database:
        return int(database.execute("SELECT COUNT(*) FROM requests WHERE response IS NOT NULL").fetchone()[0])


def compare(one: RunDir, other: RunDir) -> list[str]:
    """Names of the files of the iterations and of the history whose bytes differ."""
    names = {path.relative_to(one.root) for path in one.root.glob("iteration_*/**/*") if path.is_file()}
    names |= {Path("history.jsonl"), Path("seed.jsonl"), Path("graph.mmd")}
    names = {name for name in names if name.name != "weakness.md"}
    return sorted(str(n) for n in names if (one.root / n).read_bytes() != (other.root / n).read_bytes())


if __name__ == "__main__":
    main()
