"""The whole loop on a task of instructions with free answers: the real graph, nodes and teacher client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.config import RunConfig, read_recipe
from agent.das import BY_SENTENCES
from agent.das.token_spans import spelled
from agent.estimate import estimate
from agent.example import read_examples
from agent.nodes.train import written_rows
from agent.plan import configure, plan_of
from agent.run import check_goes_on
from agent.rundir import RunDir, read_json, read_jsonl
from agent.teacher.messages import Request
from agent.teacher.teacher import open_teacher
from tasks.faults import UserError
from tasks.task import load_task
from tests.conftest import Bench
from tests.fakes.fake_teacher import Answer, Body, FakeTeacher, last_message
from tests.fakes.toy_instruction import toy_instruction_answer, write_toy_instruction
from tests.test_resume import Killed, contents, without_ledger

TWO_STAGE = Path(__file__).parents[1] / "benchmarks" / "two_stage.yaml"


@pytest.fixture
def asks(tmp_path: Path) -> Iterator[Bench]:
    with closing(FakeTeacher(toy_instruction_answer)) as fake:
        bench = Bench(tmp_path, fake)
        bench.task = write_toy_instruction(tmp_path / "things")
        yield bench


def rows_of(run: RunDir, name: str) -> list[dict[str, Any]]:
    return [row for one in run.iterations() for row in read_jsonl(getattr(one, name))]


def test_the_loop_learns_the_teachers_answers(asks: Bench) -> None:
    run = asks.run(asks.config(), "run")
    result = read_json(run.result)
    assert result["metric"]["name"] == "chrf" and 0 < result["metric"]["test"] <= 1
    history = read_jsonl(run.history)
    assert {row["source"] for row in history} == {"seed", "pool", "hard", "easy"}
    assert all(row["output"].startswith("This is the ") for row in history)
    measured = read_jsonl(run.metrics)[-1]["test"]
    assert 0 < measured["rougel"] <= measured["rouge1"] <= 1
    assert measured["unanswered"] == pytest.approx(1 - measured["stopped"]) and measured["stopped"] < 1
    test = [row["instruction"] for row in read_jsonl(asks.task.parent / "test.jsonl")]
    assert not any(text in last_message(body) for text in test for body in asks.fake.asked)


def test_answers_that_go_round_in_circles_are_dropped_and_counted(asks: Bench) -> None:
    run = asks.run(asks.config(), "run")
    assert "repeats" in {row["reason"] for row in rows_of(run, "dropped")}
    for row in read_jsonl(run.metrics)[1:]:
        assert row["counts"]["made"] == row["counts"]["kept"] + sum(row["counts"]["dropped"].values())


def test_the_report_shows_both_answers_those_least_alike_first(asks: Bench) -> None:
    run = asks.run(asks.config(), "run")
    page = run.report.read_text(encoding="utf-8")
    assert "What the student writes" in page and "<td>base</td>" in page and "F1 of each class" not in page
    assert "## Scores before and after this training" in run.iteration(1).weakness.read_text(encoding="utf-8")
    weakness = run.iteration(1).weakness.read_text(encoding="utf-8")
    assert "| teacher's answer |" in weakness and "chrF against the teacher's below 50" in weakness
    asked = [last_message(body) for body in asks.fake.asked if "weaknesses" in last_message(body)]
    assert asked and all("=> it said" in said and "a right answer is This is the" in said for said in asked)


@pytest.mark.parametrize("strategy", ["static", "auggpt", "full_shot", "teacher_shot", "uncertainty", "longest"])
def test_strategies_that_make_sense_run(asks: Bench, strategy: str) -> None:
    run = asks.run(asks.config(strategy=strategy), "run")
    made = [row for row in read_jsonl(run.history) if row["iteration"] > 0]
    assert made and all(row["output"] for row in made)


def test_of_several_answers_a_rule_keeps_one_by_what_both_models_think_of_their_sentences(asks: Bench) -> None:
    run = asks.run(asks.config(batch={"pool": 6, "answers": 3, "rule": "longest"}), "run")
    kept = [row for row in rows_of(run, "batch") if row["iteration"] > 0]
    assert kept and len({row["text"] for row in kept}) == len(kept)
    assert all(row["output"].count("Nobody doubts that.") == 2 for row in kept)
    scored = rows_of(run, "scored")
    assert {row["reason"] for row in scored} == {None, "another_candidate"} and len(scored) > 2 * len(kept)
    assert all(-1 <= row["das"] <= 1 for row in scored)
    sentences = rows_of(run, "sentences")
    assert {one["of"] for row in sentences for one in row["sentences"]} <= {"teacher", "student", "shared", "unscored"}
    assert all("".join(one["text"] for one in row["sentences"]) == row["text"] for row in sentences)
    page = run.iteration(1).das_page.read_text(encoding="utf-8")
    assert "Before and after the rule" in page and "All are in sentences.jsonl" in page
    assert '<a href="iteration_001/das.html">iteration 1</a>' in run.report.read_text(encoding="utf-8")
    sent = [body for body in asks.fake.asked if last_message(body).startswith("Describe the ")]
    assert {body["seed"] for body in sent} == {0, 1, 2} and {body["temperature"] for body in sent} == {1.0}
    for row in read_jsonl(run.metrics)[1:]:
        assert row["counts"]["made"] == row["counts"]["kept"] + sum(row["counts"]["dropped"].values())


def test_ratio_takes_the_answers_that_are_the_teachers_and_never_leaves_a_batch_empty(asks: Bench) -> None:
    run = asks.run(asks.config(batch={"pool": 6, "rule": "ratio"}), "run")
    by_id = {row["id"]: row for row in rows_of(run, "sentences")}
    for one in run.iterations()[1:]:
        kept = [by_id[row["id"]] for row in read_jsonl(one.batch)]
        assert kept and (len(kept) == 1 or all(row["ratio"] > 0.3 for row in kept))


def test_the_same_answer_twice_is_one_candidate(asks: Bench) -> None:
    answer = toy_instruction_answer
    asks.fake.answer = lambda body: answer({**body, "seed": min(1, int(body.get("seed", 0)))})
    run = asks.run(asks.config(batch={"pool": 6, "answers": 3, "rule": "count"}), "run")
    assert "same_answer" in {row["reason"] for row in rows_of(run, "dropped")}
    assert max(sum(row["prompt"] == other["prompt"] for other in rows_of(run, "sentences"))
               for row in rows_of(run, "sentences")) == 2  # fmt: skip


def test_without_log_probabilities_nothing_is_made_up(tmp_path: Path) -> None:
    with closing(FakeTeacher(toy_instruction_answer, logprobs=False)) as fake:
        bench = Bench(tmp_path, fake)
        bench.task = write_toy_instruction(tmp_path / "things")
        run = bench.run(bench.config(batch={"pool": 6, "answers": 2, "rule": "random"}), "run")
    assert all(row["das"] is None for row in rows_of(run, "scored")) and rows_of(run, "sentences") == []
    assert all(row["tokens"] is None for row in rows_of(run, "spelled"))
    assert len([row for row in rows_of(run, "batch") if row["iteration"]]) == len(
        {row["text"] for row in rows_of(run, "batch") if row["iteration"]}
    )


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"without": ["score"], "batch": {"answers": 2}}, "--without: expected the part that chooses (score)"),
        (
            {"strategy": "pool_random", "batch": {"pool": 6, "rule": "count"}},
            "--strategy: expected the part that chooses",
        ),
        ({"without": ["separation"]}, "only that call tells why an answer is right"),
        ({"strategy": "eda"}, "one for a task of kind instruction"),
    ],
)
def test_what_makes_no_sense_is_refused(asks: Bench, fields: dict[str, Any], said: str) -> None:
    config = asks.config(**fields)
    with pytest.raises(UserError) as caught:
        plan_of(config, load_task(config.task))
    assert said in str(caught.value)


def test_a_rule_of_answers_is_refused_where_answers_are_labels(bench: Bench) -> None:
    config = bench.config(batch={"rule": "count"})
    with pytest.raises(UserError, match=r"batch\.rule: expected a task whose answers are written out"):
        plan_of(config, load_task(config.task))


def test_a_plan_counts_every_answer_and_shows_what_is_asked(asks: Bench) -> None:
    one, three = (estimate(asks.config(batch={"pool": 6, "answers": n}))["nodes"]["label"]["calls"] for n in (1, 3))
    assert three == 3 * one
    asked = json.dumps(estimate(asks.config())["prompts"])
    assert "Only what is asked, no answer to it." in asked and "a right answer is" in asked


STAGES = [
    {"iterations": 1, "batch": {"answer_temperature": 0.3}, "student": {"max_steps": 5}},
    {
        "iterations": 2, "batch": {"pool": 3, "answers": 2, "answer_temperature": 0.9, "rule": "longest"},
        "student": {"max_steps": 7, "train_from": "previous"},
    },
]  # fmt: skip


def test_each_stage_asks_and_trains_with_settings_of_its_own(asks: Bench) -> None:
    config = configure({**asks.config().model_dump(exclude={"iterations"}), "stages": STAGES})
    assert config.iterations == 3
    run = asks.run(config, "run")
    assert [read_json(one.training)["steps"] for one in run.iterations()] == [5, 5, 7, 7]
    assert [len(read_jsonl(one.sampled)) for one in run.iterations()] == [
        10,
        3,
        3,
        0,
    ]  # with the places of hard texts in the first
    sent = [body for body in asks.fake.asked if last_message(body).startswith("Describe the ")]
    assert {(body["temperature"], body["seed"]) for body in sent} == {(0.3, 0), (0.9, 0), (0.9, 1)}
    assert {row["reason"] for row in read_jsonl(run.iteration(1).scored)} == {None}
    assert "another_candidate" in {row["reason"] for row in read_jsonl(run.iteration(2).scored)}
    assert len(read_json(run.result)["curve"]) == 4


@pytest.mark.parametrize(
    ("node", "iteration", "moment"),
    [("label", 1, "start"), ("label", 1, "end"), ("score", 2, "start"), ("score", 2, "end"), ("measure", 0, "end")],
)
def test_a_run_of_stages_cut_anywhere_ends_as_an_unbroken_one(
    asks: Bench, node: str, iteration: int, moment: str
) -> None:
    def config(ledger: str) -> RunConfig:
        return configure({**asks.config(ledger).model_dump(exclude={"iterations"}), "stages": STAGES})

    def killer(event: str, name: str, number: int) -> None:
        if (event, name, number) == (moment, node, iteration):
            raise Killed

    whole = asks.run(config("whole"), "whole", run_id="id")
    with pytest.raises(Killed):
        asks.run(config("cut"), "cut", killer, run_id="id")
    cut = asks.run(config("cut"), "cut", run_id="id")
    assert without_ledger(contents(cut)) == without_ledger(contents(whole))


def test_stages_say_how_many_iterations_there_are_and_are_of_written_answers(asks: Bench, bench: Bench) -> None:
    with pytest.raises(UserError, match=r"iterations: expected 3, as the stages have, got 2"):
        asks.config(stages=STAGES)
    config = configure({**bench.config().model_dump(exclude={"iterations"}), "stages": STAGES})
    with pytest.raises(UserError, match=r"stages: expected a task whose answers are written out"):
        plan_of(config, load_task(config.task))


MIXED = [{"iterations": 1}, {"iterations": 1, "batch": {"pool": 0, "continued": 4}}]
ON = "so it goes on, and ends."


def goes_on(body: Body) -> str:
    """As the toy's teacher; what was begun it continues."""
    if body["messages"][-1]["role"] != "assistant":
        return toy_instruction_answer(body)
    return " four, five, six" if "three" in last_message(body) else f" {ON}"


