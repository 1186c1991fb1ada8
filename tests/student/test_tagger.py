"""A student that tags words: the contract of student.py, kept alike by the real encoder and by the fake."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer

from agent.config import LoraSection, StudentConfig
from agent.student.heads import NOWHERE, first_tokens, places, word_loss
from agent.student.opening import open_student
from agent.student.student import Student, TrainRow
from agent.student.transitions import chained, read_moves
from tasks import ner
from tasks.spans import tags, words
from tasks.task import Entity, Example
from tests.fakes.fake_tagger import FakeTagger
from tests.fakes.tiny_model import tiny_model

LABELS = ("film", "cast")
CONFIG = StudentConfig(
    epochs=1, min_steps=60, learning_rate=1e-2, batch_size=8, max_length=32, device="cpu", dtype="float32",
    lora=LoraSection(rank=4, dropout=0.0),
)  # fmt: skip


def example(one: str, other: str) -> Example:
    text = f"the {one} was unheard-of, {other} said"
    at = text.index(f", {other}") + 2
    return Example(text, "film", (Entity(4, 4 + len(one), "film"), Entity(at, at + len(other), "cast")))


EXAMPLES = [example(one, other) for one in ("story", "scene", "film plot", "game") for other in ("people", "young man")]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("weights") / "tiny")


@pytest.fixture(scope="module", params=["fake", "lora", "full"])
def student(request: pytest.FixtureRequest, weights: Path) -> Student:
    if request.param == "fake":
        return FakeTagger(LABELS)
    rate = 3e-3 if request.param == "full" else 1e-2
    config = CONFIG.model_copy(update={"method": request.param, "learning_rate": rate})
    return open_student(config, LABELS, weights, spans=True)


def rows(examples: list[Example] = EXAMPLES) -> list[TrainRow]:
    return [TrainRow(one.text, ner.target(one, LABELS)) for one in examples]


@pytest.fixture(scope="module")
def trained(student: Student, tmp_path_factory: pytest.TempPathFactory) -> Path:
    adapter = tmp_path_factory.mktemp("run") / "adapter"
    student.train(rows(), adapter, None, seed=1)
    return adapter


def test_its_outputs_are_tags_and_it_learns_them(student: Student, trained: Path) -> None:
    assert student.labels == tags(LABELS)
    given = student.predict([one.text for one in EXAMPLES], trained)
    assert given.shape == (8, max(len(words(one.text)) for one in EXAMPLES), 5)
    assert [ner.said(one.text, row, LABELS) for one, row in zip(EXAMPLES, given, strict=True)] == EXAMPLES
    for one, row in zip(EXAMPLES, given, strict=True):
        count = len(words(one.text))
        np.testing.assert_allclose(row[:count].sum(axis=1), 1, atol=1e-6)
        assert not row[count:].any()


def test_a_texts_rows_do_not_depend_on_the_other_texts(student: Student, trained: Path) -> None:
    texts = [EXAMPLES[0].text, "good " * 9, "a"]
    together = student.predict(texts, trained)
    for text, row in zip(texts, together, strict=True):
        alone = student.predict([text], trained)[0]
        np.testing.assert_allclose(row[: len(alone)], alone, atol=1e-5)
    assert student.predict([], trained).shape[0] == 0


def test_the_same_seed_gives_the_same_bytes(student: Student, trained: Path, tmp_path: Path) -> None:
    student.train(rows(), tmp_path / "again", None, seed=1)
    for path in trained.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


def test_words_it_did_not_read_are_as_likely_anything(student: Student, trained: Path) -> None:
    given = student.predict(["good " * 100], trained)[0]
    assert len(given) == 100
    np.testing.assert_allclose(given[99], 1 / 5)
    long = Example("good " * 100, "O", ())
    log = student.train([*rows(), TrainRow(long.text, ner.target(long, LABELS))], trained.parent / "long", None, seed=1)
    assert log.truncated == 1


def test_targets_of_another_length_are_refused(student: Student, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="targets"):
        student.train([TrainRow("one two", ((1.0, 0.0, 0.0, 0.0, 0.0),))], tmp_path / "a", None, seed=1)


def test_the_export_is_a_plain_token_classifier(weights: Path, tmp_path: Path) -> None:
    student = open_student(CONFIG, LABELS, weights, spans=True)
    student.train(rows(), tmp_path / "adapter", None, seed=1)
    student.export(tmp_path / "adapter", tmp_path / "model")
    model = AutoModelForTokenClassification.from_pretrained(tmp_path / "model")
    assert list(model.config.id2label.values()) == ["O", "B-film", "I-film", "B-cast", "I-cast"]
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    text = EXAMPLES[0].text
    with torch.inference_mode():
        logits = model(**tokenizer(text, return_tensors="pt")).logits[0].softmax(dim=-1)
    mine = first_tokens(tokenizer, [text], 32)[0]
    moves = read_moves(tmp_path / "model" / "adapter")  # a plain model gives each word by itself
    alone = logits[mine].numpy().astype(float)
    np.testing.assert_allclose(chained(alone, moves), student.predict([text], tmp_path / "adapter")[0], atol=1e-5)


def test_a_word_is_where_its_first_token_is_and_special_tokens_are_no_words() -> None:
    # [CLS] un ##heard - of [SEP]
    offsets = [(0, 0), (0, 2), (2, 7), (7, 8), (8, 10), (0, 0)]
    assert places(words("unheard-of"), offsets) == [1, 3, 4]
    assert places(words("unheard-of you"), offsets) == [1, 3, 4, NOWHERE], "cut"
    assert places([(0, 1), (1, 2)], [(0, 0), (0, 2), (0, 0)]) == [1, 1], "one token of two words"
    assert places([(0, 1), (2, 3)], [(0, 0), (2, 3), (0, 0)]) == [NOWHERE, 1], "a character that was dropped"


def test_other_tokens_have_no_part_in_the_loss() -> None:
    row = TrainRow("ab c", ((1.0, 0.0), (0.0, 1.0)))
    loss = word_loss([row], [[1, 3]], 2)
    logits = torch.zeros(1, 5, 2)
    before = float(loss(logits, [0]))
    assert before == pytest.approx(np.log(2))
    logits[0, [0, 2, 4]] = torch.tensor([50.0, -50.0])
    assert float(loss(logits, [0])) == pytest.approx(before)
    assert float(word_loss([row], [[NOWHERE, NOWHERE]], 2)(logits, [0])) == 0.0, "no word was read"
