"""Adapters made of others: the average of two of one start; one with the bias of its head moved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from agent.config import LoraSection, StudentConfig
from agent.student.opening import open_student
from agent.student.student import TrainRow
from tests.fakes.tiny_causal import tiny_causal
from tests.fakes.tiny_model import tiny_model

ROWS = [TrainRow("a good film", (0.0, 1.0)), TrainRow("dull", (1.0, 0.0))]


@pytest.mark.parametrize("method", ["lora", "full"])
def test_an_average_lies_between_and_answers(method: str, tmp_path: Path) -> None:
    fields = {"device": "cpu", "dtype": "float32", "max_length": 16, "min_steps": 3, "epochs": 1, "method": method}
    student = open_student(StudentConfig.model_validate(fields), ("bad", "good"), tiny_model(tmp_path / "weights"))
    student.train(ROWS[:1], tmp_path / "one", None, seed=1)
    student.train(ROWS, tmp_path / "other", None, seed=1)
    student.average(tmp_path / "one", tmp_path / "other", 0.25, tmp_path / "mixed")
    file = "model.safetensors" if method == "full" else "adapter_model.safetensors"
    one, other, mixed = (load_file(tmp_path / name / file) for name in ("one", "other", "mixed"))
    assert all(torch.allclose(mixed[name], 0.25 * one[name] + 0.75 * other[name]) for name in mixed)
    assert student.predict(["a good film"], tmp_path / "mixed").shape == (1, 2)
    student.average(tmp_path / "one", tmp_path / "other", 0.0, tmp_path / "same")
    assert (
        student.predict(["dull"], tmp_path / "same").tolist() == student.predict(["dull"], tmp_path / "other").tolist()
    )


def test_adapters_of_two_shapes_are_refused(tmp_path: Path) -> None:
    weights = tiny_model(tmp_path / "weights")
    fields = {"device": "cpu", "dtype": "float32", "max_length": 16, "min_steps": 1, "epochs": 1}
    for name, rank in (("one", 2), ("other", 4)):
        config = StudentConfig.model_validate({**fields, "lora": LoraSection(rank=rank)})
        open_student(config, ("bad", "good"), weights).train(ROWS, tmp_path / name, None, seed=1)
    student = open_student(StudentConfig.model_validate(fields), ("bad", "good"), weights)
    with pytest.raises(ValueError, match="do not hold the same tensors"):
        student.average(tmp_path / "one", tmp_path / "other", 0.5, tmp_path / "mixed")
    assert not (tmp_path / "mixed").exists()


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_shift_adds_to_the_logits_and_nothing_else(method: str, tmp_path: Path) -> None:
    fields = {"device": "cpu", "dtype": "float32", "max_length": 16, "min_steps": 3, "epochs": 1, "method": method}
    student = open_student(StudentConfig.model_validate(fields), ("bad", "good"), tiny_model(tmp_path / "weights"))
    student.train(ROWS, tmp_path / "one", None, seed=1)
    by = np.array([0.5, -0.5])
    assert student.biased
    student.shift(tmp_path / "one", by, tmp_path / "new")
    texts = ["a good film", "dull", "so long that it is cut somewhere, good or not"]
    before, after = (np.log(student.predict(texts, tmp_path / name)) for name in ("one", "new"))
    assert after[:, 0] - after[:, 1] == pytest.approx(before[:, 0] - before[:, 1] + 1.0, abs=1e-5)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(
        path.name for path in (tmp_path / "one").iterdir()
    )
    student.train(ROWS, tmp_path / "on", tmp_path / "new", seed=1)  # a training goes on from it


def test_a_head_without_a_bias_is_not_shifted(tmp_path: Path) -> None:
    fields = {"device": "cpu", "dtype": "float32", "max_length": 16, "min_steps": 1, "epochs": 1}
    student = open_student(StudentConfig.model_validate(fields), ("bad", "good"), tiny_causal(tmp_path / "weights"))
    student.train(ROWS, tmp_path / "one", None, seed=1)
    assert not student.biased
    with pytest.raises(ValueError, match="without a bias"):
        student.shift(tmp_path / "one", np.array([1.0, -1.0]), tmp_path / "new")
    assert not (tmp_path / "new").exists()
