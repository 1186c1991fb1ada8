"""Every family of encoders trains, predicts and exports: LoRA finds its projections, the head is saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification

from agent.config import LoraSection, StudentConfig
from agent.student.opening import open_student
from agent.student.student import TrainRow
from tests.fakes.tiny_model import tiny_model

COMMON = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 48}
SIZES: dict[str, dict[str, Any]] = {
    "distilbert": {"dim": 32, "n_layers": 1, "n_heads": 2, "hidden_dim": 48},
    "roberta": COMMON,
    "mpnet": COMMON,
    "electra": COMMON | {"embedding_size": 16},
    "deberta-v2": COMMON | {"relative_attention": True, "position_buckets": 8},
    "modernbert": COMMON | {"global_attn_every_n_layers": 1},
}
PROJECTIONS = {"deberta-v2": 6, "modernbert": 4}
CONFIG = StudentConfig(device="cpu", dtype="float32", max_length=16, min_steps=3, epochs=1, lora=LoraSection(rank=2))


@pytest.mark.parametrize("kind", SIZES)
def test_family(kind: str, tmp_path: Path) -> None:
    weights = tiny_model(tmp_path / "weights")
    settings = AutoConfig.from_pretrained(weights)
    tokens = {"vocab_size": settings.vocab_size, "pad_token_id": 0, "max_position_embeddings": 40}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        AutoModel.from_config(AutoConfig.for_model(kind, **tokens, **SIZES[kind])).save_pretrained(weights)
    student = open_student(CONFIG, ("no", "yes"), weights)
    log = student.train(
        [TrainRow("a good film", (0.0, 1.0)), TrainRow("bad", (1.0, 0.0))], tmp_path / "a", None, seed=1
    )
    given = student.predict(["good", "a bad film"], tmp_path / "a")
    student.export(tmp_path / "a", tmp_path / "model")
    plain = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model").eval()
    with torch.inference_mode():
        inputs = student._base.tokenizer("good", return_tensors="pt", return_token_type_ids=False)
        expected = plain(**inputs).logits[0].softmax(-1).numpy()
    np.testing.assert_allclose(given[0], expected, atol=1e-5)
    lora = 2 * sum(sum(part.shape) for part in _targets(student, kind))  # rank × (in + out)
    head = sum(part.numel() for name in student._base.head for part in plain.get_submodule(name).parameters())
    assert log.trainable_parameters == lora + head


def _targets(student: Any, kind: str) -> list[torch.Tensor]:
    linear = [
        module.weight for name, module in student._base.encoder.named_modules()
        if isinstance(module, torch.nn.Linear) and "pooler" not in name
    ]  # fmt: skip
    assert len(linear) >= PROJECTIONS.get(kind, 6)
    return linear
