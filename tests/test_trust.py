"""Trust in the generator, on cases worked by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.example import LabelledExample, write_examples
from agent.rundir import RunDir, put_drops, write_jsonl
from agent.trust import DISAGREES, Guard, agreement, hard, kappa, proven, shares, to_write

PLACES = {"hard": 8, "easy": 8}


@pytest.mark.parametrize(
    ("agreed", "asked", "labels", "expected"),
    [(0, 0, 2, 1.0), (8, 8, 2, 1.0), (4, 8, 2, 0.0), (6, 8, 2, 0.5), (0, 8, 2, 0.0), (4, 10, 4, 0.2)],
)
def test_kappa_is_agreement_beyond_chance(agreed: int, asked: int, labels: int, expected: float) -> None:
    assert kappa(agreed, asked, labels) == pytest.approx(expected)


def test_places_shrink_with_trust_and_few_are_none() -> None:
    assert shares(PLACES, False, 1.0, True) == PLACES
    assert shares(PLACES, False, 0.5, True) == {"hard": 4, "easy": 4}
    assert shares(PLACES, False, 0.2, True) == {"hard": 2, "easy": 2}
    assert shares(PLACES, False, 0.15, True) == {"hard": 0, "easy": 0}
    assert shares(PLACES, False, 0.15, False) == PLACES


def test_the_first_texts_are_easy() -> None:
    assert shares(PLACES, True, 1.0, True) == {"easy": 8}
    assert shares(PLACES, True, 1.0, False) == {"easy": 16}
    assert shares({"hard": 16}, True, 1.0, True) == {"hard": 16}


def test_texts_that_are_not_hard_give_their_places_to_easy_ones() -> None:
    assert shares(PLACES, False, 1.0, False, still_hard=False) == {"easy": 16}
    assert shares(PLACES, False, 0.5, True, still_hard=False) == {"easy": 4}
    assert shares({"hard": 16}, False, 1.0, False, still_hard=False) == {"hard": 16}


def test_hard_is_judged_by_the_newest_texts(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    for iteration, right in ((1, 0), (2, 8)):
        rows = [{"source": "hard", "correct": n < right} for n in range(8)]
        write_jsonl(run.iteration(iteration).predictions, rows)
    assert hard(run, 1) is True
    assert hard(run, 2) is False, "what was hard before the student learned it says nothing of what is written now"
    write_jsonl(run.iteration(3).predictions, [{"source": "hard", "correct": False}])
    assert hard(run, 3) is False, "one text says too little, so those before it count"


def test_few_are_asked_to_be_hard_until_it_is_known_whether_they_are() -> None:
    assert shares({"hard": 28, "easy": 28}, False, 1.0, False, still_hard=None) == {"hard": 12, "easy": 44}
    assert shares(PLACES, False, 1.0, False, still_hard=None) == PLACES
    assert shares({"hard": 56}, False, 1.0, False, still_hard=None) == {"hard": 56}


@pytest.mark.parametrize(("right", "of", "expected"), [(7, 7, None), (8, 8, False), (7, 10, True), (8, 10, False)])
def test_hard_is_what_the_student_gets_wrong(tmp_path: Path, right: int, of: int, expected: bool | None) -> None:
    run = RunDir(tmp_path)
    rows = [{"source": "hard", "correct": n < right} for n in range(of)]
    write_jsonl(run.iteration(1).predictions, [*rows, *[{"source": "easy", "correct": True}] * 9])
    assert hard(run, 0) is None
    assert hard(run, 1) is expected
    assert to_write(run, 1, PLACES, 2, Guard(hardness=True)) == ({"easy": 16} if expected is False else PLACES)
    assert to_write(run, 1, PLACES, 2, Guard()) == PLACES


def test_a_teacher_that_is_not_proven_is_asked_for_all_the_hard_texts_at_once(tmp_path: Path) -> None:
    run, places, guard = RunDir(tmp_path), {"hard": 28, "easy": 28}, Guard(hardness=True)
    write_examples(run.iteration(1).candidates, [example(n, n % 2 == 0) for n in range(24)])
    assert to_write(run, 1, places, 2, guard) == places
    write_examples(run.iteration(1).candidates, [example(n, True) for n in range(24)])
    assert to_write(run, 1, places, 2, guard) == {"hard": 12, "easy": 44}


def example(number: int, agrees: bool | None) -> LabelledExample:
    return LabelledExample(f"i001-{number}", str(number), "a", 1, "easy", intended="a", agrees=agrees)


def test_what_was_made_before_an_iteration_counts_kept_or_dropped(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    write_examples(run.iteration(1).candidates, [example(n, True) for n in range(9)] + [example(9, None)])
    put_drops(run.iteration(0).dropped, "label", [{"reason": DISAGREES, "text": "x", "detail": None}] * 3)
    put_drops(run.iteration(0).dropped, "generate", [{"reason": "duplicate", "text": "x", "detail": None}])
    assert agreement(run, 0) == (0, 0)
    assert agreement(run, 1) == (9, 12)
    assert to_write(run, 1, PLACES, 2, Guard(pool=True)) == {"hard": 4, "easy": 4}
    assert not proven(run, 1, 2)
    write_examples(run.iteration(2).candidates, [example(n, True) for n in range(60)])
    assert agreement(run, 2) == (69, 72) and proven(run, 2, 2)
    assert not proven(run, 0, 2)
