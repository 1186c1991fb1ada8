"""score: a data set in, every sentence with both models' probabilities, what is kept, and a report out."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from agent.rundir import read_json, read_jsonl
from agent.score import score
from agent.scoring import Scoring
from agent.student.logprobs import read_by
from tasks.faults import UserError
from tests.fakes.tiny_causal import tiny_causal

TEXTS = ["It is good. Is it  bad?", "Very 你好。 So 🙂.", "Yes. No.\n\nYes."]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Two decoders that differ: (teacher, student)."""
    root = tmp_path_factory.mktemp("models")
    return str(tiny_causal(root / "teacher", "llama", 1)), str(tiny_causal(root / "student", "gpt2", 2))


def given(text: str, probability: float = 0.9) -> list[dict[str, Any]]:
    """The tokens an endpoint gives with `text`: three bytes each, so that they cut through characters."""
    whole = text.encode()
    parts = [whole[at : at + 3] for at in range(0, len(whole), 3)]
    return [{"token": part.decode(errors="replace"), "bytes": list(part), "logprob": math.log(probability)}
            for part in parts]  # fmt: skip


def write(file: Path, rows: list[dict[str, Any]]) -> Path:
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return file


def quiet(message: str) -> None:
    """Nobody listens."""


def test_rows_that_bring_their_teachers_logprobs(tmp_path: Path, models: tuple[str, str]) -> None:
    rows = [{"prompt": "Say: ", "completion": text, "teacher_logprobs": given(text), "n": n}
            for n, text in enumerate(TEXTS)]  # fmt: skip
    out = tmp_path / "out"
    found = score(Scoring(write(tmp_path / "d.jsonl", rows), models[1]), out, quiet)
    assert (found["teacher"], found["made"], found["kept"], found["prompts"]) == ("teacher_logprobs", 3, 1, 1)
    scored = read_jsonl(out / "scored.jsonl")
    for row, text in zip(scored, TEXTS, strict=True):
        assert "".join(one["text"] for one in row["sentences"]) == text
        assert [one["p_teacher"] for one in row["sentences"]] == pytest.approx([0.9] * len(row["sentences"]))
        assert all(one["d"] == one["p_teacher"] - one["p_student"] for one in row["sentences"])
        assert {one["of"] for one in row["sentences"]} == {"teacher"}  # a random student knows nothing
    assert read_jsonl(out / "kept.jsonl") == [rows[scored.index(next(row for row in scored if row["kept"]))]]
    assert read_json(out / "score.json") == {key: value for key, value in found.items() if key != "path"}
    assert "teacher_logprobs" in (out / "report.html").read_text(encoding="utf-8")


def test_a_local_model_in_the_teachers_place(tmp_path: Path, models: tuple[str, str]) -> None:
    file = write(tmp_path / "d.jsonl", [{"text": text} for text in TEXTS])
    said: list[str] = []
    found = score(Scoring(file, models[1], teacher=models[0], rule="random", keep=0.5), tmp_path / "out", said.append)
    assert found["teacher"] == models[0]
    assert said[0] == f"teacher {models[0]}: reading the model"
    assert (found["kept"], found["dropped"]) == (2, {"not_among_the_best": 1})
    assert found["before"]["sentences"]["unscored"] == 0


def test_the_same_model_in_both_places_has_shared_sentences_alone(tmp_path: Path, models: tuple[str, str]) -> None:
    file = write(tmp_path / "d.jsonl", [{"text": text} for text in TEXTS])
    found = score(Scoring(file, models[0], teacher=models[0]), tmp_path / "out", quiet)
    counts = found["before"]["sentences"]
    assert (counts["teacher"], counts["student"], counts["unscored"], found["before"]["d"]) == (0, 0, 0, 0.0)


def test_a_row_that_cannot_be_scored_is_dropped_with_its_reason_and_never_kept(
    tmp_path: Path, models: tuple[str, str]
) -> None:
    """Faults of public DAS code: missing logprobs became 0.8, and examples that raised an error were kept."""
    text, long = "It is good.", "It is a good day. " * 40
    broken = [*given(text)[:-1], {"token": ".", "logprob": None}]
    rows = [
        {"text": text, "teacher_logprobs": given(text)},
        {"text": text},
        {"text": text, "teacher_logprobs": broken},
        {"text": text, "teacher_logprobs": given("It is bad.")},
        {"text": long, "teacher_logprobs": given(long)},
        {"text": "a", "teacher_logprobs": given("a")},  # one token, with nothing before it
    ]
    out = tmp_path / "out"
    found = score(Scoring(write(tmp_path / "d.jsonl", rows), models[1], rule="ratio", keep=1.0), out, quiet)
    assert read_jsonl(out / "kept.jsonl") == rows[:1]
    assert [(row["reason"], row["row"]) for row in read_jsonl(out / "dropped.jsonl")] == [
        ("no_teacher_logprobs", rows[1]), ("a_teacher_logprob_is_missing", rows[2]),
        ("teacher_logprobs_of_other_text", rows[3]), ("longer_than_the_student_reads", rows[4]),
        ("no_sentence_both_could_score", rows[5]),
    ]  # fmt: skip
    assert found["made"] == found["kept"] + sum(found["dropped"].values()) == 6
    assert len(read_jsonl(out / "scored.jsonl")) == 1