def mixed(asks: Bench, ledger: str = "l") -> RunConfig:
    return configure({**asks.config(ledger).model_dump(exclude={"iterations"}), "stages": MIXED})


def test_the_teacher_goes_on_from_answers_that_the_student_began(asks: Bench) -> None:
    asks.fake.answer = goes_on
    run = asks.run(mixed(asks), "run")
    kept = [row for row in read_jsonl(run.iteration(2).batch) if row["source"] == "continued"]
    assert len(kept) == 4 == len(read_jsonl(run.iteration(1).begun))
    examined = {row["text"]: row for row in read_jsonl(run.iteration(1).predictions)}
    spelled = {row["id"]: row for row in read_jsonl(run.iteration(2).spelled)}
    for row in kept:
        assert row["output"] == f"{row['begun']} {ON}" and examined[row["text"]]["written"].startswith(row["begun"])
        assert spelled[row["id"]]["tokens"][0][0] == len(row["begun"]) and row["teacher_confidence"] is not None
    assert not examined[kept[0]["text"]]["correct"], "what it got wrong comes first"
    sent = [body for body in asks.fake.asked if body["messages"][-1]["role"] == "assistant"]
    assert len(sent) == 4 and all(body["continue_final_message"] for body in sent)
    (row,) = written_rows([one for one in read_examples(run.iteration(2).batch) if one.id == kept[0]["id"]],
                          load_task(str(asks.task)), {})  # fmt: skip
    assert row.written[: row.begun] == kept[0]["begun"]
    assert "continued" in read_jsonl(run.metrics)[-1]["counts"]["by_source"]


