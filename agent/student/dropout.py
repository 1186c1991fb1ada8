"""Dropout that a CPU draws quickly: the same regularisation, less time for a training step.

torch draws each Bernoulli number of a CPU mask by itself; here a mask is a row of random bytes of numpy, compared with
a threshold. MiniLM with LoRA, batch 16 (dropout in every LoRA layer and in BERT): benchmarks/train_speed.py.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn


class QuickDropout(nn.Module):
    """nn.Dropout on the CPU, with `p` rounded to a 256th. Draws from `source`, so a training has one order of masks."""

    def __init__(self, p: float, source: np.random.Generator) -> None:
        super().__init__()
        self.p = round(256 * p) / 256
        self._source = source

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        if not self.training or self.p == 0:
            return inputs
        drawn = self._source.integers(256, size=inputs.shape, dtype=np.uint8)
        kept = torch.from_numpy(drawn) >= round(256 * self.p)
        return inputs * (kept.to(inputs.dtype) / (1 - self.p))


def quicken(model: nn.Module, seed: int) -> None:
    """Puts QuickDropout in the place of every nn.Dropout of `model`; they share one source, seeded by `seed`."""
    source = np.random.Generator(np.random.SFC64(seed))
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.Dropout:
                quick = QuickDropout(child.p, source)
                quick.train(child.training)
                parent._modules[name] = quick
