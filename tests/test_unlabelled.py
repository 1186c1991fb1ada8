"""How common each label is, by what the teacher said of real texts."""

from __future__ import annotations

import pytest

from agent.example import LabelledExample
from agent.unlabelled import teacher_share


def known(count: int, source: str = "pool", good: float = 0.75) -> list[LabelledExample]:
    said = {"good": good, "bad": 1 - good}
    return [
        LabelledExample(f"i001-{n:04d}", f"text {n}", "good", 1, source, teacher_distribution=said)
        for n in range(count)
    ]


def test_shares_are_the_mean_of_the_teachers_distributions_of_pool_texts_alone() -> None:
    share, count = teacher_share(
        [*known(12), *known(12, good=0.25), *known(9, source="easy", good=1.0)], ["good", "bad"]
    )
    assert share == pytest.approx([0.5, 0.5]) and count == 24
    assert teacher_share(known(16), ["bad", "good"])[0] == pytest.approx([0.25, 0.75])
    assert teacher_share([*known(15), *known(20, source="seed")], ["good", "bad"]) is None


def test_a_label_that_the_teacher_was_not_shown_has_nothing() -> None:
    share, _ = teacher_share(known(20), ["good", "unseen", "bad"])
    assert share == pytest.approx([0.75, 0, 0.25])
