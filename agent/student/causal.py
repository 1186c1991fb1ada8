"""A causal language model and its tokenizer, read from a Hugging Face folder or from a GGUF file, dequantised."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_MASKED_LM_MAPPING_NAMES,
)

from agent.student.four_bit import four_bit, in_float32
from agent.student.quiet import quiet
from tasks.faults import Fault, UserError

MAGIC = b"GGUF"


@dataclass(frozen=True)
class Causal:
    """A decoder that continues text, on the CPU."""

    model: Any
    """A transformers model for causal language modelling, in eval mode; no layer of it is quantised but where asked."""
    tokenizer: Any
    """It has an end token, and a padding token (the end token where the model has none of its own, as GPT-2)."""


def load_causal(weights: Path, dtype: torch.dtype, quantised: bool = False) -> Causal:
    """The causal model of a Hugging Face folder or of a .gguf file, its weights in `dtype`; `quantised`: a folder's
    projections in 4 bit (NF4).

    Raises:
        UserError: there is nothing, or no causal model that transformers reads: an encoder, a GGUF of an architecture
            it does not know, weights that lack tensors, a tokenizer without an end token; or no bitsandbytes.
    """
    check_causal(weights)
    place, options = loading(weights)
    form: dict[str, Any] = {}
    if weights.is_file():
        form = {"quantization_config": GgufConfig(dequantize=True)}
    elif quantised:
        form = {"quantization_config": four_bit(kept=("lm_head",))}
    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(place, **options)
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                place, dtype=dtype, output_loading_info=True, **options, **form
            )
    except UNREADABLE as error:
        raise not_causal(weights, said(error)) from error
    model, info = loaded
    if lacking := sorted(info["missing_keys"]):
        raise not_causal(weights, f"weights that lack {len(lacking)} tensors, e.g. {lacking[0]}")
    in_float32(model)
    pad_by_end(weights, tokenizer)
    model.config.pad_token_id = tokenizer.pad_token_id
    return Causal(model.eval(), tokenizer)


UNREADABLE = (
    OSError, ValueError, KeyError, IndexError, TypeError, RuntimeError, NotImplementedError, SafetensorError
)  # fmt: skip
"""What transformers, safetensors and gguf raise on files that are damaged, or of a kind they do not know."""


def loading(weights: Path) -> tuple[Path, dict[str, Any]]:
    """Where and how `from_pretrained` finds model or tokenizer: a GGUF is a file of its folder."""
    options: dict[str, Any] = {"local_files_only": True}
    return (weights.parent, {**options, "gguf_file": weights.name}) if weights.is_file() else (weights, options)


def check_causal(weights: Path) -> None:
    """Raises UserError unless `weights` looks like a causal model from outside; reads no tensor."""
    if weights.is_file():
        with weights.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise not_causal(weights, "a file that does not begin as a GGUF does")
        return
    kind = model_type(weights, not_causal)
    if not is_decoder(kind):
        raise not_causal(weights, f"a model of type {kind!r}")


def is_decoder(kind: str) -> bool:
    """Whether transformers reads models of type `kind` as causal, and not as encoders that fill masks."""
    return kind in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES and kind not in MODEL_FOR_MASKED_LM_MAPPING_NAMES


def model_type(weights: Path, refuse: Callable[[Path, str], UserError]) -> str:
    """`model_type` of a folder's config.json; `refuse` makes the UserError that is raised where there is none."""
    if not weights.exists():
        raise refuse(weights, "no such folder or file")
    path = weights / "config.json"
    if not path.is_file():
        inside = ", ".join(sorted(item.name for item in weights.iterdir())[:6]) or "nothing"
        raise refuse(weights, f"a folder without config.json (it holds {inside})")
    try:
        kind = json.loads(path.read_text(encoding="utf-8")).get("model_type")
    except (ValueError, AttributeError) as error:
        raise refuse(weights, f"a config.json that is not a JSON object ({error})") from None
    if not kind:
        raise refuse(weights, "a config.json without model_type")
    return str(kind)


def pad_by_end(weights: Path, tokenizer: Any) -> None:
    """Gives a tokenizer without a padding token its end token as such: what is padding, the attention mask says."""
    if tokenizer.eos_token_id is None:
        raise not_causal(weights, "a tokenizer without an end token")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token


def said(error: BaseException) -> str:
    """The first line of an error, after its type."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:160] if lines else 'no word of why'}"


def not_causal(weights: Path, got: str) -> UserError:
    expected = "a causal language model, as a Hugging Face folder or a .gguf file of an architecture transformers reads"
    remedy = "Give one such as smollm2-135m-instruct; `evokd models` lists them."
    return UserError(Fault(f"model {weights}", expected, got, remedy))
