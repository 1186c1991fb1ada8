"""A sentence encoder's tokens are averaged by a layer that plain transformers run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForSequenceClassification

from agent.config import LoraSection, StudentConfig
from agent.student.base import load_base
from agent.student.opening import open_student
from agent.student.student import TrainRow
from tests.fakes.tiny_model import tiny_model

LABELS = ("no", "yes")
CONFIG = StudentConfig(device="cpu", dtype="float32", max_length=16, min_steps=5, epochs=1, lora=LoraSection(rank=2))
ROWS = [TrainRow("good", (0.0, 1.0)), TrainRow("a bad film", (1.0, 0.0))]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny_model(tmp_path_factory.mktemp("weights") / "tiny")
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_mean_tokens": True}))
    return folder


def test_the_first_token_becomes_the_mean(weights: Path) -> None:
    base = load_base(weights, LABELS, max_length=16)
    assert base.pooling == ("bert.encoder.layer.2", "bert.pooler")
    assert base.head == ("classifier",)
    inputs = base.tokenizer(["a good film that we like", "bad"], padding=True, return_tensors="pt")
    with torch.inference_mode():
        states = base.model.bert(**inputs, output_hidden_states=True).hidden_states
    mask = inputs["attention_mask"].unsqueeze(-1)
    mean = (states[-2] * mask).sum(1) / mask.sum(1)
    wanted = torch.nn.functional.layer_norm(mean, mean.shape[-1:])
    assert float(torch.cosine_similarity(states[-1][:, 0], wanted).min()) > 0.99


def test_no_layer_is_added_where_the_folder_asks_for_the_first_token(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "tiny")
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_mean_tokens": False}))
    base = load_base(folder, LABELS, max_length=16)
    assert base.pooling == ()
    assert base.model.config.num_hidden_layers == 2


def test_lora_leaves_the_pooling_alone_and_the_adapter_keeps_it(weights: Path, tmp_path: Path) -> None:
    student = open_student(CONFIG, LABELS, weights)
    first = student.train(ROWS, tmp_path / "a", None, seed=1)
    again = student.train(ROWS, tmp_path / "b", tmp_path / "a", seed=1)
    assert first.trainable_parameters == again.trainable_parameters
    before = student._base.model.state_dict()
    after = load_file(tmp_path / "b" / "adapter_model.safetensors")
    kept = [name for name in before if name.startswith(student._base.pooling)]
    assert len(kept) == 18
    for name in kept:
        assert torch.equal(after[f"base_model.model.{name}"], before[name])


def test_export_loads_plainly_with_one_layer_more(weights: Path, tmp_path: Path) -> None:
    student = open_student(CONFIG, LABELS, weights)
    student.train(ROWS, tmp_path / "a", None, seed=1)
    expected = student.predict(["good"], tmp_path / "a")[0]
    student.export(tmp_path / "a", tmp_path / "model")
    plain = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model")
    config = AutoConfig.from_pretrained(tmp_path / "model")
    base = AutoModelForSequenceClassification.from_pretrained(weights, config=config)
    joined = PeftModel.from_pretrained(base, tmp_path / "model" / "adapter")
    inputs = student._base.tokenizer("good", return_tensors="pt")
    for model in (plain, joined):
        with torch.inference_mode():
            given = model.eval()(**inputs).logits[0].softmax(-1)
        np.testing.assert_allclose(given.numpy(), expected, atol=1e-5)
    reopened = open_student(CONFIG, LABELS, tmp_path / "model")
    assert reopened._base.pooling == ()
