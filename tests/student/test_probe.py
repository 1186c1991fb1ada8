"""A head that starts as a linear probe: what it is, and that the training begins there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from agent.config import StudentConfig
from agent.student.base import load_base
from agent.student.batches import tokenise
from agent.student.lora import trainable
from agent.student.opening import open_student
from agent.student.probe import back, features, learned, probe, probed, start_from_probe
from agent.student.student import TrainRow
from tests.fakes.tiny_model import tiny_model

ROWS = [TrainRow(text, target) for text, target in (
    ("good great fun", (1.0, 0.0)), ("lovely joy sweet", (1.0, 0.0)), ("awful bad dull", (0.0, 1.0)),
    ("worst mess weak", (0.0, 1.0)), ("great joy fun", (0.9, 0.1)), ("bad dull mess", (0.2, 0.8)),
)]  # fmt: skip


def said(found: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    logits = found @ weight.T + bias
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("labels", [2, 3])
def test_it_is_the_logistic_regression_of_soft_targets(labels: int) -> None:
    rng = np.random.default_rng(0)
    found = rng.normal(size=(60, 5))
    targets = said(found, 2 * rng.normal(size=(labels, 5)), np.zeros(labels))
    weight, bias = probe(found, targets)
    assert weight.shape == (labels, 5) and bias.shape == (labels,)
    given = said(found, weight, bias)
    assert given.sum(axis=0) == pytest.approx(targets.sum(axis=0), abs=0.05), "the bias is not shrunk"
    assert (given.argmax(axis=1) == targets.argmax(axis=1)).mean() > 0.8


def test_a_label_without_an_example_has_a_head_too() -> None:
    weight, bias = probe(np.eye(4), np.array([[1.0, 0, 0], [1, 0, 0], [0, 0, 1], [0, 0, 1]]))
    assert not weight[1].any() and weight[0] == pytest.approx(-weight[2]) and np.isfinite(bias).all()
    assert not probe(np.eye(2), np.array([[1.0, 0], [1, 0]]))[0].any(), "one label alone is no probe"


def test_features_are_what_the_head_is_given(tmp_path: Path) -> None:
    base = load_base(tiny_model(tmp_path / "tiny"), ["good", "bad"], 16)
    tokens, _ = tokenise(base.tokenizer, [row.text for row in ROWS], 16)
    found = features(base, tokens)
    head = base.model.get_submodule(base.head[0])
    with torch.inference_mode():
        logits = base.model(**base.tokenizer([row.text for row in ROWS], return_tensors="pt", padding=True)).logits
        again = head(torch.from_numpy(found).float())
    assert again.numpy() == pytest.approx(logits.numpy(), abs=1e-5)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_training_begins_with_it(tmp_path: Path, method: str) -> None:
    config = StudentConfig(method=method, device="cpu", dtype="float32", max_length=16, head="probe")
    base = load_base(tiny_model(tmp_path / "tiny"), ["good", "bad"], 16)
    tokens, _ = tokenise(base.tokenizer, [row.text for row in ROWS], 16)
    model = trainable(base, config)
    start_from_probe(model, base, tokens, ROWS)
    weight, bias = probe(features(base, tokens), np.array([row.target for row in ROWS]))
    with torch.inference_mode():
        given = model.eval()(**base.tokenizer([row.text for row in ROWS], return_tensors="pt", padding=True)).logits
    assert given.softmax(-1).numpy() == pytest.approx(said(features(base, tokens), weight, bias), abs=1e-4)
    assert probed(base) and not probed(replace(base, spans=True)) and not probed(replace(base, seeded=False))
    assert not probed(replace(base, head=("classifier", "bert.pooler")))


def test_the_setting_lowers_the_loss_that_training_starts_from(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "tiny")
    first = {}
    for head in ("seed", "probe"):
        config = StudentConfig(device="cpu", dtype="float32", max_length=16, min_steps=4, max_steps=4, head=head)
        student = open_student(config, ["good", "bad"], folder)
        first[head] = student.train(ROWS, tmp_path / head, None, 1).losses[0]
    assert first["probe"] < first["seed"]


def test_of_what_training_made_of_the_probe_a_share_is_taken_back(tmp_path: Path) -> None:
    config = StudentConfig(device="cpu", dtype="float32", max_length=16, head="probe")
    base = load_base(tiny_model(tmp_path / "tiny"), ["good", "bad"], 16)
    model = trainable(base, config)
    before = learned(model)
    assert before.keys() == {name for name, one in model.named_parameters() if one.requires_grad}
    with torch.no_grad():
        for one in model.parameters():
            one.add_(2.0)
    back(model, before, 0.25)
    for name, one in model.named_parameters():
        if name in before:
            torch.testing.assert_close(one, before[name] + 1.5)
