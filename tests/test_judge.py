"""Two students' answers compared by a judge: both orders, ties, and what cannot be judged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.judge import Judged, judge, told, verdict
from agent.progress import Progress
from agent.rundir import RunDir, read_jsonl, write_jsonl
from tasks.faults import UserError
from tests.conftest import Bench
from tests.fakes.fake_teacher import Body, FakeTeacher, last_message
from tests.fakes.toy_instruction import toy_instruction_answer, write_toy_instruction


def likes_longer(body: Body) -> str:
    """A judge that prefers the longer answer, and the first of two of one length."""
    said = last_message(body)
    if "Answer A:\n" not in said:
        return toy_instruction_answer(body)
    one, other = (said.split(f"Answer {place}:\n")[1].split("\n\n")[0] for place in "AB")
    return "Answer: A" if len(one) >= len(other) else "B."


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunDir]:
    root = tmp_path_factory.mktemp("judged")
    with closing(FakeTeacher(likes_longer)) as fake:
        bench = Bench(root, fake)
        bench.task = write_toy_instruction(root / "things")
        yield bench.run(bench.config(), "one")


def test_a_student_wins_where_it_is_preferred_in_both_places(run: RunDir) -> None:
    ended = run.iteration(2).written
    rows = read_jsonl(ended)
    longer = [{**rows[0], "text": "x" * 400}, {**rows[1], "text": ""}]
    same_length = [{**rows[2], "text": "b" * len("what is this")}]
    write_jsonl(ended, [*longer, *same_length, *[{"text": "what is this", "stopped": True}] * (len(rows) - 3)])
    base = [{"text": "what is this", "stopped": True}] * len(rows)
    write_jsonl(run.iteration(0).base_written, base)
    found = judge([run.root.with_name("one@base"), run.root], None, [], Progress())
    assert (found["first_wins"], found["second_wins"], found["ties"]) == (1, 1, len(rows) - 2)
    assert found["same_text"] == len(rows) - 3 and found["requests"] == len(rows)
    verdicts = {one["index"]: one["verdict"] for one in found["judged"]}
    assert (verdicts[0], verdicts[1], verdicts[2]) == ("second", "first", "tie")
    assert found["ahead"]["mean"] == 0 and found["ahead"]["low"] < 0 < found["ahead"]["high"]
    assert found["in_place_a"] == pytest.approx(4 / 6) and found["unread"] == 0
    write_jsonl(ended, rows)


def test_a_limit_draws_requests(run: RunDir) -> None:
    one = judge([run.root.with_name("one@0"), run.root], 5, [], Progress())
    assert one["requests"] == 5 and one == judge([run.root.with_name("one@0"), run.root], 5, [], Progress())


@pytest.mark.parametrize(
    ("said", "result"),
    [(("A", "B"), "first"), (("B", "A"), "second"), (("A", "A"), "tie"), (("C", "B"), "tie"), ((None, "A"), "tie")],
)
def test_a_verdict_needs_both_orders(said: tuple[str | None, str | None], result: str) -> None:
    assert verdict(*said) == result


def test_what_the_judge_said_is_counted() -> None:
    found = told(["a", "b"], [Judged(0, "second", ("B", "A")), Judged(1, "tie", (None, "A")), Judged(2, "tie", ())])
    assert (found["second_wins"], found["ties"], found["same_text"], found["unread"]) == (1, 2, 1, 1)
    assert found["ahead"]["mean"] == pytest.approx(1 / 3) and found["in_place_a"] == 0.5


def test_only_free_answers_are_judged(bench: Bench, tmp_path: Path) -> None:
    one = bench.run(bench.config(), "one").root
    with pytest.raises(UserError, match=r"a run with free answers to the test requests, got kind classification"):
        judge([one, Path(f"{one}@1")], None, [], Progress())
