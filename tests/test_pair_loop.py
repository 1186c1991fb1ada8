"""The whole loop on a task of pairs: both texts reach prompts, files and student, each where it belongs."""

from __future__ import annotations

import json
import re
from contextlib import closing
from pathlib import Path

import pytest

from agent.rundir import read_json, read_jsonl
from tests.conftest import Bench
from tests.fakes.fake_teacher import Body, FakeTeacher, last_message, share
from tests.fakes.toy import COLD, WARM, sentence, toy_answer

TASK = """\
name: pairs
kind: pair
question: Are the colours of both equally warm?
labels: [same, other]
data: {seed: seed.jsonl, test: test.jsonl, pool: pool.jsonl}
"""
ASKED = re.compile(
    r'(?:Write|hypothesis\) in) (\d+) (?:new examples, each of premise and hypothesis|different)[^"]*"(same|other)"'
)
QUESTION = re.compile(r"premise: (.*)\nhypothesis: (.*)")


def pair(label: str, number: str) -> dict[str, str]:
    first = "warm" if share(number) < 0.5 else "cold"
    second = first if label == "same" else {"warm": "cold", "cold": "warm"}[first]
    return {"premise": sentence(first, f"{number}p"), "hypothesis": sentence(second, f"{number}h")}


def answer(body: Body) -> str:
    said = last_message(body)
    if asked := ASKED.search(said):
        numbers = [f"g{share(json.dumps(body), str(i)):.9f}" for i in range(int(asked[1]))]
        return json.dumps({"texts": [pair(asked[2], number) for number in numbers]})
    if question := QUESTION.fullmatch(said):
        warm = [len(set(part.split()) & set(WARM)) >= len(set(part.split()) & set(COLD)) for part in question.groups()]
        return "same" if warm[0] == warm[1] else "other"
    return toy_answer(body).replace('"warm"', '"same"')


def write(folder: Path) -> Path:
    folder.mkdir()
    for part, size in {"seed": 8, "test": 20, "pool": 40}.items():
        rows = [{**pair(label, f"{part}{i}"), "label": label} for i in range(size) for label in ("same", "other")]
        (folder / f"{part}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "task.yaml").write_text(TASK)
    return folder / "task.yaml"


@pytest.mark.parametrize("strategy", ["evokd", "auggpt", "eda"])
def test_the_loop_runs_on_pairs(tmp_path: Path, strategy: str) -> None:
    with closing(FakeTeacher(answer, labels=("same", "other"))) as fake:
        bench = Bench(tmp_path, fake)
        bench.task = write(tmp_path / "pairs")
        run = bench.run(bench.config(strategy=strategy), "run")
        asked = list(map(last_message, fake.asked))
    assert read_json(run.result)["iterations"] >= 1
    made = [row for row in read_jsonl(run.history) if row["iteration"] > 0]
    assert made and all(len(row["text"].split("\n")) == 2 for row in read_jsonl(run.history))
    labelled = [said for said in asked if QUESTION.fullmatch(said)]
    test = [row[field] for row in read_jsonl(tmp_path / "pairs" / "test.jsonl") for field in ("premise", "hypothesis")]
    assert not any(text in said for text in test for said in asked)
    if strategy == "evokd":
        assert {row["source"] for row in made} == {"pool", "hard", "easy"} and labelled
        assert not [row for row in read_jsonl(run.iteration(0).batch) if row["source"] == "name"]
        assert any("premise: " in said and " | hypothesis: " in said for said in asked if "weaknesses" in said)
    assert run.report.exists()
