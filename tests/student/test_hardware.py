"""The choice of device and dtype, on hardware that is pretended."""

from __future__ import annotations

import pytest
import torch

from agent.student import hardware
from agent.student.hardware import Hardware, choose_hardware


@pytest.fixture
def cpu_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.usefixtures("cpu_only")
@pytest.mark.parametrize(
    ("native", "ratio", "dtype"), [(False, 9.0, "float32"), (True, 1.4, "float32"), (True, 3.8, "bfloat16")]
)
def test_bf16_on_a_cpu_must_be_native_and_clearly_faster(
    native: bool, ratio: float, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardware, "cpu_has_bf16", lambda: native)
    monkeypatch.setattr(hardware, "cpu_bf16_speedup", lambda: ratio)
    chosen = choose_hardware()
    assert (chosen.device, chosen.dtype) == ("cpu", dtype)
    assert "CPU" in chosen.reason


@pytest.mark.usefixtures("cpu_only")
def test_what_is_configured_is_kept() -> None:
    assert choose_hardware("cpu", "bfloat16") == Hardware("cpu", "bfloat16", "as configured")
    assert choose_hardware("auto", "float32") == Hardware("cpu", "float32", "as configured")


@pytest.mark.parametrize(("supported", "dtype"), [(True, "bfloat16"), (False, "float32")])
def test_cuda_comes_first(supported: bool, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: supported)
    assert choose_hardware().device == "cuda"
    assert choose_hardware().dtype == dtype
    assert choose_hardware("cuda:1").device == "cuda:1"


def test_the_speedup_is_measured_once() -> None:
    assert hardware.cpu_bf16_speedup() == hardware.cpu_bf16_speedup() > 0
