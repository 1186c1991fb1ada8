"""Rows of data sets as passages; what cannot be used is told with its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent.das.passage import Passage, alpaca, passage, read_passages
from tasks.faults import Fault, UserError


def of(**row: Any) -> Passage:
    found = passage(row, "x.jsonl:1")
    assert isinstance(found, Passage)
    return found


def test_the_forms_of_a_row() -> None:
    assert (of(text="a").before, of(text="a").asked) == ("", None)
    raw = of(prompt="Q: ", completion="A.")
    assert (raw.before, raw.turn, raw.text, raw.asked) == ("Q: ", None, "A.", "Q: ")
    told = of(instruction="Add.", input="1 1", output="2", text="all of it")  # as the Alpaca set has it
    assert (told.turn, told.text) == ("Add.\n\n1 1", "2")
    assert told.before.endswith("### Instruction:\nAdd.\n\n### Input:\n1 1\n\n### Response:\n")
    assert of(instruction="Add.", input=None, output="2").before == alpaca("Add.", "")
    assert "### Input" not in alpaca("Add.", "")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"question": "q", "answer": "a"}, "the fields instruction+output or prompt+completion or text"),
        ({"prompt": "q"}, "the fields instruction+output or prompt+completion or text"),
        ({"text": " \n"}, "text: expected a text, got"),
        ({"prompt": "q", "completion": ""}, "completion: expected a text, got ''"),
        ({"text": 3}, "text: expected a text, got 3"),
        ({"instruction": "a", "input": 3, "output": "b"}, "input: expected a text, got 3"),
        ({"text": "half \ud83d"}, "values that JSON holds"),
        ({"text": "a", "day": object()}, "values that JSON holds"),
    ],
)
def test_what_is_no_row(row: dict[str, Any], said: str) -> None:
    found = passage(row, "x.jsonl:1")
    assert isinstance(found, Fault)
    assert said in str(found) and str(found).startswith("x.jsonl:1")


def test_all_faults_of_a_file_come_at_once(tmp_path: Path) -> None:
    file = tmp_path / "d.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in ({"text": "a"}, {"text": ""}, {"txt": "b"})))
    with pytest.raises(UserError) as raised:
        read_passages(file)
    assert [fault.where.rsplit("/", 1)[-1] for fault in raised.value.faults] == ["d.jsonl:2: text", "d.jsonl:3"]


def test_a_file_that_is_not_there_or_empty(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="FILE: expected a file, got "):
        read_passages(tmp_path / "none.jsonl")
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(UserError, match="at least one row"):
        read_passages(tmp_path / "empty.jsonl")


def test_tokens_as_an_endpoint_gives_them() -> None:
    given = [
        {"token": "\\xf0", "bytes": [240, 159], "logprob": -1, "top_logprobs": []},
        {"token": "b", "logprob": -0.5},
    ]
    assert of(text="a", teacher_logprobs=given).tokens() == ((b"\xf0\x9f", -1.0), (b"b", -0.5))


@pytest.mark.parametrize(
    "odd",
    [
        {"token": "b", "logprob": None}, {"token": "b"}, {"token": "b", "logprob": float("nan")},
        {"token": "b", "logprob": 0.8}, {"token": "b", "logprob": "-1"}, {"token": "b", "logprob": True},
        {"logprob": -1.0}, {"token": "b", "bytes": [300], "logprob": -1.0}, "b", None,
    ],
)  # fmt: skip
def test_one_token_without_its_probability_spoils_the_row(odd: Any) -> None:
    """Fault of public DAS code: it was replaced by a constant."""
    assert of(text="ab", teacher_logprobs=[{"token": "a", "logprob": -0.1}, odd]).tokens() is None


@pytest.mark.parametrize("odd", [None, [], "…", {"content": []}])
def test_what_is_no_list_of_tokens(odd: Any) -> None:
    assert of(text="ab", teacher_logprobs=odd).tokens() is None
