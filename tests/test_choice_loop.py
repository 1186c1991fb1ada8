"""The whole loop on a task of choices with reasoning: the real graph, nodes and teacher client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.estimate import estimate
from agent.plan import plan_of
from agent.rundir import RunDir, read_json, read_jsonl
from tasks.faults import UserError
from tasks.task import load_task
from tasks.written import read_answer
from tests.conftest import Bench
from tests.fakes.fake_teacher import FakeTeacher, last_message
from tests.fakes.toy_choice import toy_choice_answer, write_toy_choice


@pytest.fixture
def quiz(tmp_path: Path) -> Iterator[Bench]:
    with closing(FakeTeacher(toy_choice_answer)) as fake:
        bench = Bench(tmp_path, fake)
        bench.task = write_toy_choice(tmp_path / "warmth")
        yield bench


def rows_of(run: RunDir, name: str) -> list[dict[str, object]]:
    return [row for one in run.iterations() for row in read_jsonl(getattr(one, name))]


def test_the_loop_learns_answers_with_their_reasoning(quiz: Bench) -> None:
    run = quiz.run(quiz.config(), "run")
    result = read_json(run.result)
    assert result["metric"]["name"] == "accuracy" and 0 <= result["metric"]["test"] <= 1
    history = read_jsonl(run.history)
    assert {row["source"] for row in history} == {"seed", "pool", "hard", "easy"}
    assert all(row["reasoning"] for row in history), "every example says why"
    made = [row for row in history if row["iteration"] > 0]
    assert all(row["label"] == row["intended"] for row in made if row["intended"])
    test = [row["question"] for row in read_jsonl(quiz.task.parent / "test.jsonl")]
    assert not any(text in last_message(body) for text in test for body in quiz.fake.asked)


def test_what_the_student_wrote_is_kept_and_how_often_it_stopped_is_measured(quiz: Bench) -> None:
    run = quiz.run(quiz.config(), "run")
    examined = rows_of(run, "predictions")
    assert examined
    for row in examined:
        answer = read_answer(str(row["written"]), ("A", "B"), reasoned=False).answer
        assert row["predicted"] == (answer if row["stopped"] else "no answer")
    measured = read_jsonl(run.metrics)[-1]["test"]
    assert 0 < measured["stopped"] < 1 and measured["unanswered"] == pytest.approx(1 - measured["stopped"])


def test_answers_without_a_reason_worth_learning_are_dropped_and_counted(quiz: Bench) -> None:
    run = quiz.run(quiz.config(), "run")
    assert {"no_answer", "too_short"} <= {row["reason"] for row in rows_of(run, "dropped")}
    assert all(row["counts"]["made"] == row["counts"]["kept"] + sum(row["counts"]["dropped"].values())
               for row in read_jsonl(run.metrics)[1:])  # fmt: skip


def test_the_report_shows_what_was_written(quiz: Bench) -> None:
    run = quiz.run(quiz.config(), "run")
    assert "accuracy" in run.report.read_text(encoding="utf-8")
    weakness = run.iteration(1).weakness.read_text(encoding="utf-8")
    assert "| what it wrote |" in weakness and "it looks like that one" in weakness


@pytest.mark.parametrize("strategy", ["static", "auggpt", "llm2llm", "full_shot", "teacher_shot", "uncertainty"])
def test_strategies_that_make_sense_run(quiz: Bench, strategy: str) -> None:
    run = quiz.run(quiz.config(strategy=strategy), "run")
    made = [row for row in read_jsonl(run.history) if row["iteration"] > 0]
    assert made and all(row["label"] in {"A", "B"} for row in made)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"without": ["separation"]}, "only that call tells why an answer is right"),
        ({"without": ["selftrain"]}, "a task of kind choice has none"),
        ({"strategy": "eda"}, "one for a task of kind choice"),
        ({"teacher": {"texts_per_label_call": 4}}, "1 for a task of kind choice"),
    ],
)
def test_what_is_for_labels_alone_is_refused(quiz: Bench, fields: dict[str, object], said: str) -> None:
    config = quiz.config(**fields)
    with pytest.raises(UserError) as caught:
        plan_of(config, load_task(config.task))
    assert said in str(caught.value)


def test_a_plan_shows_the_question_as_it_will_be_asked(quiz: Bench) -> None:
    found = estimate(quiz.config())
    asked = [content for messages in found["prompts"].values() for _, content in messages]
    assert any("between <reasoning> and </reasoning>" in said for said in asked)
    assert any('has the right choice "A"' in said and '{"question": "...", "A": "...", "B": "..."}' in said
               for said in asked)  # fmt: skip
