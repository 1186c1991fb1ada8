"""Which device and number format a student uses: by what the hardware is, measured, and recorded."""

from __future__ import annotations

import ctypes
import gc
import resource
import sys
import time
from dataclasses import dataclass
from functools import cache
from typing import Literal

import torch

from tasks.faults import Fault, UserError, quoted

Dtype = Literal["float32", "bfloat16"]
CLEARLY_FASTER = 1.5
"""bf16 is taken on a CPU only when its products are this many times faster than fp32."""


@dataclass(frozen=True)
class Hardware:
    """A choice that can be written to a run folder and given back through StudentConfig."""

    device: str
    """`cpu`, `cuda`, `cuda:1` or `mps`."""
    dtype: Dtype
    """Format of the products in training (autocast); weights and predictions are float32."""
    reason: str


def choose_hardware(device: str = "auto", dtype: str = "auto") -> Hardware:
    """The device and dtype to use; `auto` is resolved, anything else is checked and kept.

    Raises:
        UserError: the device does not exist here, or its name is not one.
    """
    chosen = _device(device)
    if dtype == "float32":
        return Hardware(chosen, "float32", "as configured")
    if dtype == "bfloat16":
        return Hardware(chosen, "bfloat16", "as configured")
    if chosen.startswith("cuda"):
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return Hardware(chosen, "bfloat16", "CUDA device with bf16")
        return Hardware(chosen, "float32", "CUDA device without bf16")
    if chosen == "mps":
        return Hardware(chosen, "float32", "MPS")
    if not cpu_has_bf16():
        return Hardware(chosen, "float32", "CPU without amx_bf16 or avx512_bf16")
    ratio = cpu_bf16_speedup()
    winner: Dtype = "bfloat16" if ratio > CLEARLY_FASTER else "float32"
    return Hardware(chosen, winner, f"CPU: bf16 products {ratio:.1f} times as fast as fp32")


def give_back_memory() -> None:
    """Collects models that only refer to themselves and hands the allocator's free pages to the system.

    Batches of many shapes leave glibc's heap in pieces: a process of 1 GB was seen to hold 3.
    """
    _spare_the_imported()
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries have none
        if trim is not None:
            trim(0)


def peak_memory(device: str) -> int:
    """The most bytes held so far: by tensors on a CUDA device, else by this process as a whole."""
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated(device)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most  # in bytes there, in KiB elsewhere


@cache
def _spare_the_imported() -> None:
    """Lets collections pass over what lives now: some million objects of torch and transformers, 0.3 s each time."""
    gc.collect()
    gc.freeze()


def cpu_has_bf16() -> bool:
    """Whether the CPU multiplies bf16 natively."""
    found = torch.cpu.get_capabilities()
    return any(bool(found.get(name)) for name in ("amx_bf16", "avx512_bf16", "bf16"))


@cache
def cpu_bf16_speedup() -> float:
    """Seconds of an fp32 matrix product over seconds of a bf16 one; measured once a process.

    The product is one of a small encoder's, 512 tokens by a feed-forward layer: smaller ones say too little of it (256
    × 256: 1.3 times where this one is 2.5 times as fast and a training step 1.5 times).
    """
    return _seconds(torch.float32) / _seconds(torch.bfloat16)


def _seconds(dtype: torch.dtype, repeats: int = 7) -> float:
    tokens, layer = torch.ones(512, 384, dtype=dtype), torch.ones(384, 1536, dtype=dtype)
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        torch.matmul(tokens, layer)
        times.append(time.perf_counter() - start)
    return min(times)


def _device(name: str) -> str:
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    kind, _, index = name.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (index and not index.isdigit()):
        raise _wanted("auto, cpu, cuda, cuda:N or mps", quoted(name))
    if kind == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if int(index or 0) >= count:
            raise _wanted("a CUDA device that exists", f"{name!r} on a machine with {count}")
    if kind == "mps" and not torch.backends.mps.is_available():
        raise _wanted("an MPS device that exists", "'mps' on a machine without one")
    return "cpu" if kind == "cpu" else name


def _wanted(expected: str, got: str) -> UserError:
    return UserError(Fault("student.device", expected, got, "Use --set student.device=auto."))
