"""Runs side by side: counts by hand, what cannot be compared, and that only their folders are read and none written."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.cli import main
from agent.config import read_recipe
from agent.experiments.compare import compare, differing
from agent.experiments.compare_page import compare_page, tables
from agent.rundir import RunDir, read_json, read_jsonl, write_json
from agent.state import rng
from agent.student.bertscore import bertscore
from tasks.faults import UserError
from tasks.task import load_task
from tests.conftest import Bench
from tests.fakes.fake_teacher import FakeTeacher
from tests.fakes.tiny_model import tiny_model
from tests.fakes.toy import toy_answer
from tests.fakes.toy_choice import toy_choice_answer, write_toy_choice
from tests.fakes.toy_instruction import toy_instruction_answer, write_toy_instruction
from tests.fakes.toy_ner import toy_ner_answer, write_toy_ner

TEXTS = 20


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the finished runs `one` (evokd, seed 1) and `two` (seed 2, other LoRA), and of their task."""
    root = tmp_path_factory.mktemp("compare")
    with closing(FakeTeacher(toy_answer, labels=("warm", "cold"), noisy=0.1)) as fake:
        bench = Bench(root, fake)
        bench.run(bench.config(), "one")
        bench.run(bench.config("other_ledger", seed=2, student={"lora": {"rank": 4}}), "two")
    yield root


@pytest.fixture
def runs(made: Path, tmp_path: Path) -> list[Path]:
    """Copies of both, to be altered; their task stays where it was."""
    return [Path(shutil.copytree(made / name, tmp_path / name)) for name in ("one", "two")]


def answers_file(run: Path) -> Path:
    return RunDir(run).iteration(read_json(run / "result.json")["iterations"]).answers


def put_answers(run: Path, **answers: Sequence[int]) -> None:
    answers_file(run).with_name("written.jsonl").unlink(
        missing_ok=True
    )  # as of a run that did not keep what was written
    write_json(answers_file(run), {name: list(row) for name, row in answers.items()})


def alter(file: Path, **fields: Any) -> None:
    write_json(file, {**read_json(file), **fields})


def task_of(run: Path) -> str:
    return str(read_recipe(run / "config.yaml")["task"])


