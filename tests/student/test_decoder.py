"""Decoders as classifiers: every family, the prompt that follows a text, a head that knows the labels' names, 4 bit."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import PeftModel
from tokenizers.processors import TemplateProcessing
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

from agent.config import LoraSection, StudentConfig
from agent.student import four_bit
from agent.student.decoder import PROMPT
from agent.student.opening import open_student
from agent.student.student import TrainRow
from tasks.faults import UserError
from tests.fakes.tiny_causal import SIZES, as_gguf, tiny_causal
from tests.fakes.tiny_model import tiny_model

LABELS = ("bad", "good")
TEXTS = ["a good film", "", "<|endoftext|>", "the story was dull " * 20]
ROWS = [TrainRow("a good film", (0.0, 1.0)), TrainRow("bad", (1.0, 0.0)), TrainRow("a story", (0.5, 0.5))]
PROJECTED = {
    "gpt2": {"c_attn", "c_proj", "c_fc"},
    "others": {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"},
}


def config(**options: Any) -> StudentConfig:
    fields = {"device": "cpu", "dtype": "float32", "max_length": 32, "min_steps": 4, "epochs": 1, "batch_size": 3}
    return StudentConfig.model_validate({**fields, "lora": LoraSection(rank=2), **options})


def probabilities(model: Any, folder: Path) -> np.ndarray:
    """(N, L) of plain transformers, all texts in one padded batch, with the exported tokenizer."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    inputs = tokenizer(TEXTS, truncation=True, max_length=32, padding=True, return_tensors="pt")
    inputs.pop("token_type_ids", None)
    with torch.inference_mode():
        given: np.ndarray = model.eval()(**inputs).logits.softmax(-1).numpy()
    return given


@pytest.mark.parametrize(
    ("kind", "method"), [*((kind, "lora") for kind in SIZES), ("llama", "full"), ("llama", "qlora"), ("qwen2", "qlora")]
)
def test_every_family_trains_predicts_and_exports(kind: str, method: str, tmp_path: Path) -> None:
    weights = tiny_causal(tmp_path / "weights", kind)
    student = open_student(config(method=method), LABELS, weights)
    log = student.train(ROWS, tmp_path / "a", None, seed=1)
    again = student.train(ROWS, tmp_path / "b", tmp_path / "a", seed=1)
    assert log.trainable_parameters == again.trainable_parameters
    given = student.predict(TEXTS, tmp_path / "a")
    alone = np.concatenate([student.predict([text], tmp_path / "a") for text in TEXTS])
    np.testing.assert_allclose(given, alone, atol=1e-5)
    student.export(tmp_path / "a", tmp_path / "model")
    plain = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model")
    np.testing.assert_allclose(probabilities(plain, tmp_path / "model"), given, atol=1e-5)
    assert "quantization_config" not in json.loads((tmp_path / "model" / "config.json").read_text())
    assert str(tmp_path) not in "".join(path.read_text() for path in (tmp_path / "model").rglob("*.json"))
    if method == "lora":
        adapter = json.loads((tmp_path / "a" / "adapter_config.json").read_text())
        assert {name.rpartition(".")[2] for name in adapter["target_modules"]} == PROJECTED.get(
            kind, PROJECTED["others"]
        )
        assert adapter["fan_in_fan_out"] == (kind == "gpt2")
        settings = AutoConfig.from_pretrained(tmp_path / "model")
        base = AutoModelForSequenceClassification.from_pretrained(weights, config=settings)
        joined = PeftModel.from_pretrained(base, tmp_path / "model" / "adapter")
        np.testing.assert_allclose(probabilities(joined, tmp_path / "model"), given, atol=1e-5)


