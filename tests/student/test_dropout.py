"""The quick dropout is a dropout: its share, its scale, its order, and only while training."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from agent.student.dropout import QuickDropout, quicken


def model(p: float = 0.25) -> nn.Module:
    torch.manual_seed(0)
    return nn.ModuleDict({"a": nn.Sequential(nn.Linear(4, 4), nn.Dropout(p)), "b": nn.ModuleDict({"c": nn.Dropout(p)})})


def test_every_dropout_is_replaced_also_in_a_module_dict() -> None:
    made = model()
    quicken(made, 1)
    kinds = [type(child) for child in made.modules() if "Dropout" in type(child).__name__]
    assert kinds == [QuickDropout, QuickDropout]


def test_a_share_of_p_is_zero_and_the_rest_keeps_the_mean() -> None:
    layer = QuickDropout(0.25, np.random.Generator(np.random.SFC64(1)))
    out = layer(torch.ones(400, 500))
    assert float((out == 0).float().mean()) == pytest.approx(0.25, abs=0.005)
    assert out.unique().tolist() == pytest.approx([0.0, 4 / 3])
    assert float(out.mean()) == pytest.approx(1.0, abs=0.01)


def test_the_gradient_is_dropped_where_the_value_is() -> None:
    layer = QuickDropout(0.5, np.random.Generator(np.random.SFC64(1)))
    inputs = torch.ones(50, requires_grad=True)
    out = layer(inputs)
    torch.autograd.backward(out.sum())
    assert inputs.grad is not None
    assert torch.equal(inputs.grad, out.detach())


def test_nothing_is_dropped_outside_training_or_with_p_zero() -> None:
    inputs = torch.randn(20)
    assert torch.equal(QuickDropout(0.5, np.random.default_rng(0)).eval()(inputs), inputs)
    assert torch.equal(QuickDropout(0.0, np.random.default_rng(0)).train()(inputs), inputs)


def test_the_same_seed_drops_the_same() -> None:
    def drawn(seed: int) -> torch.Tensor:
        made = model()
        quicken(made, seed)
        inputs = torch.ones(64)
        result: torch.Tensor = made["b"]["c"](made["b"]["c"](inputs))  # type: ignore[index]
        return result

    assert torch.equal(drawn(3), drawn(3))
    assert not torch.equal(drawn(3), drawn(4))