def test_a_text_longer_than_the_local_teacher_reads_is_dropped(tmp_path: Path, models: tuple[str, str]) -> None:
    file = write(tmp_path / "d.jsonl", [{"text": "It is a good day. " * 40}])
    found = score(Scoring(file, models[1], teacher=models[0]), tmp_path / "out", quiet)
    assert (found["kept"], found["dropped"]) == (0, {"longer_than_the_teacher_reads": 1})
    assert "No example could be scored." in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_no_logprobs_at_all_are_refused_before_a_model_is_looked_for(tmp_path: Path) -> None:
    file = write(tmp_path / "d.jsonl", [{"text": "a"}])
    with pytest.raises(UserError, match="expected rows with teacher_logprobs, got none") as raised:
        score(Scoring(file, "no-such-model"), tmp_path / "out", quiet)
    assert len(raised.value.faults) == 1
    assert not (tmp_path / "out").exists()


def test_the_table_of_rules_is_of_the_same_scores(tmp_path: Path, models: tuple[str, str]) -> None:
    rows = [{"prompt": "Say: ", "completion": text, "teacher_logprobs": given(text)} for text in TEXTS]
    file = write(tmp_path / "d.jsonl", rows)
    found = score(Scoring(file, models[1], rule="longest"), tmp_path / "out", quiet)
    assert found["rules"]["longest"] == found["after"]
    assert found["rules"]["longest"]["characters"] == max(map(len, TEXTS))
    assert [found["rules"][rule]["examples"] for rule in ("count", "ratio", "random", "longest")] == [1, 3, 1, 1]


def test_the_same_seed_keeps_the_same(tmp_path: Path, models: tuple[str, str]) -> None:
    file = write(tmp_path / "d.jsonl", [{"text": f"{n} {text}"} for n in range(5) for text in TEXTS])
    kept = []
    for number, seed in enumerate((1, 1, 2)):
        out = tmp_path / str(number)
        score(Scoring(file, models[1], teacher=models[0], rule="random", keep=0.4, seed=seed), out, quiet)
        kept.append(read_jsonl(out / "kept.jsonl"))
    assert kept[0] == kept[1] != kept[2]


def test_p_of_a_sentence_is_the_geometric_mean_of_the_students_tokens(tmp_path: Path, models: tuple[str, str]) -> None:
    """As scored.jsonl has it."""
    from agent.das.passage import Passage

    text = "It is good."
    file = write(tmp_path / "d.jsonl", [{"prompt": "Say: ", "completion": text, "teacher_logprobs": given(text)}])
    score(Scoring(file, models[1]), tmp_path / "out", quiet)
    (tokens,) = read_by(Path(models[1]), [Passage({}, text, "Say: ")])
    assert tokens is not None
    (row,) = read_jsonl(tmp_path / "out" / "scored.jsonl")
    expected = math.exp(sum(token.logprob for token in tokens) / len(tokens))
    assert row["sentences"][0]["p_student"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"keep": 0.0}, "--keep: expected a fraction above 0"),
        ({"keep": 1.5}, "--keep: expected a fraction above 0"),
        ({"margin": -1.0}, "--margin: expected a number from 0 to 1, got -1"),
        ({"sure": 2.0}, "--sure: expected a number from 0 to 1, got 2"),
        ({"language": "xx"}, "--language: expected one of am, ar"),
    ],
)
def test_a_setting_that_cannot_be_used(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as raised:
        score(Scoring(tmp_path / "d.jsonl", "m", **change), tmp_path / "out", quiet)
    assert [str(fault).startswith(said) for fault in raised.value.faults] == [True]


def test_an_existing_folder_is_never_overwritten(tmp_path: Path, models: tuple[str, str]) -> None:
    file = write(tmp_path / "d.jsonl", [{"text": "a b"}])
    with pytest.raises(UserError, match="--out: expected a new or empty folder"):
        score(Scoring(file, models[1], teacher=models[0]), tmp_path, quiet)
