"""Which of several written answers a rule keeps; what is said where an endpoint gives no log-probabilities."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from agent.answer_das import decided, mean_difference
from agent.config import RunConfig
from agent.das import Rule
from agent.das.passage import Passage
from agent.das.text import Sentence
from agent.run import check_logprobs
from agent.scored import Scored
from tasks.faults import UserError
from tasks.task import load_task


def answer(question: str, text: str, teacher: int, shared: int = 0, reason: str | None = None) -> Scored:
    """An answer of so many sentences of the teacher's (d = 0.7) and shared ones (d = 0)."""
    found = [*[Sentence(0, 1, 0.9, 0.2, "teacher")] * teacher, *[Sentence(0, 1, 0.5, 0.5, "shared")] * shared]
    return Scored(Passage({}, text, turn=question), tuple(found), reason)


@pytest.mark.parametrize(
    ("rule", "kept"), [("count", ["abcd"]), ("longest", ["abcde"]), ("ratio", ["abc"]), ("random", ["abcde"])]
)
def test_each_rule_keeps_one_answer_to_a_question(rule: Rule, kept: list[str]) -> None:
    rows = [answer("q", "abc", 1), answer("q", "abcd", 2, 1), answer("q", "abcde", 0, 2)]
    chosen = decided(rows, rule, np.random.default_rng(3))
    assert [row.passage.text for row in chosen if row.reason is None] == kept


def test_ratio_drops_what_is_not_the_teachers_but_never_all() -> None:
    rows = [answer("q", "abc", 1), answer("q", "abcd", 1, 1), answer("r", "abc", 0, 3)]
    assert [row.reason for row in decided(rows, "ratio", np.random.default_rng(0))] == [
        None, "another_candidate", "too_few_teacher_sentences",
    ]  # fmt: skip
    none = [answer("q", "abc", 0, 1), answer("r", "abcd", 1, 9)]
    assert [row.reason for row in decided(none, "ratio", np.random.default_rng(0))] == [
        "too_few_teacher_sentences", None,
    ]  # fmt: skip


def test_an_answer_that_could_not_be_scored_is_the_controls_alone() -> None:
    rows = [answer("q", "abcdef", 0, reason="no_teacher_logprobs"), answer("q", "abc", 1)]
    by_rule = {rule: decided(rows, rule, np.random.default_rng(0)) for rule in ("longest", "count")}
    assert [row.reason for row in by_rule["longest"]] == [None, "another_candidate"]
    assert [row.reason for row in by_rule["count"]] == ["no_teacher_logprobs", None]


def test_the_divergence_of_an_answer_is_the_mean_of_its_sentences() -> None:
    assert mean_difference(answer("q", "abc", 1, 1)) == pytest.approx(0.35)
    assert mean_difference(answer("q", "abc", 0)) is None


def without_logprobs(**batch: Any) -> list[str]:
    """What the run says at its start."""
    said: list[str] = []
    config = RunConfig.model_validate({"task": "everyday_requests", "batch": batch})
    teacher: Any = SimpleNamespace(can=lambda role: SimpleNamespace(top_logprobs=0))
    watcher: Any = SimpleNamespace(note=said.append)
    check_logprobs(config, load_task(config.task), teacher, watcher)
    return said


def test_a_run_says_at_its_start_that_the_endpoint_gives_no_log_probabilities() -> None:
    assert without_logprobs() == without_logprobs(answers=3, rule="random")
    assert "no log-probabilities" in without_logprobs()[0]
    with pytest.raises(UserError, match=r"log-probabilities, for batch\.rule=count, got none"):
        without_logprobs(answers=3)