@pytest.mark.parametrize("tied", [True, False])
def test_the_head_starts_as_the_likelihood_of_the_names(tied: bool, tmp_path: Path) -> None:
    weights = tiny_causal(tmp_path / "weights")
    causal = AutoModelForCausalLM.from_pretrained(weights, tie_word_embeddings=tied)
    if not tied:
        torch.nn.init.normal_(causal.lm_head.weight)
        causal.save_pretrained(weights)
    student = open_student(config(), LABELS, weights)
    plain = AutoTokenizer.from_pretrained(weights)
    names = [plain(f" {label}")["input_ids"] for label in LABELS]
    inputs = plain("a good film" + PROMPT, return_tensors="pt", return_token_type_ids=False)
    with torch.inference_mode():
        logits = causal.eval()(**inputs).logits[0, -1]
        given = student._base.model(**student._base.tokenizer("a good film", return_tensors="pt")).logits[0]
    torch.testing.assert_close(given, torch.stack([logits[ids].mean() for ids in names]), atol=1e-4, rtol=1e-4)


def test_the_prompt_follows_each_text_and_each_pair_and_is_never_cut(tmp_path: Path) -> None:
    weights = tiny_causal(tmp_path / "weights")
    plain = AutoTokenizer.from_pretrained(weights)
    student = open_student(config(), LABELS, weights, pairs=True)
    one, two = "the film was long and slow " * 9, "good"
    tokens, cut = student._tokens([f"{one}\n{two}", "a\nb"])
    prompt = plain(PROMPT)["input_ids"]
    assert cut == 1 and len(tokens[0]) == 32
    assert all(ids[-len(prompt) :] == prompt for ids in tokens)
    assert tokens[1] == [*plain("a")["input_ids"], *plain("\n")["input_ids"], *plain("b")["input_ids"], *prompt]


def test_a_token_that_begins_each_text_still_does(tmp_path: Path) -> None:
    weights = tiny_causal(tmp_path, special=["<s>"], bos_token="<s>")
    plain = AutoTokenizer.from_pretrained(weights)
    begin = ("<s>", plain.bos_token_id)
    plain.backend_tokenizer.post_processor = TemplateProcessing(single="<s> $A", special_tokens=[begin])
    plain.save_pretrained(weights)
    wanted = [*plain("a")["input_ids"], *plain(PROMPT, add_special_tokens=False)["input_ids"]]
    assert wanted[0] == plain.bos_token_id
    assert open_student(config(), LABELS, weights)._tokens(["a"])[0] == [wanted]


def test_a_gguf_is_made_dense_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVOKD_CACHE", str(tmp_path / "cache"))
    folder = tiny_causal(tmp_path / "folder")
    file = as_gguf(folder, tmp_path / "tiny.gguf")
    student = open_student(config(), LABELS, file)
    student.train(ROWS, tmp_path / "a", None, seed=1)
    given = student.predict(TEXTS, tmp_path / "a")
    plain = open_student(config(), LABELS, folder)
    np.testing.assert_allclose(plain.predict(TEXTS, tmp_path / "a"), given, atol=2e-2)  # float16 between them
    made = [path for path in (tmp_path / "cache" / "dense").iterdir() if path.is_dir()]
    assert len(made) == 1
    before = (made[0] / "model.safetensors").stat().st_mtime_ns
    open_student(config(max_length=16), LABELS, file)
    assert (made[0] / "model.safetensors").stat().st_mtime_ns == before


def test_words_of_a_byte_level_vocabulary(tmp_path: Path) -> None:
    student = open_student(config(), LABELS, tiny_causal(tmp_path / "weights"))
    near = student.nearest_words("good", 3)
    assert len(near) == 3 and "good" not in near and all(word.isalpha() for word in near)


def test_qlora_where_it_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"student.method: expected lora or full for an encoder, got 'qlora'"):
        open_student(config(method="qlora"), LABELS, tiny_model(tmp_path / "bert"))
    monkeypatch.setattr(four_bit, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"student.method: qlora: expected bitsandbytes .*pip install 'evokd\[qlora\]'"):
        open_student(config(method="qlora"), LABELS, tiny_causal(tmp_path / "llama"))


def test_weights_that_are_missing(tmp_path: Path) -> None:
    weights = tiny_causal(tmp_path / "weights")
    shutil.copytree(weights, tmp_path / "cut")
    settings = json.loads((weights / "config.json").read_text())
    (tmp_path / "cut" / "config.json").write_text(json.dumps(settings | {"num_hidden_layers": 3}))
    with pytest.raises(UserError, match="weights that lack 9 tensors"):
        open_student(config(), LABELS, tmp_path / "cut")
