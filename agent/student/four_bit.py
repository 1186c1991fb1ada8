"""Four-bit weights of QLoRA (arXiv 2305.14314): NF4 with double quantisation, by bitsandbytes, on a GPU or a CPU."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch
from transformers import BitsAndBytesConfig

from tasks.faults import Fault, UserError


def four_bit(kept: tuple[str, ...]) -> Any:
    """The quantisation_config of `from_pretrained`; modules named in `kept` stay as they are.

    Products are computed in float32, so that a prediction does not depend on the texts beside it.

    Raises:
        UserError: bitsandbytes is not installed, or does not run here.
    """
    if find_spec("bitsandbytes") is None:
        raise unavailable("no package of that name")
    try:
        import bitsandbytes.functional as bnb  # its own libraries are loaded here, and may not fit the machine

        bnb.quantize_4bit(torch.ones(64), quant_type="nf4")
    except (ImportError, OSError, RuntimeError, AttributeError, NotImplementedError) as error:
        raise unavailable(f"{type(error).__name__}: {str(error).strip().splitlines()[0][:120]}") from error
    return BitsAndBytesConfig(  # type: ignore[no-untyped-call]
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.float32, llm_int8_skip_modules=list(kept),
    )  # fmt: skip


def in_float32(model: Any) -> None:
    """Keeps bitsandbytes from its own product in bf16, for a processor that has it: in eval mode it would pack the
    weights anew for that at first use, which fails on layers of under 64 inputs, and predictions would depend on the
    processor."""
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def unavailable(got: str) -> UserError:
    remedy = "`pip install 'evokd[qlora]'`, or use --set student.method=lora."
    return UserError(Fault("student.method: qlora", "bitsandbytes that runs on this machine", got, remedy))
