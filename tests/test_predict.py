"""Labels by a run's student: from the run folder alone, a row a text, nothing guessed."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from agent.cli import app
from agent.config import resolve
from agent.predict import fielded, predictions, read_texts
from agent.progress import Progress
from agent.run import launch
from agent.rundir import read_json
from agent.teach import teach
from tasks.faults import UserError
from tests.fakes.tiny_model import tiny_model
from tests.fakes.toy import write_toy
from tests.fakes.toy_ner import DISHES, FILLERS, GUESTS, write_toy_ner

PAIR = ["premise", "hypothesis"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run on seed examples alone, begun in its own folder with relative paths."""
    root = tmp_path_factory.mktemp("predict")
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(root)
        tiny_model(root / "tiny")
        write_toy(root / "toy")
        student = {
            "model": "tiny",
            "device": "cpu",
            "dtype": "float32",
            "max_steps": 4,
            "min_steps": 2,
            "max_length": 16,
        }
        config = resolve({"task": "toy/task.yaml", "strategy": "seed_only", "iterations": 0, "student": student,
                          "teacher": {"ledger": str(root / "ledger.sqlite")}})  # fmt: skip
        launch(config, root / "run", Progress())
    return root / "run"


def test_the_task_may_change_or_go_and_the_run_is_read_from_anywhere(run: Path) -> None:
    before = [(row["label"], row["confidence"]) for row in predictions(run, given("red gold", "blue teal"))]
    assert read_json(run / "run.json")["labels"] == ["warm", "cold"]
    task = run.parent / "toy" / "task.yaml"
    fields = yaml.safe_load(task.read_text())
    task.write_text(yaml.safe_dump({**fields, "labels": ["cold", "warm"]}))
    assert [(row["label"], row["confidence"]) for row in predictions(run, given("red gold", "blue teal"))] == before
    shutil.rmtree(task.parent)
    assert [(row["label"], row["confidence"]) for row in predictions(run, given("red gold", "blue teal"))] == before


def given(*texts: str) -> list[tuple[str, str]]:
    return [("TEXTS", text) for text in texts]


@pytest.mark.parametrize("texts", [[], [""], ["a text", "  "], ['{"txt": "a"}']])
def test_no_text_and_an_empty_text_are_refused(run: Path, texts: list[str]) -> None:
    with pytest.raises(UserError, match=r"TEXTS: expected a(t least one)? text"):
        list(predictions(run, given(*texts)))


def test_a_row_a_line_and_an_empty_line_between_is_told(tmp_path: Path) -> None:
    file = tmp_path / "texts.txt"
    file.write_text('one\n{"text": "two"}\n\n')
    assert [fielded(line, ["text"]) for line in read_texts(file)] == [{"text": "one"}, {"text": "two"}]
    file.write_text("one\n\nthree\n")
    _, empty, _ = read_texts(file)
    with pytest.raises(UserError, match=r"texts.txt:2: expected a text that is not empty, got an empty line"):
        fielded(empty, ["text"])


def test_a_text_of_several_fields_comes_as_json() -> None:
    line = ("f:1", '{"premise": "A cat sleeps.", "hypothesis": "It\\nrests.", "label": "unread"}')
    assert fielded(line, PAIR) == {"premise": "A cat sleeps.", "hypothesis": "It\nrests."}
    for text, expected in {
        "A cat sleeps.": "f:1: expected a JSON object with `premise` and `hypothesis`, got A cat sleeps.",
        '{"premise": "A cat sleeps."}': "f:1: expected a field `hypothesis` with a text",
        '["A cat sleeps.", "It rests."]': "f:1: expected a JSON object with",
    }.items():
        with pytest.raises(UserError, match=re.escape(expected)):
            fielded(("f:1", text), PAIR)


def test_entities_are_told_with_their_place_and_how_sure_it_is(tmp_path: Path) -> None:
    tiny_model(tmp_path / "tiny", " ".join([*DISHES, *GUESTS, *FILLERS]).lower().split())
    student = {"model": str(tmp_path / "tiny"), "device": "cpu", "dtype": "float32", "max_length": 32, "method": "full",
               "learning_rate": 3e-3, "epochs": 30}  # fmt: skip
    config = resolve({"task": str(write_toy_ner(tmp_path / "table")), "strategy": "full_shot", "iterations": 1,
                      "student": student, "batch": {"pool": 60, "pool_policy": "random"},
                      "teacher": {"ledger": str(tmp_path / "ledger.sqlite")},
                      "without": ["analyze", "generate", "score", "evaluate"]})  # fmt: skip
    launch(config, tmp_path / "run", Progress())
    (row,) = predictions(tmp_path / "run", given("Ada had the plum cake at noon"))
    assert set(row) == {"text", "entities", "confidence"}
    for one in row["entities"]:
        assert set(one) == {"start", "end", "label", "text", "confidence"}
        assert one["text"] == row["text"][one["start"] : one["end"]] and 0 < one["confidence"] <= 1
    assert {(one["text"], one["label"]) for one in row["entities"]} == {("Ada", "guest"), ("plum cake", "dish")}
    printed = CliRunner().invoke(app, ["predict", str(tmp_path / "run"), "Ada had the plum cake at noon"])
    assert printed.stdout.startswith("Ada (guest), plum cake (dish)")
    found = teach(
        tmp_path / "run",
        '{"text": "Bo ate plum cake", "entities": [{"start": 0, "end": 2, "label": "guest"}]}',
        8,
        Progress(),
    )
    assert found["paraphrases"] == [], "where the entities of a paraphrase are, nobody knows"
    assert found["metric"] == "micro_f1" and found["answer"] == "Bo (guest)"
