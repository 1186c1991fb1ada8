"""A training in a new process writes the same bytes; importing the protocol alone brings no torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import torch

from agent.config import LoraSection, StudentConfig
from agent.student.opening import open_student
from agent.student.student import TrainRow
from tests.fakes.tiny_model import tiny_model

CONFIG = StudentConfig(device="cpu", dtype="float32", max_length=16, min_steps=4, epochs=1, lora=LoraSection(rank=2))
ROWS = [TrainRow("a good film", (0.1, 0.9)), TrainRow("a bad film", (1.0, 0.0), 0.5)]

SCRIPT = """
import sys
from pathlib import Path
import agent.student.student
assert "torch" not in sys.modules
import torch
torch.set_num_threads(int(sys.argv[3]))
from tests.student.test_fresh_process import train
train(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def train(weights: Path, adapter: Path) -> None:
    open_student(CONFIG, ("no", "yes"), weights).train(ROWS, adapter, None, seed=11)


def test_a_new_process_writes_the_same_bytes(tmp_path: Path) -> None:
    weights = tiny_model(tmp_path / "weights")
    torch.rand(5)
    before = torch.random.get_rng_state()
    train(weights, tmp_path / "here")
    assert torch.equal(torch.random.get_rng_state(), before)
    threads = str(torch.get_num_threads())
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", SCRIPT, str(weights), str(tmp_path / "there"), threads]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert done.stderr == ""
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes()
