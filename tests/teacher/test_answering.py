"""The labelling call of a task whose answers are written out: its request, what is kept, and how sure it was."""

from __future__ import annotations

import math

import pytest

from agent.teacher.answering import answer_request, answered, probability
from agent.teacher.messages import Reply, TokenLogprob
from tasks.task import Task
from tasks.written import written

TASK = Task(
    "t", "choice", "English", "question", "Which?", {"A": "", "B": ""}, {}, (), (), (), (), (),
    ("question", "A", "B"), written=True,
)  # fmt: skip
WHY = "Fire burns, ice does not."


def reply(text: str, fault: str | None = None, logprobs: tuple[TokenLogprob, ...] | None = None) -> Reply:
    return Reply(text, None, fault, logprobs, 1, 1, False)


def tokens(*parts: tuple[str, float]) -> tuple[TokenLogprob, ...]:
    return tuple(TokenLogprob(text, math.log(p), ()) for text, p in parts)


def test_the_request_puts_question_choices_and_form() -> None:
    asked = answer_request(TASK, "What is hot?\nice\nfire", logprobs=True)
    assert asked.messages[-1][1].startswith("What is hot?\nA. ice\nB. fire\n\n") and "<answer>" in asked.messages[-1][1]
    assert (asked.role, asked.temperature, asked.top_logprobs, asked.schema) == ("labeller", 0.0, 1, None)


def test_an_answer_has_its_reasoning_and_the_probability_of_its_letter() -> None:
    text = written(WHY, "B")
    given = tokens((text.partition("B</")[0][:-8], 0.5), ("<answer", 0.9), (">", 0.9), ("B", 0.75), ("</answer>", 1.0))
    found = answered(TASK, reply(text, logprobs=given))
    assert (found.label, found.reasoning, found.fault) == ("B", WHY, None)
    assert found.confidence == pytest.approx(0.75)
    assert answered(TASK, reply(text)).confidence is None


@pytest.mark.parametrize(
    "parts",
    [
        [("why\n<answer>", 0.9), ("B", 0.25), ("</answer>", 0.9)],
        [("<answer", 0.9), (">B", 0.25), ("</answer>", 0.9)],
        [("<", 0.9), ("answer>\n", 0.9), (" B</", 0.25), ("answer>", 0.9)],
    ],
)
def test_the_letter_is_found_however_the_tokens_are_cut(parts: list[tuple[str, float]]) -> None:
    assert probability(tokens(*parts), "B") == pytest.approx(0.25)


def test_where_the_tokens_do_not_show_the_letter_nothing_is_known() -> None:
    assert probability(tokens(("<answer>B</answer>", 0.5)), "B") is None
    assert probability(tokens(("why <answer", 0.5), (">B</answer>", 0.5)), "B") is None
    assert probability(tokens(("<answer>", 0.5), ("A", 0.5)), "B") is None
    assert probability((), "B") is None


@pytest.mark.parametrize(
    ("given", "fault"),
    [(None, "budget"), (reply("x", "truncated"), "truncated"), (reply("B"), "no_answer"),
     (reply("<answer>B</answer>"), "no_reasoning"), (reply(written("Hot.", "B")), "too_short")],
)  # fmt: skip
def test_what_is_no_answer_is_dropped_with_its_reason(given: Reply | None, fault: str) -> None:
    found = answered(TASK, given)
    assert (found.label, found.reasoning, found.fault) == (None, None, fault)
