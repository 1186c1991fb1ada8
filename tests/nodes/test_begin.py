"""Where the student's own answer is cut, and which of its answers are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agent.nodes.begin import beginning, cut
from tasks.task import written_kind
from tasks.written import NO_ANSWER, written

RANDOM = np.random.default_rng(1)


@pytest.mark.parametrize("prose", ["one two three four five six seven eight", "一二三四五六七八"])
def test_it_is_cut_after_a_word_and_neither_end_is_lost(prose: str) -> None:
    kept = {prose[: cut(prose, RANDOM)] for _ in range(300)}
    spaced = " " in prose
    ends = [prose[:at] for at in range(1, len(prose) + 1) if not spaced or prose[at : at + 1] in {" ", ""}]
    assert kept == set(ends[1:6])


def test_two_words_are_cut_between_them_and_one_is_not() -> None:
    assert (
        {cut("yes indeed", RANDOM) for _ in range(20)} == {3}
        and cut("yes", RANDOM) is None
        and cut(" ", RANDOM) is None
    )


def row(text: str, **fields: Any) -> dict[str, Any]:
    return {"text": "q", "written": text, "stopped": True, "predicted": "A", **fields}


def test_of_a_choice_the_reasoning_is_cut() -> None:
    kind, whole = written_kind("choice"), written("fire is hot and ice is not", "A")
    found = beginning(row(whole), kind, RANDOM)
    assert found is not None and found["text"] == "q" and whole.startswith(found["begun"])
    assert found["begun"].startswith("<reasoning>fire") and "</reasoning>" not in found["begun"]
    assert beginning(row(written(None, "A")), kind, RANDOM) is None


@pytest.mark.parametrize("fields", [{"stopped": False}, {"predicted": NO_ANSWER}])
def test_what_is_no_answer_is_not_gone_on_from(fields: dict[str, Any]) -> None:
    assert beginning(row("so it is and so on", **fields), written_kind("instruction"), RANDOM) is None
