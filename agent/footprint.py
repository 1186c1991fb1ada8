"""How much memory a model needs to be trained as a student, by its parameters alone: for the table, and before loading.

Bytes of float32 training on a CPU: the base is kept as it was read and a copy of it is trained, so its weights count
twice; on a GPU only the copy is there. LoRA adds about one parameter in fifty (rank 16, every projection), each with
its gradient and two moments of Adam. In 4 bit (NF4, double quantisation: 4.13 bits a weight) the embeddings stay whole,
about a fifth of a small decoder. Activations are those of one text: 34 bytes a token, layer and unit of width at 16 bit
(arXiv 2205.05198, section 4, without the attention matrices), so 68 at 32 bit.

On the processor the allocator's pieces, of batches of many shapes, make activations ACTIVATIONS_OVERHEAD times that,
and of a model read for 4 bit LEFT_OF_LOADING stays. Growth of the process in GB, measured (benchmarks/qlora.py) and
foretold: SmolLM2-135M, LoRA 2.77 and 2.55 with 4 texts at once, 3.98 and 3.98 with 8; QLoRA 2.06 and 2.07, 3.52 and
3.50. Qwen2.5-Coder-0.5B, 2 texts, four steps: LoRA 5.82 and 5.48, QLoRA 3.73 and 3.71. On a GPU it was not checked.
"""

from __future__ import annotations

import math
from typing import Literal

Method = Literal["lora", "qlora", "full"]

LORA_SHARE = 1 / 50
LORA_BYTES = 16
"""Weight, gradient and two moments, in float32."""
EMBEDDED = 1 / 5
FOUR_BIT_BYTES = 4.13 / 8
ACTIVATION_BYTES = 68
TOKENS = 128
"""Of a text: the default of student.max_length."""
LAYERS = 24
"""Of a model whose layers are not known; with 12 × layers × width² parameters that gives its width."""
ACTIVATIONS_OVERHEAD = 2.5
LEFT_OF_LOADING = 2
"""Bytes a parameter."""
LOADING = 6.5
"""Bytes a parameter while a model is read on the processor; 4 bit are made of it then."""
MOST_ACTIVATIONS = 2 * 10**9
MOST_BATCH = 16


def least_bytes(parameters: int, method: Method, copies: int = 2, texts: int = 1) -> int:
    """Bytes that training takes, `texts` at a time.

    copies: of the weights in this memory: 2 on the processor, which keeps the base, 1 on a GPU.
    """
    plain = 4.0 * parameters
    small = parameters * (4 * EMBEDDED + FOUR_BIT_BYTES * (1 - EMBEDDED))
    kept = copies * (small if method == "qlora" else plain)
    learned = 12.0 * parameters if method == "full" else LORA_SHARE * LORA_BYTES * parameters
    worked = texts * activations(parameters)
    if copies == 1:
        return round(kept + learned + worked)
    left = LEFT_OF_LOADING * parameters if method == "qlora" else 0
    return round(max(LOADING * parameters, kept + left + learned + ACTIVATIONS_OVERHEAD * worked))


def activations(parameters: int) -> float:
    """Bytes of the activations of one text in training."""
    return ACTIVATION_BYTES * TOKENS * LAYERS * math.sqrt(parameters / (12 * LAYERS))


def recommended_batch(parameters: int) -> int:
    """The largest power of two, at most MOST_BATCH, whose activations stay within MOST_ACTIVATIONS; at least 1."""
    most = min(MOST_BATCH, MOST_ACTIVATIONS / activations(parameters))
    return int(2 ** math.floor(math.log2(max(1.0, most))))
