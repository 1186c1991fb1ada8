"""A decoder that writes its answers: it learns them whole, stops, and says how likely each choice is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from agent.config import LoraSection, StudentConfig
from agent.student import generating
from agent.student.causal import load_causal
from agent.student.generating import generated, next_logits
from agent.student.opening import open_student
from agent.student.student import TrainRow
from agent.student.writer import Writer
from tasks.choice import turn
from tasks.faults import UserError
from tasks.task import joined
from tasks.written import written
from tests.fakes.tiny_causal import SIZES, tiny_causal
from tests.fakes.tiny_model import tiny_model

LABELS = ("A", "B")
TEXTS = [joined(["which is good", "story", "film"]), joined(["dull", "film", "story"])]
ROWS = [
    TrainRow(TEXTS[0], (0.0, 1.0), written=written("a film is good", "B")),
    TrainRow(TEXTS[1], (1.0, 0.0), written=written("the film was dull", "A")),
]


def student(weights: Path, **options: Any) -> Writer:
    fields = {"device": "cpu", "dtype": "float32", "max_length": 400, "min_steps": 4, "epochs": 1, "batch_size": 2}
    config = StudentConfig.model_validate({**fields, "lora": LoraSection(rank=8, dropout=0.0), **options})
    opened = open_student(config, LABELS, weights, pairs=True, writes="choice")
    assert isinstance(opened, Writer)
    return opened


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_causal(tmp_path_factory.mktemp("llama") / "weights", reads=512)


@pytest.fixture(scope="module")
def taught(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Writer, Path]:
    one, adapter = student(weights, min_steps=250, learning_rate=1e-2), tmp_path_factory.mktemp("taught") / "a"
    one.train(ROWS, adapter, None, seed=1)
    return one, adapter


def test_it_writes_what_it_learned_and_stops(taught: tuple[Writer, Path]) -> None:
    one, adapter = taught
    said = one.write(TEXTS, adapter)
    assert [row.text for row in said] == [row.written for row in ROWS] and all(row.stopped for row in said)
    given = one.predict(TEXTS, adapter)
    assert given.argmax(axis=1).tolist() == [1, 0] and given.max(axis=1).min() > 0.8
    np.testing.assert_allclose(given.sum(axis=1), 1.0, atol=1e-6)


def test_what_it_writes_does_not_depend_on_the_texts_beside(taught: tuple[Writer, Path]) -> None:
    one, adapter = taught
    longer = joined(["which is good the story the film the story", "story", "film"])
    both = one.predict([TEXTS[0], longer], adapter)
    np.testing.assert_allclose(one.predict([TEXTS[0]], adapter)[0], both[0], atol=1e-5)
    assert one.write([TEXTS[0]], adapter)[0] == one.write([TEXTS[0], longer], adapter)[0]
    again = one.write([TEXTS[0], longer, TEXTS[0]], adapter)
    assert again[0] == again[2] and again[:2] == one.write([TEXTS[0], longer], adapter)


def test_what_is_no_answer_has_no_probability(weights: Path, tmp_path: Path) -> None:
    one = student(weights)
    one.train(ROWS, tmp_path / "a", None, seed=1)  # four steps teach it nothing
    said, given = one.write(TEXTS, tmp_path / "a"), one.predict(TEXTS, tmp_path / "a")
    assert not any(row.stopped and row.text.endswith("</answer>") for row in said)
    assert given.shape == (2, 2) and not given.any()


@pytest.mark.parametrize(
    ("kind", "method"), [*((kind, "lora") for kind in SIZES), ("llama", "full"), ("llama", "qlora")]
)
def test_every_family_trains_goes_on_and_exports(kind: str, method: str, tmp_path: Path) -> None:
    one = student(tiny_causal(tmp_path / "weights", kind, reads=512), method=method)
    log = one.train(ROWS, tmp_path / "a", None, seed=1)
    one.train(ROWS, tmp_path / "b", tmp_path / "a", seed=1)
    one.train(ROWS, tmp_path / "c", None, seed=1)
    assert log.steps == 4 and log.truncated == 0 and log.trainable_parameters > 0
    same = [(tmp_path / name).glob("*.safetensors") for name in "ac"]
    assert [file.read_bytes() for file in same[0]] == [file.read_bytes() for file in same[1]]
    one.export(tmp_path / "a", tmp_path / "model")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    plain = AutoModelForCausalLM.from_pretrained(tmp_path / "model").eval()
    assert "quantization_config" not in json.loads((tmp_path / "model" / "config.json").read_text())
    prompts = one._asked(TEXTS)
    with torch.inference_mode():
        apart = torch.stack([plain(torch.tensor([ids])).logits[0, -1] for ids in prompts])
    ours = next_logits(one._on_device(tmp_path / "a"), prompts, tokenizer.eos_token_id, 10_000, "cpu")
    assert method == "qlora" or torch.allclose(apart, ours, atol=1e-4)


def test_generation_pads_on_the_left_and_equals_one_at_a_time(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    causal = load_causal(weights, torch.float32)
    prompts, end = [[5, 6, 7, 8, 9, 10], [5], [40, 41, 42]], causal.tokenizer.eos_token_id
    together = generated(causal.model, prompts, {end}, end, 6, 10_000, "cpu")
    alone = [generated(causal.model, [one], {end}, end, 6, 10_000, "cpu")[0] for one in prompts]
    assert together == alone
    assert [len(one.ids) for one in together] == [6, 6, 6]
    monkeypatch.setattr(generating, "ROUND", 2)
    assert generated(causal.model, prompts, {end}, end, 6, 10_000, "cpu") == alone
    second = together[1].ids[1]  # ends the second text in the first round, and the others where they say it
    some = generated(causal.model, prompts, {end, second}, end, 6, 10_000, "cpu")
    monkeypatch.undo()
    assert some == [generated(causal.model, [one], {end, second}, end, 6, 10_000, "cpu")[0] for one in prompts]
    free = together[0].ids[1]
    cut = generated(causal.model, prompts[:1], {free}, end, 6, 10_000, "cpu")[0]
    assert cut.stopped and cut.ids == together[0].ids[: together[0].ids.index(free)]


@pytest.mark.parametrize("kind", SIZES)
def test_every_family_goes_on_after_others_have_ended(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    causal = load_causal(tiny_causal(tmp_path / "weights", kind, reads=512), torch.float32)
    prompts, end = [[5, 6, 7, 8], [5], [40, 41, 42]], causal.tokenizer.eos_token_id
    monkeypatch.setattr(generating, "ROUND", 3)
    first = generated(causal.model, prompts, {end}, end, 8, 10_000, "cpu")
    ends = {end, first[0].ids[1]}
    together = generated(causal.model, prompts, ends, end, 8, 10_000, "cpu")
    assert together == [generated(causal.model, [one], ends, end, 8, 10_000, "cpu")[0] for one in prompts]
    assert together[0].stopped


def test_an_encoder_cannot_write(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a decoder, which can write its answers out, got .*\(bert\)"):
        student(tiny_model(tmp_path / "weights"))


def test_a_question_is_put_with_its_choices_and_the_form() -> None:
    said = turn(TEXTS[0], LABELS)
    assert said.startswith("which is good\nA. story\nB. film\n\nWrite your reasoning")


REQUESTS = ["which film is good", "say a dull story"]
FREE = [TrainRow(REQUESTS[0], (1.0,), written="the story"), TrainRow(REQUESTS[1], (1.0,), written="a dull film . dull")]


def test_free_answers_are_learned_whole_and_read_on_their_characters(weights: Path, tmp_path: Path) -> None:
    config = StudentConfig(
        device="cpu", dtype="float32", max_length=400, min_steps=250, epochs=1, batch_size=2, learning_rate=1e-2,
        lora=LoraSection(rank=8, dropout=0.0),
    )  # fmt: skip
    one = open_student(config, ["answer"], weights, writes="instruction")
    one.train(FREE, tmp_path / "a", None, seed=1)
    written = one.write(REQUESTS, tmp_path / "a")
    assert [row.text for row in written] == [row.written for row in FREE] and all(row.stopped for row in written)
    given = one.predict(REQUESTS, tmp_path / "a")
    read = one.read(REQUESTS, [row.text for row in written], tmp_path / "a")
    assert given.shape == (2, 1) and given.min() > 0
    model, tokenizer = one._on_device(tmp_path / "a"), one._base.tokenizer
    for text, answer, sure, tokens in zip(REQUESTS, written, given[:, 0], read, strict=True):
        (asked,) = one._chat.asked([text])  # type: ignore[attr-defined]
        ids = tokenizer(answer.text, add_special_tokens=False)["input_ids"]
        with torch.inference_mode():
            logits = model(torch.tensor([[*asked, *ids]])).logits[0].float().log_softmax(dim=-1)
        slow = [float(logits[len(asked) - 1 + place, token]) for place, token in enumerate(ids)]
        assert tokens is not None and tokens[-1].end == len(answer.text)
        np.testing.assert_allclose([token.logprob for token in tokens], slow, atol=1e-4)
        assert sure == pytest.approx(np.exp(np.mean(slow)), abs=1e-4)


def test_what_was_begun_is_read_and_not_learned(weights: Path) -> None:
    one = student(weights)
    text = written("a film is good", "B")
    whole, begun = (TrainRow(TEXTS[0], (0.0, 1.0), written=text, begun=count) for count in (0, text.index("is")))
    first, _, _ = one._lesson([whole])
    tokens, _, loss = one._lesson([begun])
    assert one._chat.text(tokens[0]) == one._chat.text(first[0])
    logits = torch.zeros(1, len(tokens[0]), one._base.model.config.vocab_size)
    before = float(loss(logits, [0]))
    learned = [at for at in range(len(tokens[0]) - 1) if _moves(loss, logits, at, tokens[0][at + 1], before)]
    rest = one._chat.answers([text[begun.begun :]])[0]
    assert learned == list(range(len(tokens[0]) - 1 - len(rest), len(tokens[0]) - 1))


def _moves(loss: Any, logits: torch.Tensor, at: int, token: int, before: float) -> bool:
    """Whether the loss depends on what is said of `token` after place `at`."""
    other = logits.clone()
    other[0, at, token] = 5.0
    return abs(float(loss(other, [0])) - before) > 1e-6
