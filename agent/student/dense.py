"""A GGUF file as a Hugging Face folder, made once: reading the file itself takes a minute, the folder seconds."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from filelock import FileLock

from agent.student.adapter_folder import written
from agent.student.causal import load_causal
from agent.student.quiet import quiet
from agent.weights import cache_folder


def dense(weights: Path) -> Path:
    """The folder of the tensors of a .gguf file, in float16, in the cache.

    Raises:
        UserError: the file is no GGUF of a causal model (see load_causal).
    """
    facts = weights.stat()
    content = hashlib.sha256(f"{weights.resolve()} {facts.st_size} {facts.st_mtime_ns}".encode()).hexdigest()
    folder = cache_folder() / "dense" / f"{weights.stem}-{content[:12]}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f".{folder.name}.lock")):
        if not folder.exists():
            causal = load_causal(weights, torch.float16)
            with written(folder) as new, quiet():
                causal.model.save_pretrained(new)
                causal.tokenizer.save_pretrained(new)
    return folder
