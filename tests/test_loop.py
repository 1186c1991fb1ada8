"""The loop from seed to report, on the fake teacher and student."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.baselines.strategy import strategy_names
from agent.example import read_examples
from agent.nodes.generate import of_missed
from agent.rundir import RunDir, read_json, read_jsonl
from agent.trust import PROBE
from tasks.task import Example, load_task
from tests.conftest import Bench
from tests.fakes.fake_teacher import FakeTeacher, last_message
from tests.fakes.toy import toy_answer

RESULT_KEYS = {
    "task", "strategy", "without", "seed", "shots", "metric", "curve", "teacher", "seconds", "iterations",
    "stopped_because", "versions",
}  # fmt: skip


def balanced(run: RunDir) -> None:
    """made = kept + dropped, in every iteration, and the batch is what was kept."""
    for row in read_jsonl(run.metrics):
        counts = row["counts"]
        assert counts["made"] == counts["kept"] + sum(counts["dropped"].values())
        assert counts["kept"] == len(read_jsonl(run.iteration(row["iteration"]).batch))


def test_a_run_writes_every_file_of_the_contract(bench: Bench) -> None:
    run = bench.run(bench.config(), "a")
    result = read_json(run.result)
    assert set(result) == RESULT_KEYS
    assert result["stopped_because"] == "iterations"
    assert [point["iteration"] for point in result["curve"]] == [0, 1, 2]
    assert set(result["teacher"]) == {"calls", "prompt_tokens", "completion_tokens", "cached_calls", "cost"}
    assert result["teacher"]["cost"] is None
    assert set(result["seconds"]) == {"total", "teacher", "student"}
    for path in (run.config, run.graph, run.checkpoints, run.metrics, run.history, run.report):
        assert path.exists(), path
    for number in (1, 2):
        here = run.iteration(number)
        for path in (here.weakness, here.batch, here.predictions, here.adapter):
            assert path.exists(), path
    balanced(run)


def test_the_student_learns(bench: Bench) -> None:
    curve = read_json(bench.run(bench.config(), "a").result)["curve"]
    assert curve[-1]["test"] > curve[0]["test"]


def test_the_history_holds_every_batch_once_with_its_birth(bench: Bench) -> None:
    run = bench.run(bench.config(), "a")
    history = read_jsonl(run.history)
    batches = [row for number in range(3) for row in read_jsonl(run.iteration(number).batch)]
    assert [row["id"] for row in history] == [row["id"] for row in batches]
    assert {row["source"] for row in history} == {"seed", "name", "hard", "easy", "pool"}
    hard = [row for row in history if row["source"] == "hard"]
    assert all(row["intended"] and row["teacher_label"] and row["agrees"] is not None for row in hard)
    assert all(row["das"] is not None for row in history if row["source"] in {"hard", "pool"})
    easy = [row for row in history if row["source"] == "easy"]
    assert easy and all(row["label"] == row["intended"] for row in easy if row["agrees"] is not False)


def test_the_labels_own_names_are_learned_with_the_seeds_and_left_out_by_one_word(bench: Bench) -> None:
    first = read_jsonl(bench.run(bench.config(), "a").iteration(0).batch)
    assert [(row["text"], row["label"]) for row in first if row["source"] == "name"] == [
        (f"{label}: {gloss}" if gloss else label, label) for label, gloss in load_task(str(bench.task)).labels.items()
    ]
    without = read_jsonl(bench.run(bench.config(without=["names"]), "b").iteration(0).batch)
    assert without == [row for row in first if row["source"] == "seed"]


def test_what_the_teacher_said_is_learned_as_far_as_the_first_student_agrees(bench: Bench) -> None:
    run = bench.run(bench.config(), "a")
    assert read_jsonl(run.iteration(0).targets) == []
    rows = read_jsonl(run.iteration(2).targets)
    history = {row["id"]: row for row in read_jsonl(run.history)}
    taught = {name for name, row in history.items() if row["teacher_distribution"] is not None}
    assert {row["id"] for row in rows} == taught
    (trust,) = {row["trust"] for row in rows}
    assert 0 < trust <= 1
    assert all(sum(row["target"]) == pytest.approx(1.0) for row in rows)
    moved = [row["target"][0] - history[row["id"]]["teacher_distribution"]["warm"] for row in rows]
    assert max(map(abs, moved)) > 0.02


def test_nothing_is_called_hard_before_the_student_has_been_examined(bench: Bench) -> None:
    run = bench.run(bench.config(), "a")
    kinds = [{row["source"] for row in read_jsonl(run.iteration(k).generated)} for k in (0, 1)]
    assert kinds == [{"easy"}, {"hard", "easy"}]
    sources = Counter(row["source"] for row in read_jsonl(run.iteration(1).batch))
    assert sources == {"easy": 2, "pool": 10}  # pool texts take the places of the hard ones


def test_selection_keeps_the_places_and_the_widest_divergence(bench: Bench) -> None:
    run = bench.run(bench.config(), "a")
    scored = [row for row in read_jsonl(run.iteration(2).scored) if row["source"] == "hard"]
    kept = [row["das"] for row in scored if row["kept"]]
    left = [row["das"] for row in scored if not row["kept"]]
    assert len(kept) == 4
    assert left
    assert min(kept) >= max(left)


def test_no_test_or_dev_text_is_in_any_prompt(bench: Bench) -> None:
    config = bench.config()
    bench.run(config, "a")
    task = load_task(config.task)
    prompts = json.dumps([body["messages"] for body in bench.fake.bodies])
    held_out = [example.text for example in (*task.test, *task.dev)]
    assert held_out
    assert not [text for text in held_out if text in prompts]
    assert any(example.text in prompts for example in task.pool)


def test_the_same_seed_meets_the_same_pool_texts_first_whatever_the_batch_and_strategy(bench: Bench) -> None:
    def met(name: str, **fields: Any) -> list[str]:
        run = bench.run(bench.config(**fields), name)
        return [row["text"] for k in range(10) for row in read_jsonl(run.iteration(k).sampled)]

    drawn = {"pool_policy": "random"}
    small = met("small", batch={"pool": 3, **drawn}, iterations=2, without=["generate"])
    large = met("large", batch={"pool": 6, **drawn}, iterations=1, without=["score", "generate"])
    other = met("other", batch={"pool": 6, **drawn}, iterations=1, seed=2, without=["generate"])
    assert len(small) == 6 and small == large != other


def test_self_training_learns_pool_texts_that_no_teacher_saw_and_costs_no_token(bench: Bench) -> None:
    plain = bench.run(bench.config(iterations=2), "plain")
    run = bench.run(bench.config(iterations=2, self_training={"texts": 20, "share": 0.5}), "self")
    asked = {row["text"] for k in range(3) for row in read_jsonl(run.iteration(k).sampled)}
    own = read_jsonl(run.iteration(2).self_labelled)
    assert 8 <= len(own) <= 12 and not asked & {row["text"] for row in own}
    assert not {row["text"] for row in own} & {row["text"] for row in read_jsonl(run.history)}
    assert not run.iteration(1).self_adapter.exists()
    assert run.iteration(2).self_adapter.exists() and not plain.iteration(2).self_adapter.exists()
    paid = [read_json(one.result)["teacher"]["completion_tokens"] for one in (plain, run)]
    assert paid[0] > 0 and len(read_jsonl(run.iteration(0).sampled)) == len(read_jsonl(plain.iteration(0).sampled))


def test_self_training_comes_however_the_run_ends(bench: Bench) -> None:
    own = {"texts": 20}
    paid = bench.run(bench.config(self_training=own, iterations=9, budget={"tokens": 5000}), "paid")
    assert read_json(paid.result)["stopped_because"] == "budget: tokens"
    last = read_jsonl(paid.metrics)[-1]["iteration"]
    assert 0 < last < 9 and paid.iteration(last).self_adapter.exists()
    assert [row["iteration"] for row in read_jsonl(paid.metrics)] == list(range(last + 1))
    one = bench.run(bench.config(self_training=own, iterations=1, without=["score", "evaluate"]), "one")
    assert one.iteration(1).self_adapter.exists()


def test_pool_labels_are_not_read_by_the_loop(bench: Bench) -> None:
    run = bench.run(bench.config(), "a")
    assert all(row["teacher_label"] == row["label"] for row in read_jsonl(run.history) if row["source"] == "pool")
    assert all(set(row) == {"index", "text"} for row in read_jsonl(run.iteration(0).sampled))


def test_the_last_iteration_asks_nothing_it_will_not_use(bench: Bench) -> None:
    run = bench.run(bench.config(), "a")
    assert not run.iteration(2).generated.exists()
    assert not run.iteration(2).sampled.exists()


@pytest.mark.parametrize(
    ("part", "absent"),
    [
        ("analyze", "analysis.json"), ("generate", "generated.jsonl"), ("score", "scored.jsonl"),
        ("evaluate", "predictions.jsonl"), ("sample", "sampled.jsonl"), ("review", "replayed.jsonl"),
        ("reconcile", "targets.jsonl"),
    ],
)  # fmt: skip
def test_a_part_left_out_leaves_no_trace_and_the_run_goes_through(bench: Bench, part: str, absent: str) -> None:
    run = bench.run(bench.config(without=[part]), "a")
    assert not list(run.root.glob(f"iteration_*/{absent}"))
    assert read_json(run.result)["without"] == [part]
    balanced(run)


@pytest.mark.parametrize(("part", "other"), [("easy", "hard"), ("hard", "easy")])
def test_the_places_of_a_left_out_kind_go_to_the_other(bench: Bench, part: str, other: str) -> None:
    run = bench.run(bench.config(without=[part]), "a")
    sources = read_jsonl(run.metrics)[1]["counts"]["by_source"]
    assert part not in sources
    assert sources[other] == 6


def test_without_separation_generated_texts_cost_no_labelling_call(bench: Bench) -> None:
    run = bench.run(bench.config(without=["separation", "sample"]), "a")
    made = [row for row in read_jsonl(run.history) if row["source"] == "hard"]
    assert made
    assert all(row["label"] == row["intended"] and row["teacher_confidence"] is None for row in made)
    assert not [body for body in bench.fake.asked if "label only" in json.dumps(body)]


def test_without_correct_the_analyst_sees_wrong_answers_only(bench: Bench) -> None:
    bench.run(bench.config(without=["correct"]), "a")
    analyses = [json.dumps(body) for body in bench.fake.asked if "weaknesses" in json.dumps(body)]
    assert analyses
    assert not [said for said in analyses if "answered these correctly" in said]


@pytest.mark.parametrize("strategy", [name for name in strategy_names() if name != "evokd"])
def test_every_strategy_runs_on_the_same_nodes(bench: Bench, strategy: str) -> None:
    run = bench.run(bench.config(strategy=strategy), "a")
    result = read_json(run.result)
    sources = {row["source"] for row in read_jsonl(run.history)}
    expected = {
        "seed_only": {"seed"}, "static": {"seed", "plain"}, "pool_random": {"seed", "pool"},
        "teacher_shot": {"seed", "pool"}, "full_shot": {"seed", "gold"}, "uncertainty": {"seed", "pool"},
        "longest": {"seed", "pool"}, "zerogen": {"seed", "plain"}, "auggpt": {"seed", "plain"},
        "eda": {"seed", "eda"}, "llm2llm": {"seed", "plain"}, "evokd_literal": {"seed", "hard", "easy"},
        "evokd_init": {"seed", "hard", "easy"}, "sungen": {"seed", "plain"}, "pool_diverse": {"seed", "pool"},
        "pool_selftrain": {"seed", "pool"},
    }  # fmt: skip
    assert sources == expected[strategy]
    assert (result["teacher"]["calls"] > 0) == (strategy not in {"seed_only", "full_shot", "eda"})
    balanced(run)


def prompts_of(bench: Bench, strategy: str) -> list[str]:
    """The generating prompts of a run of `strategy`."""
    bench.run(bench.config(strategy=strategy), strategy)
    return [last_message(body) for body in bench.fake.asked if '"texts"' in last_message(body)]


def test_auggpt_rephrases_the_seeds_and_asks_for_nothing_else(bench: Bench) -> None:
    shots = {example.text for example in load_task(str(bench.task)).seed}
    said = prompts_of(bench, "auggpt")
    assert said and all(prompt.startswith("Rephrase this text in ") for prompt in said)
    assert all(any(f"- {text}\n" in prompt for text in shots) for prompt in said)


def test_llm2llm_augments_missed_seed_examples_alone(bench: Bench) -> None:
    task = load_task(str(bench.task))
    seeds = [(example.text, str(example.label)) for example in task.seed[:4]]
    shots = [Example(text, label) for text, label in seeds]
    assert [call.examples[0] for call in of_missed(task, shots, None, 3)] == [text for text, _ in seeds]
    (call,) = of_missed(task, shots, {seeds[1][0]}, 3)
    assert (call.label, call.examples, len(call.slots)) == (seeds[1][1], (seeds[1][0],), 3)
    assert of_missed(task, shots, set(), 3) == []
    run = bench.run(bench.config(strategy="llm2llm", iterations=3), "llm2llm")
    examined = [row["source"] for k in (1, 2, 3) for row in read_jsonl(run.iteration(k).predictions)]
    assert examined and set(examined) == {"seed"}


def test_sungen_trains_with_a_weight_for_each_generated_example(bench: Bench) -> None:
    run = bench.run(bench.config(strategy="sungen"), "sungen")
    last = read_jsonl(run.metrics)[-1]["iteration"]
    weights = {row["id"]: row["weight"] for row in read_jsonl(run.iteration(last).weights)}
    made = [row["id"] for row in read_jsonl(run.history) if row["source"] == "plain"]
    assert made and set(weights) == set(made) and all(0 <= weight <= 1 for weight in weights.values())


def test_zerogen_shows_no_seed_and_no_attribute(bench: Bench) -> None:
    said = prompts_of(bench, "zerogen")
    assert said
    assert not [prompt for prompt in said if "Examples of" in prompt or "a boat" in prompt or "\n1." in prompt]


def test_a_prompt_that_is_asked_again_is_drawn_again_and_the_same_run_pays_for_none_twice(bench: Bench) -> None:
    config = bench.config(strategy="zerogen", iterations=2, batch={"hard": 8, "easy": 8, "texts_per_call": 2})

    def asked(name: str, seed: int) -> list[tuple[str, int]]:
        before = len(bench.fake.asked)
        bench.run(config.model_copy(update={"seed": seed}), name)
        bodies = [body for body in bench.fake.asked[before:] if '"texts"' in last_message(body)]
        return [(last_message(body), body["seed"]) for body in bodies]

    first, other = asked("first", 1), asked("other", 2)
    assert len({prompt for prompt, _ in first}) < len(first) == len(set(first))
    assert other and not set(other) & set(first)
    assert asked("again", 1) == []


def test_evokd_with_init_rephrases_first_and_then_writes_from_the_analysis(bench: Bench) -> None:
    said = prompts_of(bench, "evokd_init")
    first = [prompt for prompt in said if prompt.startswith("Rephrase")]
    assert first and len(first) < len(said)
    assert said[: len(first)] == first


def test_longest_takes_longer_texts_than_chance(bench: Bench) -> None:
    def length(strategy: str) -> float:
        run = bench.run(bench.config(strategy=strategy, iterations=1), f"length-{strategy}")
        texts = [row["text"] for row in read_jsonl(run.iteration(0).sampled)]
        return sum(map(len, texts)) / len(texts)

    assert length("longest") > length("pool_random")


def test_full_shot_drops_texts_without_gold_and_says_so(bench: Bench) -> None:
    run = bench.run(bench.config(strategy="full_shot"), "a")
    counts = read_jsonl(run.metrics)[1]["counts"]
    assert counts["dropped"] == {"no_gold_label": 20}
    assert counts["kept"] == 40


def test_a_budget_ends_the_run_softly(bench: Bench) -> None:
    run = bench.run(bench.config(iterations=50, budget={"tokens": 4000}), "a")
    result = read_json(run.result)
    tokens = result["teacher"]["prompt_tokens"] + result["teacher"]["completion_tokens"]
    assert result["stopped_because"] == "budget: tokens"
    assert 3000 < tokens <= 4200
    assert run.report.exists()
    balanced(run)


def test_another_run_with_the_same_prompts_pays_nothing(bench: Bench) -> None:
    first = bench.run(bench.config(), "a")
    asked = len(bench.fake.asked)
    second = bench.run(bench.config(), "b")
    assert len(bench.fake.asked) == asked
    one, two = read_json(first.result)["teacher"], read_json(second.result)["teacher"]
    assert two["cached_calls"] == two["calls"] == one["calls"]
    assert two["prompt_tokens"] == one["prompt_tokens"]


def test_a_run_can_be_replayed_without_an_endpoint(bench: Bench) -> None:
    first = bench.run(bench.config(), "a")
    config = bench.config()
    bench.fake.close()
    replay = config.model_copy(update={"teacher": config.teacher.model_copy(update={"mode": "replay"})})
    second = bench.run(replay, "b")
    assert read_json(second.result)["curve"] == read_json(first.result)["curve"]


def test_faulty_replies_are_counted_by_reason_and_never_trained_on(tmp_path) -> None:  # type: ignore[no-untyped-def]
    fake = FakeTeacher(lambda body: "purple" if "label only" in json.dumps(body) else toy_answer(body), malformed=3)
    try:
        bench = Bench(tmp_path, fake)
        run = bench.run(bench.config(without=["easy"]), "a")
        row = read_jsonl(run.metrics)[-1]
        assert row["iteration"] == 0
        assert read_json(run.result)["stopped_because"] == "nothing new to train on"
        reasons = {drop["reason"] for drop in read_jsonl(run.iteration(0).dropped)}
        assert "not_a_label" in reasons
    finally:
        fake.close()


def test_the_checkpoint_stays_small(bench: Bench) -> None:
    run = bench.run(bench.config(iterations=3), "a")
    assert run.checkpoints.stat().st_size < 1_000_000


def test_a_budget_that_pays_no_further_generating_call_is_what_ends_a_run_without_a_pool(bench: Bench) -> None:
    run = bench.run(bench.config(iterations=50, without=["sample"], budget={"tokens": 4000}), "a")
    assert read_json(run.result)["stopped_because"] == "budget: tokens"
    balanced(run)


@pytest.mark.parametrize(("noisy", "all_asked"), [(0.0, False), (0.3, True)])
def test_a_teacher_that_writes_what_it_is_asked_for_labels_a_part_of_the_first_texts(
    tmp_path: Path, noisy: float, all_asked: bool
) -> None:
    with closing(FakeTeacher(toy_answer, labels=("warm", "cold"), noisy=noisy)) as fake:
        bench = Bench(tmp_path, fake)
        run = bench.run(bench.config(iterations=1, batch={"hard": 20, "easy": 20, "pool": 0}), "run")
    made = read_examples(run.iteration(1).candidates)
    asked = [e.agrees for e in made if e.agrees is not None]
    assert len(made) > PROBE
    assert len(asked) == (len(made) if all_asked else PROBE)
    assert all(e.label == e.intended and e.teacher_label is None for e in made if e.agrees is None)
