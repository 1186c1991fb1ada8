"""subjects: what texts of each label are about, as the teacher names it, and what is made of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from agent.estimate import estimate
from agent.nodes.generate import slots
from agent.nodes.subjects import COUNT, named
from agent.plan import plan_of
from agent.rundir import read_json, read_jsonl
from agent.teacher.messages import Reply
from tasks.task import load_task
from tests.conftest import Bench
from tests.fakes.fake_teacher import Body, FakeTeacher, last_message
from tests.fakes.toy import toy_answer


def answer(body: Body) -> str:
    said = last_message(body)
    if "different subjects" in said:
        return json.dumps({"subjects": ["a sunny house", "warm", "boats, gardens", "a sunny house."]})
    return toy_answer(body)


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Bench]:
    """A bench whose task names no attributes and has no pool."""
    with closing(FakeTeacher(answer, labels=("warm", "cold"))) as fake:
        bench = Bench(tmp_path, fake)
        lines = bench.task.read_text(encoding="utf-8").replace(", pool: pool.jsonl", "").splitlines(keepends=True)
        bench.task.write_text("".join(line for line in lines if not line.startswith("attributes")), encoding="utf-8")
        yield bench


def reply(*subjects: str) -> Reply:
    return Reply("", {"subjects": list(subjects)}, None, None, 1, 1, False)


def test_a_list_written_as_one_text_counts_in_parts_and_repetitions_once() -> None:
    assert named(reply("tennis, golf; tennis", "Golf.", " rowing "), ["Sports"]) == ["tennis", "golf", "rowing"]


def test_a_label_is_no_subject_and_a_text_is_none() -> None:
    assert named(reply("sports", "nine words that are too long for any subject"), ["Sports"]) == []
    assert named(None, ["Sports"]) == [] and named(Reply("", None, "not_json", None, 1, 1, False), []) == []
    assert len(named(reply(*(f"subject {n}" for n in range(40))), [])) == COUNT


def test_every_subject_of_a_label_is_used_before_one_is_used_again(bare: Bench) -> None:
    task = load_task(str(bare.task))
    known = {"warm": ["houses", "boats"], "cold": []}
    drawn = slots(task, {"easy": 8}, dict.fromkeys(task.labels, 1.0), np.random.default_rng(0), known)
    about = [slot.attributes.get("subject") for slot in drawn if slot.label == "warm"]
    assert sorted(map(str, about[:2])) == ["boats", "houses"] == sorted(map(str, about[2:4]))
    assert all("subject" not in slot.attributes for slot in drawn if slot.label == "cold")


def test_the_loop_asks_once_and_writes_of_what_it_was_told_in_place_of_the_example(bare: Bench) -> None:
    run = bare.run(bare.config(), "run")
    assert read_json(run.subjects) == {label: ["a sunny house", "boats", "gardens"] for label in ("warm", "cold")}
    asked = [last_message(body) for body in bare.fake.asked]
    assert sum("different subjects" in said for said in asked) == 2
    writing = [said for said in asked if said.startswith("Write")]
    assert writing and all("sunny house" in said or "boats" in said or "gardens" in said for said in writing)
    seeds = [row["text"] for row in read_jsonl(run.seed)]
    assert not any(seed in said for seed in seeds for said in writing)


def test_without_subjects_and_for_a_task_that_names_its_own_nobody_is_asked(bare: Bench) -> None:
    run = bare.run(bare.config(without=["subjects"]), "run")
    assert not run.subjects.exists()
    bare.task.write_text(bare.task.read_text() + "attributes: {subject: [a house]}\n")
    config = bare.config()
    assert "subjects" in plan_of(config, load_task(config.task)).without


def test_a_plan_counts_a_call_for_each_label(bare: Bench) -> None:
    found = estimate(bare.config())
    assert found["nodes"]["subjects"]["calls"] == 2 and "subjects" in found["prompts"]
