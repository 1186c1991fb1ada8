"""The pieces of the training loop, on cases worked by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer

from agent.config import StudentConfig
from agent.student.batches import by_length, padded, shuffled, tokenise
from agent.student.opening import open_student
from agent.student.student import TrainRow
from agent.student.trainer import number_of_steps, parts, rate, soft_cross_entropy
from tests.fakes.tiny_causal import tiny_causal
from tests.fakes.tiny_model import tiny_model


def test_soft_cross_entropy_by_hand() -> None:
    logits = torch.tensor([[0.0, 0.0], [math.log(3), 0.0]])
    targets = torch.tensor([[0.5, 0.5], [0.0, 1.0]])
    loss = soft_cross_entropy(logits, targets, torch.tensor([1.0, 1.0]))
    assert float(loss) == pytest.approx((math.log(2) + math.log(4)) / 2)
    loss = soft_cross_entropy(logits, targets, torch.tensor([2.0, 0.0]))
    assert float(loss) == pytest.approx(math.log(2))


def test_a_hard_target_gives_the_ordinary_cross_entropy() -> None:
    logits = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0, 2, 1, 1, 0])
    soft = soft_cross_entropy(logits, torch.nn.functional.one_hot(labels, 3).float(), torch.ones(5))
    assert float(soft) == pytest.approx(float(torch.nn.functional.cross_entropy(logits, labels)))


def test_steps_are_epochs_or_the_least_number() -> None:
    config = StudentConfig(epochs=4, min_steps=60, batch_size=16)
    assert number_of_steps(2, 10, config) == 60
    assert number_of_steps(320, 10, config) == 80
    assert number_of_steps(321, 10, config) == 84


def test_many_examples_need_fewer_epochs_than_a_handful() -> None:
    config = StudentConfig(epochs=8, min_steps=40, max_steps=100, batch_size=16)
    assert [number_of_steps(n, 10, config) for n in (16, 160, 200, 2000)] == [40, 80, 100, 100]
    assert number_of_steps(2000, 10, config.model_copy(update={"max_steps": None})) == 1000
    assert number_of_steps(2000, 10, config.model_copy(update={"max_steps": 10})) == 40


def test_the_rate_rises_and_falls_to_nearly_zero() -> None:
    rates = [rate(step, 100) for step in range(100)]
    assert rates[:10] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    assert rates[10] == 1.0
    assert rates[99] == pytest.approx(1 / 90)
    assert rate(0, 1) == 1.0


def test_an_epoch_has_every_text_once_and_depends_on_the_seed_alone() -> None:
    tokens = [[0] * (index % 7 + 1) for index in range(50)]
    epoch = shuffled(tokens, 4, torch.Generator().manual_seed(3))
    assert sorted(index for batch in epoch for index in batch) == list(range(50))
    assert {len(batch) for batch in epoch} == {4, 2}
    assert epoch == shuffled(tokens, 4, torch.Generator().manual_seed(3))
    assert epoch != shuffled(tokens, 4, torch.Generator().manual_seed(4))


def test_batches_by_length_keep_to_the_budget() -> None:
    tokens = [[0] * length for length in (3, 9, 4, 40, 4, 1)]
    assert by_length(tokens, 12) == [[3], [1], [2, 4, 0], [5]]
    assert by_length([], 12) == []


def test_padding_is_masked() -> None:
    inputs = padded([[5, 6], [7]], 9, "cpu")
    assert inputs["input_ids"].tolist() == [[5, 6], [7, 9]]
    assert inputs["attention_mask"].tolist() == [[1, 1], [1, 0]]


def test_many_labels_need_more_steps_whatever_the_most() -> None:
    config = StudentConfig(epochs=8, batch_size=16, min_steps=40, max_steps=100)
    assert [number_of_steps(20, least, config) for least in (10, 40, 45, 385)] == [40, 40, 45, 385]
    assert number_of_steps(2000, 385, config) == 385


def test_two_texts_are_joined_in_the_models_way_and_the_longer_one_is_cut(tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model(tmp_path / "tiny"))
    text = "good film good film\nbad"
    whole, cut = tokenise(tokenizer, [text], 32, pairs=True)
    assert whole == [tokenizer("good film good film", "bad")["input_ids"]] and cut == 0
    short, cut = tokenise(tokenizer, [text], 6, pairs=True)
    assert cut == 1 and len(short[0]) == 6
    assert tokenizer("bad", add_special_tokens=False)["input_ids"][0] in short[0]
    assert tokenise(tokenizer, [text], 32)[0] == [tokenizer(text)["input_ids"]]


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_parts_of_a_batch_and_checkpointing_change_memory_alone(kind: str, tmp_path: Path) -> None:
    weights = tiny_causal(tmp_path / "weights", kind)
    rows = [
        TrainRow("a good film", (0.0, 1.0)),
        TrainRow("bad", (1.0, 0.0)),
        TrainRow("the story was dull", (0.8, 0.2)),
    ]
    said = []
    for options in ({}, {"micro_batch": 2}, {"checkpointing": True}):
        config = StudentConfig.model_validate(
            {"device": "cpu", "dtype": "float32", "max_length": 16, "min_steps": 4, "epochs": 1, "batch_size": 3,
             "lora": {"rank": 2, "dropout": 0}, **options}
        )  # fmt: skip
        student = open_student(config, ("no", "yes"), weights)
        log = student.train(rows, tmp_path / "adapter", None, seed=1)
        said.append((log.losses, student.predict(["good", "a bad film"], tmp_path / "adapter").tolist()))
    for losses, given in said[1:]:
        assert losses == pytest.approx(said[0][0], abs=1e-5)
        assert torch.allclose(torch.tensor(given), torch.tensor(said[0][1]), atol=1e-4)


def test_parts() -> None:
    assert parts([3, 1, 2], None) == [[3, 1, 2]]
    assert parts([3, 1, 2], 2) == [[3, 1], [2]]
