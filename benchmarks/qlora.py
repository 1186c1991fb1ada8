"""Question: does QLoRA (NF4) take less memory than LoRA and learn as well? Each in its own process, on the same texts.

python -m benchmarks.qlora                  # SmolLM2-135M, support_tickets; on a GPU where there is one
python -m benchmarks.qlora --model qwen2.5-coder-0.5b-instruct --steps 100 --batch 16

Memory is the process's peak on a CPU (torch itself takes some 0.5 GB of it, told apart), of the GPU on a GPU.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="smollm2-135m-instruct")
    parser.add_argument("--steps", type=int, default=40, help="that see new texts; 40 are made at least, for 8 labels")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--method", choices=("lora", "qlora"), help="this one alone, as JSON")
    given = parser.parse_args()
    if given.method:
        print(json.dumps(measured(given.model, given.method, given.steps, given.batch)))
        return
    print("| method | device | before, GB | peak, GB | foretold, GB | steps a second | loss, first and last 5 |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for method in ("lora", "qlora"):
        command = [sys.executable, "-m", "benchmarks.qlora", "--model", given.model, "--method", method]
        command += ["--steps", str(given.steps), "--batch", str(given.batch)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        row = json.loads(done.stdout.splitlines()[-1])
        memory = " | ".join(f"{row[key] / 10**9:.2f}" for key in ("before", "peak", "foretold"))
        losses = f"{row['first']:.3f}, {row['last']:.3f}"
        print(f"| {method} | {row['device']} | {memory} | {row['rate']:.2f} | {losses} |", flush=True)


def measured(model: str, method: str, steps: int, batch: int) -> dict[str, float | str]:
    """One training of `steps` steps and what it took."""
    import torch

    from agent.config import StudentConfig
    from agent.footprint import least_bytes
    from agent.student.fits import counted
    from agent.student.opening import open_student
    from agent.student.student import TrainRow
    from agent.weights import fetch
    from tasks.task import load_task

    task = load_task("support_tickets")
    labels = list(task.labels)
    rows = [TrainRow(e.text, tuple(float(e.label == label) for label in labels)) for e in task.pool[: steps * batch]]
    settings = {"method": method, "batch_size": batch, "epochs": 1, "min_steps": 1, "max_steps": None}
    config = StudentConfig.model_validate({**settings, "learning_rate": 3e-4})
    before = peak()
    student = open_student(config, labels, fetch(model))
    gpu = student.device.startswith("cuda")
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        log = student.train(rows, Path(folder) / "adapter", None, seed=1)
        seconds = time.perf_counter() - began
        most = torch.cuda.max_memory_allocated() if gpu else peak()
        student.export(Path(folder) / "adapter", Path(folder) / "model")
        parameters = counted(Path(folder) / "model")
    foretold = least_bytes(parameters, config.method, 1 if gpu else 2, texts=batch)
    return {
        "device": torch.cuda.get_device_name() if gpu else "cpu",
        "before": 0 if gpu else before,
        "peak": most,
        "foretold": foretold,
        "rate": log.steps / seconds,
        "first": sum(log.losses[:5]) / len(log.losses[:5]),
        "last": sum(log.losses[-5:]) / len(log.losses[-5:]),
    }


def peak() -> int:
    """Bytes: the most that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