def test_an_endpoint_that_says_the_beginning_again_is_read_the_same(asks: Bench) -> None:
    begun = (("user", "Describe the fire."), ("assistant", "It is"))
    asked = Request("labeller", begun, 0.0, 24, top_logprobs=1)
    replies = []
    for answer in (" hot.", "It is hot."):
        asks.fake.answer = lambda body, answer=answer: answer  # type: ignore[misc]
        config = asks.config(f"l{len(replies)}")
        with closing(open_teacher(config.teacher, config.budget, "run")) as teacher:
            replies.append(teacher.ask([asked], "label", 1)[0])
    for reply in replies:
        assert reply is not None and reply.text == " hot." and reply.logprobs
        given = [(one.token.encode(), one.logprob) for one in reply.logprobs]
        spans = spelled(reply.text, given)
        assert spans is not None and spans[-1].end == len(" hot.")


@pytest.mark.parametrize("moment", ["start", "end"])
def test_a_run_that_goes_on_from_answers_ends_the_same_when_it_is_cut(asks: Bench, moment: str) -> None:
    asks.fake.answer = goes_on

    def killer(event: str, name: str, number: int) -> None:
        if (event, name, number) == (moment, "begin", 1):
            raise Killed

    whole = asks.run(mixed(asks, "whole"), "whole", run_id="id")
    with pytest.raises(Killed):
        asks.run(mixed(asks, "cut"), "cut", killer, run_id="id")
    cut = asks.run(mixed(asks, "cut"), "cut", run_id="id")
    assert without_ledger(contents(cut)) == without_ledger(contents(whole))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"without": ["evaluate"], "stages": MIXED},
            "--without: expected the part that examines the student (evaluate)",
        ),
        ({"stages": MIXED[::-1]}, "stages 1: batch.continued: expected 0: nothing was answered before, got 4"),
    ],
)
def test_going_on_where_nothing_was_answered_is_refused(asks: Bench, fields: dict[str, Any], said: str) -> None:
    config = configure({**asks.config().model_dump(exclude={"iterations"}), **fields})
    with pytest.raises(UserError) as caught:
        plan_of(config, load_task(config.task))
    assert said in str(caught.value)


