"""Mean pooling inside a plain BERT: one more layer that gives the classifier the mean of all tokens.

Sentence encoders (all-MiniLM-L6-v2) were trained as the mean of their tokens, while transformers' BERT classifies
the first token alone. The layer added here attends to every token alike: query and key are zero, so the attention
is 1/T each; the value is SCALE × identity, so that the mean outweighs the first token's own vector in the residual
sum; the feed-forward part is zero. The model stays a BERT that plain transformers loads (num_hidden_layers + 1).
Measured with MiniLM, LoRA and 200 examples, 65 steps, accuracy on 500 dev texts without it and with it: SST-2 75.9 and
77.9 (2 seeds), AG News 83.2 and 86.2 (1 seed).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

SCALE = 20.0
POOLER_SCALE = 0.5
"""Of the identity before BERT's tanh: inputs have unit variance, so that most stay where tanh is nearly straight."""


def declares_mean(weights: Path, kind: str) -> bool:
    """Whether the folder is a BERT that says, as sentence-transformers do, that its tokens are to be averaged."""
    path = weights / "1_Pooling" / "config.json"
    if kind != "bert" or not path.is_file():
        return False
    return bool(json.loads(path.read_text(encoding="utf-8")).get("pooling_mode_mean_tokens"))


def pool_by_mean(model: Any) -> tuple[str, ...]:
    """Fills the last layer and the pooler of a BERT classifier so that it sees the mean; their module names."""
    layers = model.bert.encoder.layer
    last, pooler = layers[-1], model.bert.pooler
    identity = torch.eye(model.config.hidden_size)
    with torch.no_grad():
        for parameter in (*last.parameters(), *pooler.parameters()):
            parameter.zero_()
        last.attention.self.value.weight.copy_(SCALE * identity)
        last.attention.output.dense.weight.copy_(identity)
        last.attention.output.LayerNorm.weight.fill_(1)
        last.output.LayerNorm.weight.fill_(1)
        pooler.dense.weight.copy_(POOLER_SCALE * identity)
    return (f"bert.encoder.layer.{len(layers) - 1}", "bert.pooler")
