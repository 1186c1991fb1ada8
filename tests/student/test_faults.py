"""What a user can get wrong with a student: one clear line each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from agent.config import LoraSection, StudentConfig
from agent.student import encoder
from agent.student.opening import open_student
from agent.student.student import TrainRow
from tasks.faults import UserError
from tests.fakes.tiny_model import tiny_model

LABELS = ("no", "yes")
CONFIG = StudentConfig(device="cpu", dtype="float32", max_length=16, min_steps=1, epochs=1)
ROWS = [TrainRow("good", (0.0, 1.0)), TrainRow("bad", (1.0, 0.0))]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("weights") / "tiny")


def fault(config: StudentConfig, folder: Path, labels: tuple[str, ...] = LABELS) -> str:
    with pytest.raises(UserError) as caught:
        open_student(config, labels, folder)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_folder_that_is_no_model(tmp_path: Path) -> None:
    assert "got no such folder or file" in fault(CONFIG, tmp_path / "none")
    (tmp_path / "notes.txt").touch()
    assert "without config.json (it holds notes.txt)" in fault(CONFIG, tmp_path)
    (tmp_path / "config.json").write_text("[1")
    assert "not a JSON object" in fault(CONFIG, tmp_path)
    (tmp_path / "config.json").write_text("{}")
    assert "config.json without model_type" in fault(CONFIG, tmp_path)


def test_a_model_of_another_kind(tmp_path: Path) -> None:
    for kind, word in (("t5", "no text encoder or decoder"), ("unheard-of", "unheard-of")):
        (tmp_path / "config.json").write_text(json.dumps({"model_type": kind}))
        message = fault(CONFIG, tmp_path)
        assert word in message
        assert "expected a Hugging Face folder of a text encoder or decoder" in message


def test_weights_missing_cut_or_of_another_shape(weights: Path, tmp_path: Path) -> None:
    for path in weights.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    data = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(data[:200])
    assert "student.model" in fault(CONFIG, tmp_path)
    (tmp_path / "model.safetensors").unlink()
    assert "student.model" in fault(CONFIG, tmp_path)
    (tmp_path / "model.safetensors").write_bytes(data)
    settings = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(settings | {"num_hidden_layers": 3}))
    assert "lack 16 tensors of the encoder" in fault(CONFIG, tmp_path)


def test_texts_longer_than_the_model_reads(weights: Path) -> None:
    message = fault(CONFIG.model_copy(update={"max_length": 512}), weights)
    assert "student.max_length: expected at most 64 tokens, got 512" in message


def test_a_device_that_is_not_there(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    message = fault(CONFIG.model_copy(update={"device": "cuda"}), weights)
    assert "expected a CUDA device that exists, got 'cuda' on a machine with 0" in message
    assert "got 'tpu'" in fault(CONFIG.model_copy(update={"device": "tpu"}), weights)
    assert "got 'cuda:x'" in fault(CONFIG.model_copy(update={"device": "cuda:x"}), weights)


def test_target_modules_that_match_nothing(weights: Path) -> None:
    config = CONFIG.model_copy(update={"lora": LoraSection(target_modules=("query", "q_proj"))})
    message = fault(config, weights)
    assert "linear layer of bert (dense, key, query, value), got 'q_proj'" in message


def test_target_modules_that_match(weights: Path, tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"lora": LoraSection(rank=2, target_modules=("attention.output.dense",))})
    log = open_student(config, LABELS, weights).train(ROWS, tmp_path / "a", None, seed=0)
    assert log.trainable_parameters == 2 * (2 * 32 + 2 * 32) + 2 * 32 + 2


def test_an_adapter_of_another_task(weights: Path, tmp_path: Path) -> None:
    open_student(CONFIG, LABELS, weights).train(ROWS, tmp_path / "a", None, seed=0)
    other = open_student(CONFIG, ("a", "b", "c"), weights)
    with pytest.raises(UserError, match=r"expected an adapter of this student \(3 labels\)"):
        other.predict(["good"], tmp_path / "a")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="expected an adapter of this student"):
        other.predict(["good"], tmp_path / "empty")


def test_out_of_memory(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> list[float]:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB\nmore")

    monkeypatch.setattr(encoder, "fit", full)
    student = open_student(CONFIG, LABELS, weights)
    with pytest.raises(UserError, match=r"student.micro_batch: expected .* memory of cpu, got CUDA out of memory"):
        student.train(ROWS, tmp_path / "a", None, seed=0)
    assert not (tmp_path / "a").exists()
