"""Claim: numpy's bytes draw dropout masks faster than torch does on a CPU. Both ways in turn, as a ratio.

python -m benchmarks.train_speed      # MiniLM with LoRA, bundled pool texts; about two minutes on 2 cores
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from unittest.mock import patch

from agent.config import StudentConfig
from agent.student.opening import open_student
from agent.student.student import TrainRow
from agent.weights import fetch
from tasks.task import load_task

TEXTS, ROUNDS = 320, 3


def main() -> None:
    task = load_task("support_tickets")
    labels = list(task.labels)
    rows = [TrainRow(e.text, tuple(float(e.label == label) for label in labels)) for e in task.pool[:TEXTS]]
    config = StudentConfig(device="cpu", epochs=1, min_steps=1)
    student = open_student(config, labels, fetch(config.model))

    def seconds() -> float:
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            student.train(rows, Path(folder) / "adapter", None, seed=1)
            return time.perf_counter() - began

    seconds()
    ratios = []
    for _ in range(ROUNDS):
        with patch("agent.student.encoder.quicken"):
            slow = seconds()
        quick = seconds()
        ratios.append(quick / slow)
        print(f"torch's dropout {slow:.1f} s, numpy's {quick:.1f} s: ratio {quick / slow:.2f}", flush=True)
    print(f"median ratio {sorted(ratios)[ROUNDS // 2]:.2f}")


if __name__ == "__main__":
    main()
