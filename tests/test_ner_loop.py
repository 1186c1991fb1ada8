"""The whole loop on a task of entities: the real graph, nodes and teacher client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.estimate import estimate
from agent.experiments.cells import Arm, make_grid
from agent.experiments.kept import done_of
from agent.experiments.write import write_results
from agent.rundir import RunDir, read_json, read_jsonl
from tasks.faults import UserError
from tests.conftest import Bench
from tests.fakes.fake_teacher import FakeTeacher, last_message
from tests.fakes.toy import write_toy
from tests.fakes.toy_ner import named, toy_ner_answer, write_toy_ner


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Bench]:
    with closing(FakeTeacher(toy_ner_answer)) as fake:
        bench = Bench(tmp_path, fake)
        bench.task = write_toy_ner(tmp_path / "table")
        yield bench


def rows_of(run: RunDir, name: str) -> list[dict[str, object]]:
    return [row for one in run.iterations() for row in read_jsonl(getattr(one, name))]


def test_the_loop_marks_examines_and_learns_entities(table: Bench) -> None:
    run = table.run(table.config(), "run")
    result = read_json(run.result)
    assert result["metric"]["name"] == "micro_f1"
    assert result["metric"]["test"] > result["curve"][0]["test"] or result["metric"]["test"] > 0.9
    made = [row for row in read_jsonl(run.history) if row["iteration"] > 0]
    assert {row["source"] for row in made} == {"pool", "hard", "easy"}
    assert all(row["entities"] == named(row["text"]) for row in made), "what has no place in the text was left out"
    assert all(0 < row["student_confidence"] <= 1 and row["das"] is not None for row in made)
    examined = rows_of(run, "predictions")
    assert all(row["correct"] == (row["entities"] == row["predicted_entities"]) for row in examined)
    asked = list(map(last_message, table.fake.asked))
    test = [row["text"] for row in read_jsonl(table.task.parent / "test.jsonl")]
    assert not any(text in said for text in test for said in asked)


def test_at_the_end_it_learns_what_it_says_of_the_rest_of_the_pool(table: Bench) -> None:
    config = table.config(batch={"pool": 6}, self_training={"texts": 20, "share": 0.5})
    run = table.run(config, "run")
    last = run.iteration(2)
    own = read_jsonl(last.self_labelled)
    assert 8 <= len(own) <= 12 and all(set(row) == {"text", "entities", "confidence"} for row in own)
    assert not {row["text"] for row in own} & {row["text"] for row in read_jsonl(run.history)}
    assert last.self_adapter.exists() and read_json(last.measured)["before_selftrain"] is not None
    assert read_json(last.self_training)["taken"] is True
    assert "match" not in run.graph.read_text(encoding="utf-8")


def test_a_student_that_forgets_what_it_taught_itself_is_not_taken(
    table: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.nodes.selftrain.SAID", 2.0)  # more than any student says
    run = table.run(table.config(batch={"pool": 6}, self_training={"texts": 20, "share": 0.5}), "run")
    last = run.iteration(2)
    found = read_json(last.self_training)
    assert found["taken"] is False and found["taught"] > 0
    assert not last.self_adapter.exists() and last.adapter.exists()
    measured = read_json(last.measured)
    assert measured["test"] == measured["before_selftrain"]["test"]
    assert read_json(run.result)["metric"]["test"] == measured["test"]["micro_f1"]
    said = f"of the entities that it taught itself, {found['taught']}, it then named {found['said']}"
    assert said in (last.root / "weakness.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("most", "turns"), [(6, 4), (1, 2), (0, 0)])
def test_the_teacher_is_shown_the_entities_of_the_seed_examples(table: Bench, most: int, turns: int) -> None:
    run = table.run(table.config(shots=2, teacher={"entity_examples": most}), "run")
    seeds = {row["text"]: row["entities"] for row in read_jsonl(run.seed)}
    asked = [body["messages"] for body in table.fake.asked if "Copy each entity" in body["messages"][0]["content"]]
    assert asked and all(len(messages) <= 2 + turns for messages in asked)
    for _, *shown, _ in asked:
        for text, answer in zip(shown[::2], shown[1::2], strict=True):
            said = [(one["text"], one["label"]) for one in json.loads(answer["content"])["entities"]]
            wanted = [(text["content"][e["start"] : e["end"]], e["label"]) for e in seeds[text["content"]]]
            assert said == wanted and answer["role"] == "assistant"
    assert max(map(len, asked)) > 2 or not most


def test_every_mention_without_a_place_is_counted_with_its_text_and_the_reason(table: Bench) -> None:
    run = table.run(table.config(), "run")
    found = [read_json(one.mentions) for one in run.iterations() if one.mentions.exists()]
    assert all(one["made"] == one["kept"] + sum(one["dropped"].values()) for one in found)
    lost = [row for one in found for row in one["misplaced"]]
    assert {row["reason"] for row in lost} >= {"not_in_text", "unknown_label"}
    assert all(set(row) == {"text", "mention", "label", "reason"} for row in lost)
    counted = [row["counts"] for row in read_jsonl(run.metrics)[1:]]
    assert [row["mentions"]["made"] for row in counted] == [one["made"] for one in found][: len(counted)]
    assert all(row["made"] == row["kept"] + sum(row["dropped"].values()) for row in counted)
    dropped = rows_of(run, "dropped")
    assert any(row["reason"] == "nothing_placed" for row in dropped)


def test_the_reports_tell_types_and_kinds_of_mistake(table: Bench) -> None:
    run = table.run(table.config(), "run")
    weakness = run.iteration(1).weakness.read_text(encoding="utf-8")
    assert "## By entity type and kind of mistake" in weakness and "entity F1" in weakness
    assert "| type | entities | right | missed | invented | boundary | type |" in weakness
    assert "Entities that the teacher named: " in weakness
    page = run.report.read_text(encoding="utf-8")
    assert "Test entity F1" in page and "F1 of partial matches" in page and "macro-F1" not in page
    assert "Entities that the teacher named: " in page


@pytest.mark.parametrize("strategy", ["static", "auggpt", "llm2llm", "full_shot", "teacher_shot", "uncertainty"])
def test_strategies_that_make_sense_run(table: Bench, strategy: str) -> None:
    run = table.run(table.config(strategy=strategy), "run")
    made = [row for row in read_jsonl(run.history) if row["iteration"] > 0]
    assert made and all(row["entities"] == named(row["text"]) for row in made)


def test_a_run_that_was_cut_ends_as_an_unbroken_one(table: Bench) -> None:
    class CutError(Exception):
        """Ends a run where it stands."""

    def cut(event: str, node: str, iteration: int) -> None:
        if (event, node, iteration) == ("end", "label", 1):
            raise CutError

    whole = table.run(table.config("one"), "whole", run_id="id")
    with pytest.raises(CutError):
        table.run(table.config("two"), "cut", cut, run_id="id")
    again = table.run(table.config("two"), "cut", run_id="id")
    for name in ("history.jsonl", "iteration_001/mentions.json", "iteration_002/predictions.jsonl"):
        assert (again.root / name).read_bytes() == (whole.root / name).read_bytes()


def test_a_grid_of_entities_has_their_metric_and_is_not_mixed_with_another(table: Bench, tmp_path: Path) -> None:
    write_toy(tmp_path / "toy")
    run = table.run(table.config(strategy="full_shot"), "grid/table-full_shot-s1")
    sets = [f"teacher.ledger={table.root / 'ledger.sqlite'}"]
    grid = make_grid([str(table.task)], [Arm("full_shot")], [1], run.root.parent, sets=sets)
    written = write_results(grid, "pool_random")
    assert float(written.rows[0]["micro_f1"]) == read_json(run.result)["metric"]["test"]
    assert "| entity F1 |" in written.markdown and "Entity F1 on the test set" in written.markdown
    kept = done_of(read_jsonl(grid.folder / "cells.jsonl")[0])
    assert kept.answers.score(slice(None), 2) == pytest.approx(kept.score)
    with pytest.raises(UserError, match="of one metric, for one table, got macro_f1 and micro_f1"):
        make_grid([str(table.task), str(tmp_path / "toy")], [Arm("full_shot")], [1], tmp_path / "other")


def test_a_plan_shows_the_call_that_marks(table: Bench) -> None:
    found = estimate(table.config())
    assert found["nodes"]["label"]["tokens"] > 0
    asked = [content for messages in found["prompts"].values() for _, content in messages]
    assert any("Copy each entity letter for letter" in said for said in asked)
    assert any("it said no entity, the right answer is" in said for said in asked)
    assert any('names at least one entity of label "dish"' in said for said in asked)
