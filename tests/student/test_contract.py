"""The Student protocol, kept alike by real encoders and decoders on tiny models and by the fake."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from agent.config import LoraSection, StudentConfig
from agent.student.opening import open_student
from agent.student.student import Student, TrainRow
from tasks.faults import UserError
from tests.fakes.fake_student import FakeStudent
from tests.fakes.tiny_causal import tiny_causal
from tests.fakes.tiny_model import tiny_model

LABELS = ("bad", "good")
BAD = ("boring", "awful", "dull", "weak", "worst", "mess", "tired", "hate")
GOOD = ("great", "clever", "bright", "sweet", "funny", "best", "warm", "joy")
TEXTS = tuple(f"the {noun} was {word}" for noun in ("film", "story", "cast") for word in (*BAD, *GOOD))
CONFIG = StudentConfig(
    epochs=1, min_steps=40, learning_rate=1e-3, batch_size=8, max_length=32, device="cpu", dtype="float32",
    lora=LoraSection(rank=4, dropout=0.05),
)  # fmt: skip


@pytest.fixture(scope="module")
def weights(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights") / "tiny"
    return tiny_causal(folder, kind.split()[1]) if " " in kind else tiny_model(folder)


@pytest.fixture(scope="module", params=["fake", "lora", "full", "lora llama"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def student(kind: str, weights: Path) -> Student:
    return opened(kind, weights, steps=160 if " " in kind else 60)  # a random decoder learns more slowly


@pytest.fixture(scope="module")
def brief(kind: str, weights: Path) -> Student:
    """The same student, trained for a few steps only, where it need not learn the set."""
    return opened(kind, weights, steps=6)


def opened(kind: str, weights: Path, steps: int) -> Student:
    if kind == "fake":
        return FakeStudent(LABELS)
    method = kind.split()[0]
    rate = 3e-3 if method == "full" else 1e-2
    config = CONFIG.model_copy(update={"method": method, "learning_rate": rate, "min_steps": steps})
    return open_student(config, LABELS, weights)


@pytest.fixture(scope="module")
def trained(student: Student, tmp_path_factory: pytest.TempPathFactory) -> Path:
    adapter = tmp_path_factory.mktemp("run") / "adapter"
    student.train(rows(), adapter, None, seed=1)
    return adapter


def rows(flip: bool = False) -> list[TrainRow]:
    """Two thirds of TEXTS with hard labels; `flip` gives each the other label."""
    return [TrainRow(text, target(text, flip)) for text in TEXTS[:32]]


def target(text: str, flip: bool = False) -> tuple[float, float]:
    good = text.split()[-1] in GOOD
    return (0.0, 1.0) if good != flip else (1.0, 0.0)


def same_files(left: Path, right: Path) -> bool:
    names = sorted(path.name for path in left.iterdir())
    assert names == sorted(path.name for path in right.iterdir())
    return all((left / name).read_bytes() == (right / name).read_bytes() for name in names)


def test_learns_a_separable_set(student: Student, trained: Path) -> None:
    unseen = TEXTS[32:]
    given = student.predict(unseen, trained)
    assert given.shape == (16, 2)
    assert given.dtype == np.float64
    np.testing.assert_allclose(given.sum(axis=1), 1, atol=1e-6)
    assert (given.argmax(axis=1) == [target(text)[1] for text in unseen]).mean() >= 0.9


def test_the_log_says_what_was_done(brief: Student, tmp_path: Path) -> None:
    long = TrainRow("good " * 100, (0.0, 1.0))
    log = brief.train([*rows(), long], tmp_path / "a", None, seed=1)
    assert (log.examples, log.truncated) == (33, 1)
    assert log.steps == len(log.losses) >= 6
    assert log.trainable_parameters > 0


def test_soft_targets_are_learned_as_such(student: Student, tmp_path: Path) -> None:
    soft = [TrainRow(row.text, (0.3, 0.7) if row.target[1] else (0.7, 0.3)) for row in rows()]
    student.train(soft, tmp_path / "a", None, seed=1)
    given = student.predict([row.text for row in soft], tmp_path / "a").max(axis=1)
    assert abs(given.mean() - 0.7) < 0.08


def test_weights_count(student: Student, tmp_path: Path) -> None:
    mixed = [TrainRow(row.text, row.target, 1.0) for row in rows()]
    mixed += [TrainRow(row.text, row.target, 0.0) for row in rows(flip=True)]
    student.train(mixed, tmp_path / "a", None, seed=1)
    given = student.predict([row.text for row in rows()], tmp_path / "a")
    assert (given.argmax(axis=1) == [row.target[1] for row in rows()]).mean() >= 0.9


def test_same_seed_same_bytes_whatever_happened_before(brief: Student, tmp_path: Path) -> None:
    brief.train(rows(), tmp_path / "first", None, seed=1)
    brief.train(rows(flip=True), tmp_path / "other", None, seed=2)
    brief.predict(TEXTS, tmp_path / "other")
    brief.train(rows(), tmp_path / "again", None, seed=1)
    assert same_files(tmp_path / "first", tmp_path / "again")
    assert not same_files(tmp_path / "first", tmp_path / "other")


def test_input_order_and_batch_composition_do_not_matter(student: Student, trained: Path) -> None:
    texts = ["good", "the film was dull " * 4, "bad " * 9, "", "a clever story", *TEXTS]
    together = student.predict(texts, trained)
    alone = np.concatenate([student.predict([text], trained) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(student.predict(texts[::-1], trained)[::-1], together, atol=1e-5)


def test_features_have_length_1_and_do_not_depend_on_the_other_texts(student: Student) -> None:
    texts = ["a slow film", "a much longer text about a parcel that came late", "a slow film"]
    together = student.embed(texts)
    assert together.shape[0] == 3 and np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert np.allclose(together[0], together[2], atol=1e-5)
    assert np.allclose(student.embed(texts[:1]), together[:1], atol=1e-5)
    assert student.embed([]).shape[0] == 0


def test_the_nearest_words_are_other_words(student: Student) -> None:
    assert len(student.nearest_words("good", 3)) <= 3
    assert "good" not in student.nearest_words("good", 3)


def test_no_texts(student: Student, trained: Path) -> None:
    assert student.predict([], trained).shape == (0, 2)


def test_going_on_from_an_adapter(brief: Student, trained: Path, tmp_path: Path) -> None:
    first = brief.train(rows(), tmp_path / "a", trained, seed=3)
    brief.predict(TEXTS, trained)
    brief.train(rows(), tmp_path / "b", trained, seed=3)
    assert same_files(tmp_path / "a", tmp_path / "b")
    assert not same_files(tmp_path / "a", trained)
    assert first.losses[0] < 0.4  # ln 2 = 0.69 from the base


def test_a_rewritten_adapter_is_read_again(student: Student, trained: Path, tmp_path: Path) -> None:
    adapter = tmp_path / "adapter"
    shutil.copytree(trained, adapter)
    before = student.predict(TEXTS, adapter)
    student.train(rows(flip=True), adapter, None, seed=1)
    after = student.predict(TEXTS, adapter)
    assert (before.argmax(axis=1) != after.argmax(axis=1)).mean() > 0.8
    assert [path.name for path in tmp_path.iterdir()] == ["adapter"]


def test_a_failed_training_leaves_the_old_adapter(student: Student, trained: Path) -> None:
    before = student.predict(TEXTS, trained)
    with pytest.raises(ValueError, match="targets"):
        student.train([TrainRow("good", (1.0, 0.0, 0.0))], trained, None, seed=1)
    with pytest.raises(ValueError, match="no rows"):
        student.train([], trained, None, seed=1)
    np.testing.assert_array_equal(student.predict(TEXTS, trained), before)


def test_two_threads_at_once(student: Student, trained: Path) -> None:
    alone = student.predict(TEXTS, trained)
    given: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: given.append(student.predict(TEXTS, trained))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for answer in given:
        np.testing.assert_array_equal(answer, alone)


def test_an_adapter_that_is_not_there(student: Student, tmp_path: Path) -> None:
    for call in (
        lambda: student.predict(["good"], tmp_path / "none"),
        lambda: student.train(rows(), tmp_path / "a", tmp_path / "none", seed=1),
        lambda: student.export(tmp_path / "none", tmp_path / "model"),
    ):
        with pytest.raises(UserError, match="expected an adapter folder, got no such folder"):
            call()
    assert list(tmp_path.iterdir()) == []
