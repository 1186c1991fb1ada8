"""A label is added while a student is in use: what an earlier run learned is learned again, and nothing asked twice."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.earlier import check_earlier
from agent.rundir import RunDir, read_json, read_jsonl
from tasks.data import text_key
from tasks.faults import UserError
from tasks.task import load_task
from tests.conftest import Bench
from tests.fakes.fake_teacher import Body, FakeTeacher, last_message
from tests.fakes.toy import COLD, FILLERS, WARM, toy_answer

GREY = "grey ash stone smoke".split()


def knows_grey(body: Body) -> str:
    """The toy teacher, which calls texts without a colour grey."""
    said = last_message(body)
    return toy_answer(body) if set(said.split()) & {*WARM, *COLD} or '"' in said or "{" in said else "grey"


def grey(number: int) -> dict[str, str]:
    shade, words = GREY[number % len(GREY)], [FILLERS[(number * 3 + k) % len(FILLERS)] for k in range(4)]
    return {"text": f"{shade} and {shade} {' '.join(words)} g{number}", "label": "grey"}


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bench, RunDir, Path]]:
    """A finished run, and the task.yaml of its task with the label grey added."""
    root = tmp_path_factory.mktemp("grown")
    with closing(FakeTeacher(knows_grey)) as fake:
        bench = Bench(root, fake)
        old = bench.run(bench.config(), "old")
        more = Path(shutil.copytree(bench.task.parent, root / "more")) / "task.yaml"
        more.write_text(more.read_text().replace("[warm, cold]", "[warm, cold, grey]"))
        for part, numbers in {"seed": range(4), "test": range(4, 14), "pool": range(14, 44)}.items():
            with (more.parent / f"{part}.jsonl").open("a") as file:
                file.writelines(json.dumps(grey(number)) + "\n" for number in numbers)
        yield bench, old, more


def test_a_label_is_added_and_no_other_lost(grown: tuple[Bench, RunDir, Path]) -> None:
    bench, old, more = grown
    config = bench.config(task=str(more), earlier=str(old.root))
    run = bench.run(config, "new")
    known = read_jsonl(old.history)
    again = [row for row in read_jsonl(run.history) if row["source"] == "earlier"]
    own = {text_key(row["text"]) for row in read_jsonl(run.history) if row["source"] in ("seed", "name")}
    assert {text_key(row["text"]) for row in again} == {text_key(row["text"]) for row in known} - own
    assert len({row["id"] for row in read_jsonl(run.history)}) == len(read_jsonl(run.history))
    sampled = {text_key(row["text"]) for one in run.iterations() for row in read_jsonl(one.sampled)}
    assert sampled and not sampled & {text_key(row["text"]) for row in known}
    assert not {"reconcile", "match"} & set(re.findall(r"\w+", run.graph.read_text()))
    before = read_json(old.iteration(2).measured)["test"]["per_class"]
    after = read_json(run.iteration(2).measured)["test"]["per_class"]
    assert after["grey"]["f1"] > 0.8
    assert all(after[label]["f1"] >= before[label]["f1"] - 0.1 for label in ("warm", "cold"))
    assert read_json(run.earlier)["test"]["per_class"] == before
    assert "earlier run" in run.report.read_text(encoding="utf-8")


def test_what_it_cannot_go_on_from_is_told(grown: tuple[Bench, RunDir, Path], tmp_path: Path) -> None:
    bench, old, more = grown
    fewer = Path(shutil.copytree(more.parent, tmp_path / "fewer")) / "task.yaml"
    fewer.write_text(more.read_text().replace("[warm, cold, grey]", "[warm, grey]"))
    for part in ("seed", "test", "dev", "pool"):
        rows = [row for row in read_jsonl(fewer.parent / f"{part}.jsonl") if row.get("label") != "cold"]
        (fewer.parent / f"{part}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    learned = read_jsonl(old.history)[-1]["text"]
    with (fewer.parent / "test.jsonl").open("a") as file:
        file.write(json.dumps({"text": learned, "label": "grey"}) + "\n")
    pool = fewer.parent / "pool.jsonl"
    pool.write_text("".join(json.dumps(row) + "\n" for row in read_jsonl(pool) if row["text"] != learned))
    with pytest.raises(UserError) as caught:
        check_earlier(bench.config(task=str(fewer), earlier=str(old.root)), load_task(str(fewer)))
    assert "the label 'cold', which the run learned" in str(caught.value)
    assert "test texts that nobody learned" in str(caught.value)
    unfinished = Path(shutil.copytree(old.root, tmp_path / "unfinished"))
    (unfinished / "result.json").unlink()
    with pytest.raises(UserError, match="a run that has ended"):
        check_earlier(bench.config(task=str(more), earlier=str(unfinished)), load_task(str(more)))