def evokd(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["evokd", *map(str, words)])
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def contents(*folders: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


def test_what_became_of_the_test_texts_by_hand(runs: list[Path]) -> None:
    gold = [0, 1] * (TEXTS // 2)
    old, new = gold.copy(), gold.copy()
    for place in (0, 1, 2, 3, 4):  # gained
        old[place] = 1 - gold[place]
    for place in (5, 6):  # lost
        new[place] = 1 - gold[place]
    old[7] = new[7] = 1 - gold[7]
    put_answers(runs[0], gold=gold, predicted=old)
    put_answers(runs[1], gold=gold, predicted=new)
    found = compare(runs)
    (became,) = found["against_first"]
    assert [became[name] for name in ("gained", "lost", "both_right", "both_wrong")] == [5, 2, 12, 1]
    assert found["texts"] == TEXTS and found["metric"] == "macro_f1"

    order = rng(0, 0, "toy").permutation(TEXTS)
    chosen = {name: [text["index"] for text in texts] for name, texts in became["examples"].items()}
    assert chosen["gained"] == [place for place in order if place < 5][:3]
    assert chosen["lost"] == [place for place in order if place in {5, 6}] and chosen["both_wrong"] == [7]
    test = load_task(task_of(runs[0])).test
    (wrong,) = became["examples"]["both_wrong"]
    assert wrong == {"index": 7, "gold": "cold", "first": "warm", "this": "warm", "text": test[7].text}

    difference = found["runs"][1]["difference"]
    assert found["runs"][0]["difference"] is None
    assert difference["mean"] == pytest.approx(17 / 20 - 14 / 20, abs=0.01)
    assert difference["low"] < difference["mean"] < difference["high"]


def test_the_command_shows_what_the_folders_hold_and_writes_none(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two, page = made / "one", made / "two", tmp_path / "pages" / "both.html"
    before = contents(one, two)
    code, out, err = evokd(monkeypatch, capsys, "compare", one, two, "--out", page)
    assert code == 0, err
    result = read_json(two / "result.json")
    line = next(line for line in out.splitlines() if line.startswith("two "))
    tokens = result["teacher"]["prompt_tokens"] + result["teacher"]["completion_tokens"]
    assert f"{100 * result['metric']['test']:.1f}" in line and f"{tokens:,}" in line and "–" in line
    assert "student.lora.rank  16   4\n" in out and "teacher.ledger" not in out
    assert "The runs differ in seed (1, 2)" in out and f"page: {page}" in out
    written = page.read_text(encoding="utf-8")
    assert written.startswith("<!doctype html>") and "http" not in written and written.count("<figure") == 1
    assert "macro-F1 over teacher tokens" in written and "student.lora.rank" in written
    assert contents(one, two) == before

    code, out, _ = evokd(monkeypatch, capsys, "compare", one, two, "--json")
    assert code == 0 and json.loads(out) == compare([one, two])
    assert contents(one, two) == before


def test_several_runs_are_all_compared_with_the_first(runs: list[Path], tmp_path: Path) -> None:
    third = Path(shutil.copytree(runs[0], tmp_path / "grid" / "one"))
    found = compare([*runs, third])
    assert [run["name"] for run in found["runs"]] == ["one", "two", "grid/one"]
    same = found["against_first"][1]
    assert (same["gained"], same["lost"]) == (0, 0)
    assert found["runs"][2]["difference"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    assert found["settings"]["seed"] == [1, 2, 1]
    seeds_alike = compare([runs[0], third])
    assert seeds_alike["settings"] == {} and "differ in seed" not in tables(seeds_alike)[0].explained
    assert tables(seeds_alike)[2].explained == "None differs."


@pytest.mark.parametrize("gone", [True, False])
def test_without_the_data_the_rows_and_labels_remain(runs: list[Path], tmp_path: Path, gone: bool) -> None:
    task = Path(shutil.copytree(Path(task_of(runs[0])).parent, tmp_path / "moved"))
    for run in runs:
        config = run / "config.yaml"
        config.write_text(config.read_text().replace(task_of(run), str(task / "task.yaml")))
    put_answers(runs[0], gold=[0, 1] * 10, predicted=[0, 0] * 10)
    put_answers(runs[1], gold=[0, 1] * 10, predicted=[0, 1] * 10)
    assert compare(runs)["data_there"]
    if gone:
        shutil.rmtree(task)
    else:
        (task / "test.jsonl").write_text('{"text": "another red text", "label": "warm"}\n')
    found = compare(runs)
    assert not found["data_there"]
    texts = found["against_first"][0]["examples"]["gained"]
    assert [(text["gold"], text["first"], text["this"], text["text"]) for text in texts] == 3 * [
        ("cold", "warm", "cold", None)
    ]
    assert "no text can be shown" in tables(found)[3].explained


def test_of_entities_a_text_is_right_where_all_were_found_and_nothing_else(tmp_path: Path) -> None:
    with closing(FakeTeacher(toy_ner_answer)) as fake:
        bench = Bench(tmp_path, fake)
        bench.task = write_toy_ner(tmp_path / "table")
        one = bench.run(bench.config(strategy="seed_only", iterations=0), "one").root
    two = Path(shutil.copytree(one, tmp_path / "two"))
    gold = [2, 2, 1, 0, *[1] * 16]
    put_answers(one, gold=gold, predicted=[2, 3, 1, 0, *[1] * 16], right=[0, 2, 1, 0, *[1] * 16])
    put_answers(two, gold=gold, predicted=[2, 2, 1, 1, *[1] * 16], right=[2, 2, 0, 0, *[1] * 16])
    found = compare([one, two])
    (became,) = found["against_first"]
    assert [became[name] for name in ("gained", "lost", "both_right", "both_wrong")] == [2, 2, 16, 0]
    assert found["runs"][1]["difference"]["mean"] == pytest.approx(2 * 20 / (21 + 22) - 2 * 19 / (21 + 22))
    said = {text["index"]: text for texts in became["examples"].values() for text in texts}
    assert said[1]["first"] == "3 said, 2 of 2 right" and said[1]["this"] == "2 said, 2 of 2 right"
    assert said[3]["gold"] == "no entity" or "(" in said[3]["gold"]
    assert "all of its entities" in tables(found)[1].explained and "entity F1" in tables(found)[0].head[6]


def test_of_choices_a_text_is_right_or_wrong(tmp_path: Path) -> None:
    with closing(FakeTeacher(toy_choice_answer)) as fake:
        bench = Bench(tmp_path, fake)
        bench.task = write_toy_choice(tmp_path / "warmth")
        one = bench.run(bench.config(strategy="seed_only", iterations=0), "one").root
    two, test = Path(shutil.copytree(one, tmp_path / "two")), load_task(str(bench.task)).test
    ones = [1] * len(test)
    put_answers(one, gold=ones, predicted=ones, right=[0, *ones[1:]])
    put_answers(two, gold=ones, predicted=ones, right=[1, 0, 0, *ones[3:]])
    found = compare([one, two])
    (became,) = found["against_first"]
    assert [became[name] for name in ("gained", "lost")] == [1, 2]
    assert found["runs"][1]["difference"]["mean"] == pytest.approx(-1 / len(test))
    (gained,) = became["examples"]["gained"]
    assert (gained["index"], gained["gold"]) == (0, test[0].label)
    assert (gained["first"], gained["this"]) == ("wrong", "right")


def test_what_cannot_be_compared_is_one_line_each(
    runs: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*words: object) -> list[str]:
        code, out, err = evokd(monkeypatch, capsys, "compare", *words)
        assert (code, out) == (2, "")
        return err.splitlines()

    one, two = runs
    assert said(one) == [
        f"evokd: RUN RUN...: expected two run folders or more, each of them once, got {one}. Name the others."
    ]
    assert "each of them once" in said(one, two, one)[0]
    (line,) = said(one, two, "--out", two / "report.html")
    assert "--out: expected an .html file outside of the runs" in line
    assert "--out: expected an .html file" in said(one, two, "--out", "page.md")[0]

    third = Path(shutil.copytree(two, two.parent / "third"))
    put_answers(two, gold=[0] * 10, predicted=[0] * 10)
    alter(third / "run.json", task="another")
    lines = said(one, two, third)
    assert lines == [
        f"evokd: {two}: expected {TEXTS} measured test texts, as in {one}, got 10. Compare runs of one test_limit.",
        f"evokd: {third}: expected the data of {one} (task toy), got other data of task toy. Compare runs on the same "
        "data, and without changes to it between them.",
    ]
    alter(third / "result.json", task="other")
    assert "got task other." in said(one, third)[0]
    alter(two / "result.json", metric={"name": "accuracy", "test": 0.5})
    assert "expected macro_f1 as the result" in said(one, two)[0]

    answers_file(two).unlink()
    (third / "result.json").unlink()
    lines = said("nowhere", one, two, third)
    assert [line.split(": expected ")[1].split(",")[0] for line in lines] == [
        "a run folder with config.yaml", "the student's answers to the test texts", "a run that has ended",
    ]  # fmt: skip
    assert lines[2].endswith(f"`evokd resume {third}` first.")


def test_settings_that_differ_by_dots() -> None:
    one = {"task": "/a", "shots": 1, "teacher": {"ledger": "x", "price": None}, "student": {"lora": {"rank": 4}}}
    two = {"task": "/b", "shots": 1, "teacher": {"ledger": "y", "price": {"prompt": 1.0}}, "student": {"model": "m"}}
    assert differing([one, two]) == {
        "student.lora.rank": [4, None],
        "teacher.price.prompt": [None, 1.0],
        "student.model": [None, "m"],
    }
    stages = [{"stages": [{"batch": {"rule": None}}, {"batch": {"rule": rule}}]} for rule in ("ratio", "count")]
    assert differing(stages) == {"stages.2.batch.rule": ["ratio", "count"]}


def test_a_page_escapes_what_strangers_wrote_and_draws_no_curve_without_tokens(runs: list[Path]) -> None:
    found = compare(runs)
    found["runs"][0]["name"] = "<b>one</b>"
    page = compare_page(found)
    assert "<b>" not in page and "&lt;b&gt;one" in page
    for run in found["runs"]:
        run["curve"] = [{"iteration": 0, "teacher_tokens": 0, "test": 0.5}]
    assert "<figure" not in compare_page(found)


def test_free_answers_are_right_where_they_are_like_the_right_one(tmp_path: Path) -> None:
    with closing(FakeTeacher(toy_instruction_answer)) as fake:
        bench = Bench(tmp_path, fake)
        bench.task = write_toy_instruction(tmp_path / "things")
        for name, shots in (("one", 2), ("two", 3)):
            bench.run(bench.config(shots=shots), name)
    whole = [1000] * TEXTS
    put_answers(tmp_path / "one", gold=whole, predicted=whole, right=[500, 499, *[1000] * (TEXTS - 2)])
    put_answers(tmp_path / "two", gold=whole, predicted=whole, right=[499, 500, *[1000] * (TEXTS - 2)])
    found = compare([tmp_path / "one", tmp_path / "two"])
    (other,) = found["against_first"]
    assert (other["lost"], other["gained"], other["both_wrong"]) == (1, 1, 0)
    (lost,) = other["examples"]["lost"]
    assert (lost["first"], lost["this"]) == ("chrF 50.0", "chrF 49.9") and lost["gold"].startswith("This is the ")
    assert any("chrF is at least 50" in table.explained for table in tables(found, longest=80))


def test_a_run_is_compared_with_its_base_and_its_iterations(tmp_path: Path) -> None:
    with closing(FakeTeacher(toy_instruction_answer)) as fake:
        bench = Bench(tmp_path, fake)
        bench.task = write_toy_instruction(tmp_path / "things")
        run = bench.run(bench.config(), "one")
    one = tmp_path / "one"
    found = compare([tmp_path / "one@base", tmp_path / "one@1", one])
    base, middle, end = found["runs"]
    measured = [read_json(run.iteration(number).measured) for number in (0, 1)]
    assert (base["test"], middle["test"]) == (measured[0]["base"]["chrf"], measured[1]["test"]["chrf"])
    assert base["teacher_tokens"] == 0 < middle["teacher_tokens"] <= end["teacher_tokens"]
    assert (base["curve"], middle["seconds"], end["cost"]) == ([], None, read_json(run.result)["teacher"]["cost"])
    gained = found["against_first"][-1]["examples"]["gained"]
    assert all("what is" in text["first"] and "This is the" in text["this"] for text in gained) and gained
    assert "one@base" in compare_page(found)


def test_answers_are_compared_in_meaning_by_the_encoder_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(FakeTeacher(toy_instruction_answer)) as fake:
        bench = Bench(tmp_path, fake)
        bench.task = write_toy_instruction(tmp_path / "things")
        run = bench.run(bench.config(), "one")
    places = [tmp_path / "one@base", tmp_path / "one"]
    encoder = tiny_model(tmp_path / "encoder")
    found = compare(places, bertscore=str(encoder))["bertscore"]
    right = [example.output or "" for example in load_task(str(bench.task)).test]
    wrote = [read_jsonl(run.iteration(0).base_written), read_jsonl(run.iteration(2).written)]
    for rows, one in zip(wrote, found["runs"], strict=True):
        assert one["f1"] == pytest.approx(bertscore(encoder, [row["text"] for row in rows], right)[0].mean())
    first, last = found["runs"]
    assert first["difference"] is None
    assert last["difference"]["mean"] == pytest.approx(last["f1"] - first["f1"], abs=1e-3)
    code, out, err = evokd(monkeypatch, capsys, "compare", *places, "--bertscore", encoder)
    assert code == 0 and "BERTScore by encoder" in out, err


def test_labels_have_no_meaning_to_compare(runs: list[Path]) -> None:
    with pytest.raises(UserError, match=r"--bertscore.*free answers"):
        compare(runs, bertscore="all-MiniLM-L6-v2")


@pytest.mark.parametrize(
    ("place", "said"),
    [("one@9", "no iteration_009/answers.json. Name an iteration up to 2"), ("one@base", "leave @base out")],
)
def test_an_iteration_that_is_not_there_is_told(runs: list[Path], place: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        compare([runs[1], runs[0].with_name(place)])
    assert said in str(caught.value)
