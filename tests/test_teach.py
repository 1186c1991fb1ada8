"""One example more: learned or not, forgotten or not, and nothing lost by a mistake."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.config import resolve
from agent.predict import predictions
from agent.progress import Progress
from agent.run import launch
from agent.rundir import RunDir, read_json
from agent.teach import changed, example_of, learn, teach, verdict
from tasks.faults import UserError
from tasks.task import load_task
from tests.conftest import Bench
from tests.fakes.fake_answerer import FakeAnswerer
from tests.fakes.fake_tagger import FakeTagger
from tests.fakes.fake_teacher import FakeTeacher, last_message
from tests.fakes.fake_writer import FakeWriter
from tests.fakes.tiny_model import tiny_model
from tests.fakes.toy import COLD, WARM, toy_answer, write_toy
from tests.fakes.toy_choice import question, toy_choice_answer, write_toy_choice
from tests.fakes.toy_instruction import toy_instruction_answer, write_toy_instruction
from tests.fakes.toy_ner import toy_ner_answer, write_toy_ner


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeTeacher]:
    with closing(FakeTeacher(toy_answer)) as teacher:
        yield teacher


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, fake: FakeTeacher) -> Path:
    """A finished run on seed examples alone, with a real student of two layers."""
    root = tmp_path_factory.mktemp("teach")
    tiny_model(root / "tiny", words=[*WARM, *COLD])
    student = {"model": str(root / "tiny"), "device": "cpu", "dtype": "float32", "min_steps": 30, "max_length": 16}
    teacher = {"base_url": fake.base_url, "model": fake.model, "ledger": str(root / "ledger.sqlite")}
    config = resolve({"task": str(write_toy(root / "toy")), "strategy": "seed_only", "iterations": 0, "shots": 4,
                      "student": student, "teacher": teacher})  # fmt: skip
    launch(config, root / "run", Progress())
    return root / "run"


def test_an_example_is_learned_measured_and_used_from_then_on(run: Path, fake: FakeTeacher) -> None:
    usage = read_json(run / "result.json")["teacher"]
    given = json.dumps({"text": "quick violet shop", "label": "warm"})
    done = teach(run, given, 3, Progress())
    assert done["after"]["label"] == "warm" and done["verdict"]["learned"] in {"yes", "by heart", "known"}
    assert done["after"]["confidence"] > done["before"]["confidence"]
    assert len(done["paraphrases"]) == 3 and done["test"]["texts"] == 20
    assert any(last_message(body).startswith("Rephrase this text in 3") for body in fake.asked)
    ((said),) = predictions(run, [("TEXTS", "quick violet shop")])
    assert said["label"] == "warm" and said["confidence"] == pytest.approx(done["after"]["confidence"], abs=1e-5)
    assert (run / "taught_001" / "model" / "adapter").is_dir()
    assert read_json(run / "result.json")["teacher"] == usage, "the run's own figures stay"

    again = teach(run, json.dumps({"text": "slow amber office", "label": "cold"}), 0, Progress())
    assert again["path"].endswith("taught_002") and again["paraphrases"] == []
    assert again["before"]["test"] == done["after"]["test"], "it goes on from the student that was taught before"
    ((said),) = predictions(run, [("TEXTS", "quick violet shop")])
    assert said["label"] == "warm", "what was taught before is replayed"


def test_a_teaching_that_was_cut_counts_for_nothing(tmp_path: Path) -> None:
    place = RunDir(tmp_path)
    assert place.next_taught().root.name == "taught_001"
    (tmp_path / "taught_001" / "adapter").mkdir(parents=True)
    assert place.taught() == [] == place.adapters()
    assert place.next_taught().root.name == "taught_001"
    (tmp_path / "taught_003").mkdir()
    (tmp_path / "taught_003" / "taught.json").write_text("{}")
    assert place.next_taught().root.name == "taught_004", "one in the middle was removed"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("violet", "--example: expected a JSON object with `label`, one of warm, cold, got 'violet'. For example {"),
        ('{"text": "x", "label": "hot"}', "--example: expected a JSON object with `label`, one of warm, cold"),
        ('{"text": "x"}', "--example: expected a JSON object with `label`, one of warm, cold"),
        ('{"text": " ", "label": "warm"}', "--example: expected a text that is not empty"),
    ],
)
def test_an_example_of_another_form_is_told(tmp_path: Path, given: str, said: str) -> None:
    with pytest.raises(UserError, match=re.escape(said)):
        example_of(given, load_task(str(write_toy(tmp_path / "toy"))))


def test_a_text_that_measures_cannot_be_taught(tmp_path: Path) -> None:
    task = load_task(str(write_toy(tmp_path / "toy")))
    given = json.dumps({"text": task.test[0].text.upper(), "label": "warm"})
    with pytest.raises(UserError, match=r"--example: expected a text that is not in data\.test"):
        example_of(given, task)


def test_a_run_that_has_not_ended_is_not_taught(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("task: x\n")
    with pytest.raises(UserError, match="RUN: expected a run that has ended"):
        teach(tmp_path, "{}", 0, Progress())


def test_what_became_of_the_test_texts_by_hand() -> None:
    before = {"gold": [0, 0, 1, 1], "predicted": [0, 1, 1, 1]}
    after = {"gold": [0, 0, 1, 1], "predicted": [0, 0, 0, 1]}
    found = changed(before, after, 2)
    assert (found["texts"], found["now_wrong"], found["now_right"]) == (4, 1, 1)
    before_f1, after_f1 = (2 / 3 + 4 / 5) / 2, (4 / 5 + 2 / 3) / 2
    assert found["difference"] == pytest.approx(after_f1 - before_f1)
    assert found["interval"][0] <= found["difference"] <= found["interval"][1]


@pytest.mark.parametrize(
    ("before", "after", "high", "learned", "forgotten"),
    [
        (("b", 0), ("a", 4), 0.1, "yes", "no"),
        (("b", 0), ("a", 1), -0.1, "by heart", "yes"),
        (("b", 0), ("b", 4), 0.0, "no", "no"),
        (("a", 4), ("a", 4), 0.0, "known", "no"),
        (("a", 1), ("a", 3), 0.0, "yes", "no"),
    ],
)
def test_the_verdict(before: Any, after: Any, high: float, learned: str, forgotten: str) -> None:
    sides = {when: {"right": label == "a", "paraphrases_right": right} for when, (label, right) in
             (("before", before), ("after", after))}  # fmt: skip
    record = {
        "example": {"label": "a"},
        "paraphrases": ["1", "2", "3", "4"],
        "test": {"interval": [-1.0, high]},
        **sides,
    }
    assert verdict(record) == {"learned": learned, "forgotten": forgotten}


def row_of_test(kind: str, number: str) -> dict[str, Any]:
    """A row of a toy task that stands in none of its data."""
    if kind == "ner":
        return {"text": f"Paris {number} is far", "entities": [{"start": 0, "end": 5, "label": "guest"}]}
    if kind == "choice":
        return question(number, "A")
    return {"instruction": f"Greet me, {number}.", "output": "Good morning to you!"}


@pytest.mark.parametrize(
    ("kind", "write", "answer"),
    [
        ("choice", write_toy_choice, toy_choice_answer),
        ("instruction", write_toy_instruction, toy_instruction_answer),
        ("ner", write_toy_ner, toy_ner_answer),
    ],
)
def test_an_example_of_any_kind_is_learned(kind: str, write: Any, answer: Any, tmp_path: Path) -> None:
    with closing(FakeTeacher(answer)) as teacher:
        bench = Bench(tmp_path, teacher)
        bench.task = write(tmp_path / kind)
        run = bench.run(bench.config(), "run")
    task = load_task(str(bench.task))
    example = example_of(json.dumps(row_of_test(kind, "taught")), task)
    student = {"choice": FakeWriter, "instruction": FakeAnswerer, "ner": FakeTagger}[kind](list(task.labels))
    done = learn(run, bench.config(), task, student, example, [])
    assert done["verdict"]["learned"] in {"yes", "known", "no"} and done["trained_on"] > 4
    if kind != "choice":  # the toy student of choices knows letters alone, and the lesson moves them
        assert done["after"]["confidence"] >= done["before"]["confidence"] - 0.01
    if kind == "instruction":
        assert (
            done["verdict"]["learned"] == "yes" and done["after"]["label"] == example.output != done["before"]["label"]
        )
    assert done["metric"] == {"choice": "accuracy", "instruction": "chrf", "ner": "micro_f1"}[kind]
    assert done["test"]["texts"] == len(task.test) and 0 <= done["after"]["test"] <= 1
    again = learn(run, bench.config(), task, student, example, [])
    assert again["before"]["test"] == done["after"]["test"], "it goes on from what was taught, as the file has it"


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        (write_toy_choice, '{"question": "q", "choices": {"A": "x"}, "answer": "A"}', "a choice for each letter"),
        (write_toy_instruction, '{"instruction": "q"}', "an answer in 'output', got none"),
        (write_toy_instruction, "q", "--example: expected a JSON object, got 'q'. For example {\"instruction\""),
    ],
)
def test_a_row_that_is_none_of_its_kind_is_told(kind: Any, given: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        example_of(given, load_task(str(kind(tmp_path / "toy"))))
    assert said in str(caught.value)
