"""The average of two adapters, or of two models trained in full, tensor by tensor."""

from __future__ import annotations

import shutil
from pathlib import Path

from safetensors.torch import load_file, save_file


def averaged(one: Path, other: Path, share: float, folder: Path) -> None:
    """Fills the empty `folder` with what `other` holds, its weights averaged: `share` of `one`, the rest of `other`.

    Raises:
        ValueError: the two do not hold the same tensors.
    """
    for path in sorted(other.iterdir()):
        if path.suffix != ".safetensors":
            shutil.copy(path, folder / path.name)
            continue
        theirs, ours = load_file(path), load_file(one / path.name)
        if {name: tensor.shape for name, tensor in theirs.items()} != {n: t.shape for n, t in ours.items()}:
            raise ValueError(f"average: {one} and {other} do not hold the same tensors")
        mixed = {name: (share * ours[name] + (1 - share) * theirs[name]).contiguous() for name in theirs}
        save_file(mixed, folder / path.name, metadata={"format": "pt"})
