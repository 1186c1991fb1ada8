"""Causal models from folders and GGUF files, and what is none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from agent.student.causal import load_causal
from tasks.faults import UserError
from tests.fakes.tiny_causal import SIZES, as_gguf, tiny_causal
from tests.fakes.tiny_model import tiny_model

TEXT = "the film was great"


def fault(weights: Path) -> str:
    with pytest.raises(UserError) as caught:
        load_causal(weights, torch.float32)
    message = str(caught.value)
    assert "\n" not in message and "expected a causal language model" in message
    return message


@pytest.mark.parametrize("kind", SIZES)
def test_a_folder(kind: str, tmp_path: Path) -> None:
    causal = load_causal(tiny_causal(tmp_path, kind), torch.float32)
    assert causal.tokenizer.pad_token == causal.tokenizer.eos_token
    assert causal.model.config.pad_token_id == causal.tokenizer.eos_token_id
    plain = AutoModelForCausalLM.from_pretrained(tmp_path)
    inputs = causal.tokenizer(TEXT, return_tensors="pt")
    with torch.inference_mode():
        torch.testing.assert_close(causal.model(**inputs).logits, plain.eval()(**inputs).logits)
    assert load_causal(tmp_path, torch.bfloat16).model.dtype == torch.bfloat16


def test_a_padding_token_of_its_own_stays(tmp_path: Path) -> None:
    causal = load_causal(tiny_causal(tmp_path, special=["<pad>"], pad_token="<pad>"), torch.float32)
    assert causal.tokenizer.pad_token == "<pad>" != causal.tokenizer.eos_token


def test_a_gguf_is_the_same_model_as_its_folder(tmp_path: Path) -> None:
    folder = tiny_causal(tmp_path / "folder")
    causal, plain = (load_causal(path, torch.float32) for path in (as_gguf(folder, tmp_path / "tiny.gguf"), folder))
    inputs = [one.tokenizer(TEXT, return_tensors="pt") for one in (causal, plain)]
    assert torch.equal(inputs[0]["input_ids"], inputs[1]["input_ids"])
    with torch.inference_mode():
        torch.testing.assert_close(causal.model(**inputs[0]).logits, plain.model(**inputs[1]).logits)
    causal.model.save_pretrained(tmp_path / "saved")
    assert "quantization_config" not in json.loads((tmp_path / "saved" / "config.json").read_text())


def test_a_gguf_of_an_unknown_architecture_or_none_at_all(tmp_path: Path) -> None:
    folder = tiny_causal(tmp_path / "folder")
    assert "unheard" in fault(as_gguf(folder, tmp_path / "other.gguf", "unheard"))
    whole = as_gguf(folder, tmp_path / "tiny.gguf").read_bytes()
    (tmp_path / "cut.gguf").write_bytes(whole[: len(whole) // 2])
    fault(tmp_path / "cut.gguf")
    (tmp_path / "notes.gguf").write_text("notes")
    assert "does not begin as a GGUF does" in fault(tmp_path / "notes.gguf")


def test_a_folder_that_is_no_causal_model(tmp_path: Path) -> None:
    assert "no such folder or file" in fault(tmp_path / "none")
    assert "a model of type 'bert'" in fault(tiny_model(tmp_path / "bert"))
    folder = tmp_path / "folder"
    folder.mkdir()
    assert "without config.json (it holds nothing)" in fault(folder)
    (folder / "config.json").write_text("{}")
    assert "config.json without model_type" in fault(folder)
    (folder / "config.json").write_text("[")
    assert "not a JSON object" in fault(folder)


def test_files_that_are_missing(tmp_path: Path) -> None:
    folder = tiny_causal(tmp_path / "whole")
    for number, name in enumerate(("model.safetensors", "tokenizer.json")):
        shutil.copytree(folder, tmp_path / str(number))
        (tmp_path / str(number) / name).unlink()
        fault(tmp_path / str(number))
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(settings | {"num_hidden_layers": 3}))
    assert "weights that lack 9 tensors" in fault(folder)
