"""Which texts of the pool are taken."""

from __future__ import annotations

import pytest

from agent.config import RunConfig
from agent.nodes.sample import standing
from agent.rundir import RunDir, read_jsonl, write_jsonl
from agent.shortlist import SIZE
from tasks.task import load_task
from tests.conftest import Bench


def taken(run: RunDir) -> list[int]:
    return [row["index"] for k in range(3) for row in read_jsonl(run.iteration(k).sampled)]


@pytest.mark.parametrize("policy", ["random", "uncertainty", "longest", "diverse"])
def test_no_text_is_taken_twice_and_every_batch_is_full(bench: Bench, policy: str) -> None:
    run = bench.run(bench.config(batch={"hard": 4, "easy": 2, "pool": 6, "pool_policy": policy}, iterations=3), "a")
    found = taken(run)
    assert len(found) == len(set(found)) and len(found) >= 18


def test_a_pool_that_is_used_up_gives_what_it_has(bench: Bench) -> None:
    run = bench.run(bench.config(batch={"hard": 2, "easy": 2, "pool": 25, "pool_policy": "diverse"}, iterations=4), "a")
    found = [row["index"] for k in range(4) for row in read_jsonl(run.iteration(k).sampled)]
    assert sorted(found) == list(range(len(load_task(str(bench.task)).pool)))


def test_of_two_heaps_of_texts_the_cheap_ones_are_taken(bench: Bench) -> None:
    task = load_task(str(bench.task))
    long = [{"text": f"{row.text} {'very ' * 80}{n}"} for n, row in enumerate(task.pool)]
    pool = bench.task.parent / "pool.jsonl"
    write_jsonl(pool, [*({"text": row.text} for row in task.pool), *long])
    batch = {"hard": 0, "easy": 0, "pool": 8, "pool_policy": "diverse"}
    run = bench.run(bench.config(batch=batch, iterations=1), "a")
    found = [row["text"] for row in read_jsonl(run.iteration(0).sampled)]
    assert len(found) == 8 and sum("very very" in text for text in found) <= 2


def test_diverse_texts_are_chosen_not_drawn_and_again_the_same(bench: Bench) -> None:
    def met(name: str, policy: str) -> list[int]:
        batch = {"hard": 0, "easy": 0, "pool": 8, "pool_policy": policy}
        return taken(bench.run(bench.config(batch=batch, iterations=3), name))

    assert met("a", "diverse") == met("b", "diverse") != met("c", "random")


def many(bench: Bench) -> RunConfig:
    """The toy task with 18 more labels, each with a seed example."""
    names = [f"shade{n}" for n in range(18)]
    text = bench.task.read_text().replace("[warm, cold]", f"[warm, cold, {', '.join(names)}]")
    bench.task.write_text(text)
    seeds = bench.task.parent / "seed.jsonl"
    write_jsonl(seeds, [*read_jsonl(seeds), *({"text": f"{name} alone", "label": name} for name in names)])
    return bench.config(shots=1, batch={"hard": 0, "easy": 0, "pool": 8})


def test_of_many_labels_the_teacher_is_shown_those_the_student_holds_likeliest(bench: Bench) -> None:
    run = bench.run(many(bench), "a")
    rows = [row for k in (0, 1) for row in read_jsonl(run.iteration(k).sampled)]
    assert rows and all(len(row["labels"]) == SIZE for row in rows)
    asked = [said for body in bench.fake.asked if "label only" in (said := body["messages"][0]["content"])]
    assert len(asked) == len(rows)
    assert sorted(said.split("Labels: ")[1].split(".")[0] for said in asked) == sorted(
        ", ".join(row["labels"]) for row in rows
    )


def test_without_the_shortlist_all_labels_are_shown(bench: Bench) -> None:
    config = many(bench).model_copy(update={"without": ("shortlist",)})
    run = bench.run(config, "a")
    assert all("labels" not in row for row in read_jsonl(run.iteration(0).sampled))
    asked = [said for body in bench.fake.asked if "label only" in (said := body["messages"][0]["content"])]
    assert asked and all("shade17" in said for said in asked)


def test_a_pair_is_looked_at_by_its_first_text_alone() -> None:
    assert standing(load_task("inference_fr"), "Il pleut.\nLe sol est sec.") == "Il pleut.\n"
    assert standing(load_task("support_tickets"), "It rains.") == "It rains."
    question = load_task("everyday_choices").pool[0].text  # of several fields too, but its choices are part of it
    assert "\n" in question and standing(load_task("everyday_choices"), question) == question
