"""A whole run with a decoder as student: launch, predict, and a folder that plain transformers classify with."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import AutoModelForSequenceClassification

from agent.plan import configure
from agent.predict import predictions
from agent.progress import Progress
from agent.run import launch
from agent.rundir import RunDir, read_json
from tests.fakes.tiny_causal import tiny_causal
from tests.fakes.toy import write_toy


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_a_decoder_goes_through_a_whole_run(kind: str, tmp_path: Path) -> None:
    student = {"model": str(tiny_causal(tmp_path / "weights", kind)), "device": "cpu", "dtype": "float32",
               "max_length": 48, "min_steps": 4, "epochs": 1, "lora": {"rank": 2}}  # fmt: skip
    config = configure({"task": str(write_toy(tmp_path / "toy")), "strategy": "seed_only", "student": student})
    result = launch(config, tmp_path / "run", Progress())
    assert 0 <= result["metric"]["test"] <= 1
    run = RunDir.open(tmp_path / "run")
    trained = read_json(run.iteration(0).training)
    assert trained["trainable_parameters"] > 0 and trained["losses"]
    said = list(predictions(tmp_path / "run", [("TEXTS", "a warm day")]))
    assert said[0]["label"] in {"warm", "cold"}
    assert AutoModelForSequenceClassification.from_pretrained(run.model).config.num_labels == 2
