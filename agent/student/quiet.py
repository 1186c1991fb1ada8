"""Keeps the chatter of transformers and peft from the user; errors still come through as exceptions."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from transformers import modeling_gguf_pytorch_utils
from transformers.utils import logging as transformers_logging

chatter: Any = transformers_logging  # its functions carry no types
gguf_reader: Any = modeling_gguf_pytorch_utils


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bars and nothing below the error level while a model is loaded, wrapped or saved."""
    verbosity, bars = chatter.get_verbosity(), chatter.is_progress_bar_enabled()
    chatter.set_verbosity_error()
    chatter.disable_progress_bar()
    bar, gguf_reader.tqdm = gguf_reader.tqdm, lambda tensors, **told: tensors  # it asks nobody whether to draw one
    try:
        with warnings.catch_warnings():
            for category in (FutureWarning, UserWarning, DeprecationWarning):
                warnings.filterwarnings("ignore", category=category, module=r"(transformers|peft)\b")
            yield
    finally:
        gguf_reader.tqdm = bar
        chatter.set_verbosity(verbosity)
        if bars:
            chatter.enable_progress_bar()