@pytest.mark.parametrize("answer", [toy_instruction_answer, lambda body: "One, two, three, four, five, six."])
def test_an_endpoint_that_does_not_go_on_is_refused_before_anything_is_done(asks: Bench, answer: Answer) -> None:
    asks.fake.answer = answer
    config = mixed(asks)
    plan = plan_of(config, load_task(config.task))
    with closing(open_teacher(config.teacher, config.budget, "run")) as teacher:
        with pytest.raises(
            UserError, match=r"expected an endpoint that goes on from a begun answer, for batch\.contin"
        ):
            check_goes_on(plan, teacher)
        asks.fake.answer = goes_on
        check_goes_on(plan_of(asks.config(), load_task(config.task)), teacher)


def test_a_plan_counts_what_is_continued(asks: Bench) -> None:
    less, more = (
        estimate(configure({**asks.config().model_dump(exclude={"iterations"}), "stages": stages}))
        for stages in ([MIXED[0], {"iterations": 1, "batch": {"pool": 0}}], MIXED)
    )
    assert more["nodes"]["label"]["calls"] == less["nodes"]["label"]["calls"] + 4


def test_the_shipped_recipe_is_one(asks: Bench) -> None:
    config = configure({**read_recipe(TWO_STAGE), "task": "everyday_requests"})
    assert config.iterations == 2 and config.at(2).batch.rule == "ratio"
    first = config.at(1).batch
    assert first.answers == 1 and first.rule not in BY_SENTENCES, "one answer to a question, which stays"
    other = configure({**read_recipe(TWO_STAGE), "task": "everyday_requests"}, ["batch.rule=count"])
    assert other.at(1).batch == first and other.at(2).batch.rule == "count"
    assert config.at(2).student.train_from == "previous" and config.at(2).student.batch_size == 4
    plan_of(config, load_task(config.task))
    mixed = configure({**read_recipe(TWO_STAGE.with_name("mixed_policy.yaml")), "task": "everyday_requests"})
    assert (
        mixed.stages[:2] == config.stages
        and mixed.at(3).batch.rule == "random"
        and plan_of(mixed, load_task(mixed.task)).continuing
    )
