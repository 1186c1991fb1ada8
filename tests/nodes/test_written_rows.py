"""What a student that writes its answers learns: every letter as often, unless the reasoning names one."""

from __future__ import annotations

from collections import Counter

from agent.example import LabelledExample
from agent.nodes.train import written_rows
from tasks.task import Task
from tasks.written import read_answer

TASK = Task(
    "t", "choice", "English", "question", "Which?", {"A": "", "B": ""}, {}, (), (), (), (), (),
    ("question", "A", "B"), written=True,
)  # fmt: skip


def example(number: int, reasoning: str | None = "fire burns and ice does not") -> LabelledExample:
    return LabelledExample(f"i-{number}", f"q{number}\nice\nfire", "B", 1, "pool", reasoning=reasoning)


def test_right_letters_are_balanced_and_the_right_choice_stays_right() -> None:
    rows = written_rows([example(number) for number in range(6)], TASK, {"i-2": 0.5})
    letters = [read_answer(row.written, "AB").answer for row in rows]
    assert Counter(letters) == {"A": 3, "B": 3}
    for row, letter in zip(rows, letters, strict=True):
        assert row.text.split("\n")[1 + "AB".index(str(letter))] == "fire"
        assert row.target == tuple(float(letter == label) for label in "AB")
    assert [row.weight for row in rows] == [1.0, 1.0, 0.5, 1.0, 1.0, 1.0]


def test_a_reasoning_that_names_a_letter_keeps_it() -> None:
    rows = written_rows([example(0, "Option B is the hot one of the two.")], TASK, {})
    assert read_answer(rows[0].written, "AB").answer == "B" and rows[0].text == "q0\nice\nfire"
    assert read_answer(written_rows([example(0, None)], TASK, {})[0].written, "AB", reasoned=False).answer == "A"
