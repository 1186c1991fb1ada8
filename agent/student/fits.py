"""Whether a student fits into the memory that is free, told before it is loaded."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path

import psutil
import torch

from agent.footprint import Method, least_bytes
from agent.weights import CATALOGUE
from tasks.faults import Fault, UserError


def check_fits(weights: Path, method: Method, device: str) -> None:
    """Raises UserError where training the model of folder `weights` takes more memory than is free on `device`."""
    parameters = counted(weights)
    copies, free = (1, free_on_gpu(device)) if device.startswith("cuda") else (2, psutil.virtual_memory().available)
    needed = least_bytes(parameters, method, copies)
    if parameters and needed > free:
        expected = f"a model that trains in the {gigabytes(free)} free on {device}"
        got = f"{parameters / 10**6:,.0f} M parameters, which take at least {gigabytes(needed)} with {method}"
        raise UserError(Fault(f"student.model: {weights.name}", expected, got, what_fits(parameters, free, copies)))


def what_fits(parameters: int, free: int, copies: int) -> str:
    """The remedy: the same model by QLoRA, or the largest of the catalogue by LoRA."""
    if least_bytes(parameters, "qlora", copies) <= free:
        return "It fits with --set student.method=qlora, if it is a decoder."
    known = [one for one in CATALOGUE if least_bytes(one.parameters * 10**6, "lora", copies) <= free]
    if not known:
        return "No model of `evokd models` fits: free some memory."
    return f"{max(known, key=lambda one: one.parameters).name} fits; see `evokd models`."


def counted(weights: Path) -> int:
    """Parameters of a folder, by the headers of its safetensors files; 0 where it has none."""
    total = 0
    for path in weights.glob("*.safetensors"):
        with path.open("rb") as file:
            size = struct.unpack("<Q", file.read(8).ljust(8, b"\0"))[0]
            try:
                header = json.loads(file.read(min(size, path.stat().st_size)))
            except ValueError:
                return 0  # damaged; whoever loads it says how
        total += sum(math.prod(one["shape"]) for name, one in header.items() if name != "__metadata__")
    return total


def free_on_gpu(device: str) -> int:
    return int(torch.cuda.mem_get_info(torch.device(device))[0])


def gigabytes(size: int) -> str:
    return f"{size / 10**9:.1f} GB"
