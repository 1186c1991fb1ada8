"""Texts to labels on a real loopback endpoint: from logprobs, from agreeing draws, several a call, and what fails."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from agent.config import TeacherConfig
from agent.teacher.labelling import AGREEMENT_TEMPERATURE, TeacherLabel, label_texts, shown
from tasks.task import Task
from tests.fakes.fake_teacher import Body, FakeTeacher, last_message
from tests.teacher.conftest import Open

LABELS = ("positive", "negative")
TASK = Task("t", "classification", "English", "text", "Happy?", dict.fromkeys(LABELS, ""), {}, (), (), (), (), ())


def by_text(body: Body) -> str:
    return "positive" if "good" in last_message(body) else "negative"


def test_a_long_text_is_cut_at_a_space_and_says_that_it_goes_on() -> None:
    assert shown("one two three", 13) == "one two three"
    assert shown("one two three", 12) == "one two …"
    assert shown("一二三四五六", 4) == "一二三四 …"


def labels(open_on: Open, fake: FakeTeacher, texts: Sequence[str], **fields: Any) -> list[TeacherLabel]:
    budget = fields.pop("budget", None)
    teacher = open_on(fake, budget=budget, **fields)
    return label_texts(teacher, TeacherConfig(**fields), TASK, texts, "label", 1)


def test_the_teacher_is_sent_no_more_than_the_longest_text(open_on: Open) -> None:
    with FakeTeacher(by_text) as fake:
        labels(open_on, fake, ["good " * 1000], longest_text=100)
        assert [len(last_message(body)) for body in fake.asked] == [len("good " * 19 + "…")]


def test_with_logprobs_one_greedy_answer_gives_the_label_and_its_distribution(open_on: Open) -> None:
    with FakeTeacher(by_text, labels=LABELS, confidence=0.8) as fake:
        found = labels(open_on, fake, ["good one", "bad one"])
        assert [(answer.label, answer.fault) for answer in found] == [("positive", None), ("negative", None)]
        assert [answer.confidence for answer in found] == pytest.approx([0.8, 0.8])
        assert found[1].distribution == pytest.approx({"positive": 0.2, "negative": 0.8})
        assert len(fake.asked) == 2
        assert {body["temperature"] for body in fake.asked} == {0.0}


def test_a_text_may_be_given_labels_of_its_own_to_choose_among(open_on: Open) -> None:
    with FakeTeacher(by_text, labels=LABELS, confidence=0.8) as fake:
        config = TeacherConfig()
        texts = ["good one", "bad one", "good two"]
        choices = [None, ["positive"], ["positive"]]
        found = label_texts(open_on(fake), config, TASK, texts, "label", 1, choices)
        shown = [body["messages"][0]["content"] for body in fake.asked]
        assert sorted("Labels: positive, negative." in said for said in shown) == [False, False, True]
    assert [(answer.label, answer.fault) for answer in found] == [
        ("positive", None), (None, "not_a_label"), ("positive", None),
    ]  # fmt: skip
    assert found[2].distribution == {"positive": pytest.approx(1.0)} and found[2].raw is None
    assert found[0].raw is not None


def test_without_logprobs_the_share_of_agreeing_draws_is_the_confidence(open_on: Open) -> None:
    def wavering(body: Body) -> str:
        # the first draw is greedy; of the two drawn ones, which carry a seed of their own, one disagrees
        return "negative" if body.get("seed") == 2 else "positive"

    with FakeTeacher(wavering, logprobs=False) as fake:
        (found,) = labels(open_on, fake, ["good one"])
        assert found.label == "positive"
        assert found.confidence == pytest.approx(2 / 3)
        assert found.distribution == pytest.approx({"positive": 2 / 3, "negative": 1 / 3})
        assert sorted(body["temperature"] for body in fake.asked) == [0.0, AGREEMENT_TEMPERATURE, AGREEMENT_TEMPERATURE]


def test_draws_that_are_no_label_do_not_vote(open_on: Open) -> None:
    with FakeTeacher(lambda body: "who knows" if body.get("seed") == 2 else "negative", logprobs=False) as fake:
        (found,) = labels(open_on, fake, ["x"])
    assert (found.label, found.confidence, found.fault) == ("negative", 1.0, None)


def test_one_draw_says_nothing_about_confidence(open_on: Open) -> None:
    with FakeTeacher(by_text, logprobs=False) as fake:
        (found,) = labels(open_on, fake, ["good one"], agreement_samples=1)
        assert (found.label, found.confidence, found.distribution) == ("positive", None, None)
        assert len(fake.asked) == 1


@pytest.mark.parametrize("logprobs", [True, False])
def test_an_answer_that_is_no_label_is_kept_for_the_report_and_never_guessed(open_on: Open, logprobs: bool) -> None:
    with FakeTeacher(lambda body: "It is positive, I think.", logprobs=logprobs) as fake:
        (found,) = labels(open_on, fake, ["x"])
    assert (found.label, found.confidence, found.distribution, found.fault) == (None, None, None, "not_a_label")
    assert "It is positive, I think." in found.said


@pytest.mark.parametrize("logprobs", [True, False])
def test_a_text_the_endpoint_declines_is_refused_and_the_others_are_labelled(open_on: Open, logprobs: bool) -> None:
    with FakeTeacher(by_text, logprobs=logprobs, refuse=lambda body: "awful" in last_message(body)) as fake:
        found = labels(open_on, fake, ["good one", "awful one", "bad one"])
    assert [(answer.label, answer.fault) for answer in found] == [
        ("positive", None), (None, "refused"), ("negative", None),
    ]  # fmt: skip


def test_what_the_budget_leaves_out_says_so_in_its_place(open_on: Open) -> None:
    with FakeTeacher(by_text) as fake:
        found = labels(open_on, fake, ["good one", "bad one", "good two"], budget={"calls": 2})
        assert [(answer.label, answer.fault) for answer in found] == [
            ("positive", None), ("negative", None), (None, "budget"),
        ]  # fmt: skip
        assert len(fake.asked) == 2


def test_a_text_whose_draws_the_budget_cut_has_no_label(open_on: Open) -> None:
    with FakeTeacher(by_text, logprobs=False) as fake:
        found = labels(open_on, fake, ["good one", "bad one"], budget={"calls": 4})
    assert [(answer.label, answer.fault) for answer in found] == [("positive", None), (None, "budget")]


def test_of_no_texts_nothing_is_asked(open_on: Open) -> None:
    with FakeTeacher(by_text) as fake:
        assert labels(open_on, fake, []) == []
        assert labels(open_on, fake, [], texts_per_label_call=4) == []
        assert fake.asked == []


def several(body: Body) -> str:
    lines = last_message(body).splitlines()
    return json.dumps({"labels": ["positive" if "good" in line else "negative" for line in lines]})


def test_several_texts_a_call_come_back_in_order_without_confidence(open_on: Open) -> None:
    with FakeTeacher(several) as fake:
        found = labels(open_on, fake, ["good 1", "bad 2", "bad 3", "good 4", "bad 5"], texts_per_label_call=2)
        assert [answer.label for answer in found] == ["positive", "negative", "negative", "positive", "negative"]
        assert {(answer.confidence, answer.distribution, answer.fault) for answer in found} == {(None, None, None)}
        assert len(fake.asked) == 3


@pytest.mark.parametrize("count", [1, 3])
def test_a_list_of_another_length_is_dropped_whole(open_on: Open, count: int) -> None:
    with FakeTeacher(lambda body: json.dumps({"labels": ["positive"] * count})) as fake:
        found = labels(open_on, fake, ["a", "b"], texts_per_label_call=2)
    assert [(answer.label, answer.fault) for answer in found] == [(None, "wrong_count")] * 2


@pytest.mark.parametrize("said", ['{"labels": ["positive", "mixed"]}', "no idea", ""])
def test_a_list_that_does_not_fit_is_never_guessed(open_on: Open, said: str) -> None:
    with FakeTeacher(lambda body: said) as fake:
        found = labels(open_on, fake, ["a", "b"], texts_per_label_call=2)
    assert found[1].label is None
    assert found[1].fault is not None


def test_calls_the_budget_left_out_leave_all_their_texts_out(open_on: Open) -> None:
    with FakeTeacher(several) as fake:
        found = labels(open_on, fake, ["good 1", "bad 2", "bad 3"], texts_per_label_call=2, budget={"calls": 1})
    assert [answer.fault for answer in found] == [None, None, "budget"]
