"""Two adapters of one start, averaged: halfway in weights, and refused where they are not of one student."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from agent.config import LoraSection, StudentConfig
from agent.student.opening import open_student
from agent.student.student import TrainRow
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
