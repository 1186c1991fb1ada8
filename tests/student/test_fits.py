"""A student that does not fit into memory is told before it is loaded."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from transformers import AutoModelForCausalLM

from agent.config import StudentConfig
from agent.footprint import least_bytes
from agent.student.fits import check_fits, counted, what_fits
from agent.student.opening import open_student
from tasks.faults import UserError
from tests.fakes.tiny_causal import tiny_causal


def test_parameters_are_counted_without_loading(tmp_path: Path) -> None:
    folder = tiny_causal(tmp_path)
    assert counted(folder) == AutoModelForCausalLM.from_pretrained(folder).num_parameters()
    (folder / "model.safetensors").write_bytes(b"\x08")
    assert counted(folder) == 0
    assert counted(tmp_path / "nothing") == 0


def test_too_large_is_told_before_loading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny_causal(tmp_path / "tiny")
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1000))
    with pytest.raises(UserError, match=r"student.model: tiny: expected a model that trains in the 0.0 GB free on cpu"):
        open_student(StudentConfig(device="cpu", dtype="float32"), ("no", "yes"), folder)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=10**12))
    check_fits(folder, "full", "cpu")


def test_what_would_fit() -> None:
    large = 3 * 10**9
    assert "student.method=qlora" in what_fits(large, least_bytes(large, "qlora"), 2)
    free = least_bytes(135 * 10**6, "lora")
    assert what_fits(large, free, 2).startswith("smollm2-135m-instruct fits")
    assert what_fits(large, 10**6, 2).startswith("No model")
