"""Wraps a copy of the base for training: LoRA on its projections, and a head that is trained in full."""

from __future__ import annotations

import copy
from typing import Any

import torch
from peft import LoraConfig, TaskType, get_peft_model
from torch import nn
from transformers.pytorch_utils import Conv1D

from agent.config import StudentConfig
from agent.student.base import Base
from agent.student.quiet import quiet
from tasks.faults import Fault, UserError, quoted


def trainable(base: Base, config: StudentConfig) -> Any:
    """A fresh copy of the base, its head initialised, ready to train.

    Reads torch's global random state, which the caller has seeded. Raises UserError (see `projections`).
    """
    model = copy.deepcopy(base.model)
    for name in base.head if base.seeded else ():
        _initialise(model.get_submodule(name), float(getattr(model.config, "initializer_range", 0.02)))
    if config.method == "full":
        return model
    lora = config.lora
    head = TaskType.CAUSAL_LM if base.writes else TaskType.TOKEN_CLS if base.spans else TaskType.SEQ_CLS
    wanted = LoraConfig(
        task_type=head, r=lora.rank, lora_alpha=lora.alpha or 2 * lora.rank, lora_dropout=lora.dropout,
        target_modules=projections(base, lora.target_modules), modules_to_save=[*base.head, *base.pooling] or None,
        fan_in_fan_out=any(isinstance(module, Conv1D) for module in model.modules()),  # GPT-2's layers are transposed
    )  # fmt: skip
    with quiet():
        wrapped = get_peft_model(model, wanted)
    wrapped.peft_config["default"].base_model_name_or_path = config.model  # no path of this machine
    return frozen(wrapped, base)


def frozen(wrapped: Any, base: Base) -> Any:
    """`wrapped` with its pooling modules frozen; peft makes all that an adapter keeps trainable."""
    for name in base.pooling:
        wrapped.get_submodule(f"base_model.model.{name}").requires_grad_(False)
    return wrapped


def projections(base: Base, wanted: tuple[str, ...] | None) -> list[str]:
    """Full names of the linear layers that get LoRA: all of the model's, or those whose last names are in `wanted`.

    Raises:
        UserError: a name in `wanted` that no linear layer of the model ends with.
    """
    prefix = base.model.base_model_prefix
    left_out = tuple(f"{name}." for name in (*base.head, *base.pooling))
    names = [
        f"{prefix}.{name}" for name, module in base.encoder.named_modules()
        if isinstance(module, (nn.Linear, Conv1D)) and "pooler" not in name
        and not f"{prefix}.{name}.".startswith(left_out)
    ]  # fmt: skip
    if wanted is None:
        return names
    for suffix in wanted:
        if not any(f".{name}".endswith(f".{suffix}") for name in names):
            known = ", ".join(sorted({name.rpartition(".")[2] for name in names}))
            expected = f"the name of a linear layer of {base.model.config.model_type} ({known})"
            remedy = "Leave it null for every projection."
            raise UserError(Fault("student.lora.target_modules", expected, quoted(suffix), remedy))
    return [name for name in names if any(f".{name}".endswith(f".{suffix}") for suffix in wanted)]


def _initialise(module: nn.Module, spread: float) -> None:
    for part in module.modules():
        if isinstance(part, nn.Linear):
            nn.init.normal_(part.weight, std=spread)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, nn.LayerNorm):
            part.reset_parameters()
    for name, parameter in module.named_parameters():
        if not torch.isfinite(parameter).all():
            raise ValueError(f"{name} is not finite after initialisation")
