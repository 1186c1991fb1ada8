"""What `export` writes works without evokd: plain transformers, or the base with peft."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from agent.config import LoraSection, StudentConfig
from agent.student.opening import open_student
from agent.student.student import TrainRow
from tests.fakes.tiny_model import tiny_model

LABELS = ("Sports", "World", "Business")
TEXTS = ["the team won the game", "", "a market for stock " * 20, "peace"]


@pytest.mark.parametrize("method", ["lora", "full"])
def test_plain_transformers_give_the_same_probabilities(method: str, tmp_path: Path) -> None:
    weights = tiny_model(tmp_path / "weights")
    config = StudentConfig.model_validate(
        {"method": method, "learning_rate": 1e-2, "epochs": 1, "min_steps": 6, "batch_size": 4, "max_length": 16,
         "device": "cpu", "dtype": "float32", "lora": LoraSection(rank=2)}
    )  # fmt: skip
    student = open_student(config, LABELS, weights)
    rows = [TrainRow("the team", (1.0, 0.0, 0.0)), TrainRow("stock price", (0.0, 0.1, 0.9))]
    student.train(rows, tmp_path / "adapter", None, seed=5)
    expected = student.predict(TEXTS, tmp_path / "adapter")
    model = tmp_path / "run" / "model"
    student.export(tmp_path / "adapter", model)

    plain = AutoModelForSequenceClassification.from_pretrained(model)
    np.testing.assert_allclose(probabilities(plain, model), expected, atol=1e-5)
    assert plain.config.id2label == dict(enumerate(LABELS))
    settings = json.loads((model / "config.json").read_text())
    assert settings["label2id"] == {label: index for index, label in enumerate(LABELS)}
    assert str(tmp_path) not in "".join(path.read_text() for path in model.rglob("*.json"))
    if method == "lora":
        base = AutoModelForSequenceClassification.from_pretrained(weights, num_labels=3)
        joined = PeftModel.from_pretrained(base, model / "adapter")
        np.testing.assert_allclose(probabilities(joined, model), expected, atol=1e-5)


def probabilities(model: Any, folder: Path) -> np.ndarray:
    """(N, L), one text at a time, with the exported tokenizer."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    rows = []
    with torch.inference_mode():
        for text in TEXTS:
            inputs = tokenizer(text, truncation=True, max_length=16, return_tensors="pt")
            rows.append(model.eval()(**inputs).logits[0].softmax(-1).numpy())
    return np.stack(rows)
