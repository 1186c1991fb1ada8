"""The base model of a student: read once from its folder, never trained, only copied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
)
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES,
    MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES,
)

from agent.student.causal import model_type
from agent.student.pooling import declares_mean, pool_by_mean
from agent.student.quiet import quiet
from tasks.faults import Fault, UserError


@dataclass(frozen=True)
class Base:
    """An encoder with a head, or a decoder (decoder.py), on the CPU in float32."""

    model: Any
    """A transformers model for sequence classification, in eval mode; with `spans` for token classification."""
    tokenizer: Any
    head: tuple[str, ...]
    """Modules that are trained in full: the classifier, and a pooler the weights lack."""
    pooling: tuple[str, ...]
    """Modules added to average the tokens (pooling.py): LoRA leaves them as they are, an adapter keeps them."""
    max_length: int
    """Tokens of a text that are read."""
    spans: bool = False
    """Whether it tags the words of a text."""
    quantised: bool = False
    """Its projections are in 4 bit (four_bit.py)."""
    writes: bool = False
    """It is a model for causal language modelling, whose answers are text; `head` is empty."""
    seeded: bool = True
    """The head starts from a seed; else as it is in `model`."""

    @property
    def encoder(self) -> nn.Module:
        encoder: nn.Module = self.model.base_model
        return encoder


def load_base(weights: Path, labels: Sequence[str], max_length: int, spans: bool = False) -> Base:
    """The base for the outputs `labels` from a folder in Hugging Face format.

    Raises:
        UserError: the folder holds no encoder that can be a student, or it reads fewer tokens than `max_length`.
    """
    model_type(weights, not_a_model)
    names = dict(enumerate(labels))
    try:
        with quiet():
            config = AutoConfig.from_pretrained(weights, local_files_only=True)
            _check_kind(weights, str(config.model_type), spans)
            config.num_labels = len(labels)
            config.id2label, config.label2id = names, {label: index for index, label in names.items()}
            config.problem_type = None if spans else "single_label_classification"
            averaged = not spans and declares_mean(weights, str(config.model_type))
            if averaged:
                config.num_hidden_layers += 1
            tokenizer = AutoTokenizer.from_pretrained(weights, local_files_only=True)
            if spans and not tokenizer.is_fast:
                raise not_a_model(weights, "a tokenizer that does not tell where in a text its tokens are")
            wanted = AutoModelForTokenClassification if spans else AutoModelForSequenceClassification
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)
                model, info = wanted.from_pretrained(
                    weights, config=config, dtype=torch.float32, ignore_mismatched_sizes=True,
                    output_loading_info=True, local_files_only=True,
                )  # fmt: skip
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise not_a_model(weights, f"{type(error).__name__}: {str(error).strip().splitlines()[0][:160]}") from error
    fresh = [*info["missing_keys"], *(key for key, *_ in info["mismatched_keys"])]
    pooling = pool_by_mean(model) if averaged else ()
    fresh = [key for key in fresh if not key.startswith(tuple(f"{name}." for name in pooling))]
    length = length_of(config, tokenizer, max_length)
    return Base(model.eval(), tokenizer, _head(model, fresh, weights), pooling, length, spans)


def _head(model: Any, fresh: Sequence[str], weights: Path) -> tuple[str, ...]:
    prefix = f"{model.base_model_prefix}."
    head = {name for name, child in model.named_children()
            if f"{name}." != prefix and next(child.parameters(), None) is not None}  # fmt: skip
    lacking = []
    for key in fresh:
        if not key.startswith(prefix):
            continue
        owner = ".".join(key.split(".")[:2])
        if "pooler" in owner or "head" in owner:
            head.add(owner)
        else:
            lacking.append(key)
    if lacking:
        raise not_a_model(weights, f"weights that lack {len(lacking)} tensors of the encoder, e.g. {lacking[0]}")
    return tuple(sorted(head))


def length_of(config: Any, tokenizer: Any, wanted: int) -> int:
    """`wanted` tokens of a text. Raises UserError where the model reads fewer."""
    positions = int(getattr(config, "max_position_embeddings", 0) or wanted)
    longest = min(positions, int(tokenizer.model_max_length))
    if wanted > longest:
        remedy = f"Use --set student.max_length={longest}, or another student.model."
        raise UserError(Fault("student.max_length", f"at most {longest} tokens", str(wanted), remedy))
    return wanted


def _check_kind(weights: Path, kind: str, spans: bool) -> None:
    masked = kind in MODEL_FOR_MASKED_LM_MAPPING_NAMES
    if kind not in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES or not masked:
        raise not_a_model(weights, f"a model of type {kind!r}, which is no text encoder or decoder")
    if spans and kind not in MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES:
        raise not_a_model(weights, f"a model of type {kind!r}, which cannot tag words")


def not_a_model(weights: Path, got: str) -> UserError:
    """The fault of a student.model that is none."""
    remedy = "Give a model such as all-MiniLM-L6-v2; `evokd models` lists them."
    return UserError(
        Fault(f"student.model: {weights}", "a Hugging Face folder of a text encoder or decoder", got, remedy)
    )
