"""A model from an adapter folder: a copy of the base with the folder's weights in it."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors import SafetensorError
from safetensors.torch import load_model

from agent.student.base import Base
from agent.student.lora import frozen
from agent.student.quiet import quiet
from tasks.faults import Fault, UserError

FULL = "model.safetensors"
"""The file of `method: full`; a peft adapter has adapter_model.safetensors instead."""


def restored(base: Base, adapter: Path, train: bool) -> Any:
    """The base with the weights of folder `adapter`, on the CPU; LoRA merged into it unless `train` or it is in 4 bit.

    Raises:
        UserError: the folder holds no adapter that fits this base and its labels.
    """
    model = copy.deepcopy(base.model)
    try:
        if (adapter / FULL).is_file():
            load_model(model, adapter / FULL)  # knows of tied tensors, which the file has once
            return model
        with quiet():
            wrapped = PeftModel.from_pretrained(model, str(adapter), is_trainable=train, local_files_only=True)
            if train:
                return frozen(wrapped, base)
            return wrapped if base.quantised else wrapped.merge_and_unload()  # a merge into 4 bit would round
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        first = str(error).strip().splitlines()[0][:160]
        expected = f"an adapter of this student ({base.model.config.num_labels} labels)"
        remedy = "Give the adapter/ of a run with the same student and task."
        raise UserError(Fault(str(adapter), expected, f"{type(error).__name__}: {first}", remedy)) from error


def whole(base: Base, adapter: Path) -> Any:
    """As `restored` for predictions, but plain float32 weights alone: what was in 4 bit has the values it stood for.

    Raises:
        UserError: see `restored`.
    """
    if not base.quantised:
        return restored(base, adapter, train=False)
    plain = copy.deepcopy(base.model).dequantize(torch.float32)
    return restored(replace(base, model=plain, quantised=False), adapter, train=False)
