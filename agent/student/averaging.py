"""New adapters out of old ones, or models trained in full, without a training: the average of two; one with the bias of
its head moved."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import nn

from agent.student.base import Base

Tensors = dict[str, torch.Tensor]


def averaged(one: Path, other: Path, share: float, folder: Path) -> None:
    """Fills the empty `folder` with what `other` holds, its weights averaged: `share` of `one`, the rest of `other`.

    Raises:
        ValueError: the two do not hold the same tensors.
    """

    def mixed(name: str, theirs: Tensors) -> Tensors:
        ours = load_file(one / name)
        if {key: tensor.shape for key, tensor in theirs.items()} != {key: t.shape for key, t in ours.items()}:
            raise ValueError(f"average: {one} and {other} do not hold the same tensors")
        return {key: (share * ours[key] + (1 - share) * theirs[key]).contiguous() for key in theirs}

    copied(other, folder, mixed)


def shifted(one: Path, bias: str, by: NDArray[np.float64], folder: Path) -> None:
    """Fills the empty `folder` with what `one` holds, `by` (L,) added to its tensor `bias`, whatever it stands under.

    Raises:
        ValueError: there is no such tensor, or more than one.
    """

    def moved(name: str, theirs: Tensors) -> Tensors:
        found = [key for key in theirs if f".{key}".endswith(f".{bias}")]
        if len(found) != 1:
            raise ValueError(f"shift: {len(found)} tensors {bias} in {one / name}")
        tensor = theirs[found[0]]
        return {**theirs, found[0]: tensor + torch.from_numpy(by).to(tensor.dtype)}

    copied(one, folder, moved)


def bias_of(base: Base) -> str | None:
    """The name of the bias that is added to the logits last; None where the head has none."""
    labels = int(base.model.config.num_labels)
    for name in base.head:
        for inner, module in reversed(list(base.model.get_submodule(name).named_modules(prefix=name))):
            if isinstance(module, nn.Linear) and module.out_features == labels and module.bias is not None:
                return f"{inner}.bias"
    return None


def copied(source: Path, folder: Path, change: Callable[[str, Tensors], Tensors]) -> None:
    """All files of `source` into `folder`, the tensors of each file of weights as `change` (its name, they) makes
    them."""
    for path in sorted(source.iterdir()):
        if path.suffix != ".safetensors":
            shutil.copy(path, folder / path.name)
            continue
        save_file(change(path.name, load_file(path)), folder / path.name, metadata={"format": "pt"})
