"""What was asked for becomes what will run: strategy, implications, and what makes no sense."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.baselines.strategy import find_strategy, strategy_names
from agent.graph import Plan
from agent.plan import configure, needs_teacher, notes, plan_of
from tasks.faults import UserError
from tasks.task import Example, Task


def task(pool: int = 100) -> Task:
    seed = (Example("x", "a"), Example("y", "b"))
    texts = tuple(Example(f"p{n}", None) for n in range(pool))
    return Task("mine", "classification", "English", "text", "?", {"a": "", "b": ""}, {}, seed, (), texts, seed, ())


def planned(*sets: str, strategy: str = "evokd", pool: int = 100) -> Plan:
    recipe = {"task": "mine", "strategy": strategy, "self_training": {"texts": 5}}
    return plan_of(configure(recipe, sets), task(pool))


def mistake(*sets: str, strategy: str = "evokd", pool: int = 100) -> str:
    with pytest.raises(UserError) as caught:
        planned(*sets, strategy=strategy, pool=pool)
    return str(caught.value)


WRITING = ("batch.hard=4", "batch.easy=4")


def test_the_whole_loop_leaves_nothing_out() -> None:
    plan = planned(*WRITING)
    assert plan.without == {"average"}, "where there are real texts"
    assert plan.places == {"hard": 4, "easy": 4}
    assert needs_teacher(plan)


def test_where_a_pool_gives_real_texts_nothing_is_written_unless_told() -> None:
    assert planned().without == {"generate", "analyze", "subjects", "average"}
    assert planned().batch.pool == 48
    assert planned("batch.hard=3").places == {"hard": 3, "easy": 4}
    assert planned("batch.easy=2").places == {"hard": 4, "easy": 2}


@pytest.mark.parametrize("part", ["hard", "easy", "hardness", "correct", "separation", "agreement"])
def test_leaving_out_a_part_of_the_writing_where_nothing_is_written_is_a_mistake(part: str) -> None:
    assert mistake(f"without=[{part}]") == (
        f"--without: expected parts that this run has, got {part}, where no text is written. "
        "Leave it out, or have texts written: --set batch.hard=4."
    )
    assert part in planned(f"without=[{part}]", *WRITING).without
    assert part in planned(f"without=[{part}]", pool=0).without


@pytest.mark.parametrize("sets", [["batch.pool=0"], ["without=[sample]"]])
def test_where_the_pool_is_not_used_texts_are_written(sets: list[str]) -> None:
    plan = planned(*sets)
    assert plan.without == {"sample", "match"}
    assert sum(plan.places.values()) == 8 + plan.batch.pool


def test_without_a_pool_nothing_is_sampled() -> None:
    assert planned(pool=0).without == {"sample", "selftrain", "match"}
    assert sum(planned(pool=0).places.values()) == 56


@pytest.mark.parametrize("strategy", sorted(set(strategy_names()) - {"evokd", "pool_selftrain"}))
def test_no_baseline_but_the_one_of_that_name_trains_itself(strategy: str) -> None:
    assert "selftrain" in planned(strategy=strategy).without


def test_without_evaluate_or_generate_nobody_analyses() -> None:
    assert planned("without=[evaluate]", *WRITING).without == {"evaluate", "analyze", "average"}
    assert planned("without=[generate]", *WRITING).without == {"generate", "analyze", "subjects", "average"}


def test_where_nothing_hard_is_written_nobody_analyses() -> None:
    assert "analyze" in planned("without=[hard]", *WRITING).without
    assert "analyze" in planned("batch.hard=0", "batch.easy=4").without
    assert "analyze" not in planned("without=[easy]", *WRITING).without
    literal = planned("without=[hard]", strategy="evokd_literal", pool=0)
    assert "analyze" not in literal.without, "its easy texts are asked for in the conversation of the analysis"


@pytest.mark.parametrize("sets", [["without=[hard,easy]", *WRITING], ["batch.hard=0", "batch.easy=0"]])
def test_with_neither_hard_nor_easy_nothing_is_generated(sets: list[str]) -> None:
    assert {"generate", "analyze"} <= planned(*sets).without


def test_the_places_of_a_left_out_kind_go_to_the_other() -> None:
    assert planned("without=[hard]", "batch.hard=5", "batch.easy=3").places == {"easy": 8}
    assert planned("without=[easy]", "batch.hard=5", "batch.easy=3").places == {"hard": 8}
    assert planned("batch.hard=5", "batch.easy=3").places == {"hard": 5, "easy": 3}


def test_static_fills_the_places_of_the_pool_with_plain_texts() -> None:
    assert planned("batch.hard=5", "batch.easy=3", "batch.pool=4", strategy="static").places == {"plain": 12}


def test_a_loop_that_makes_no_texts_is_a_mistake() -> None:
    said = mistake("without=[generate,sample]")
    assert said.startswith("--without: expected texts to train on") and "got generate,sample" in said
    assert "--without" in mistake("without=[generate]", pool=0)
    assert "got seed_only, which makes none, for iterations=2" in mistake("iterations=2", strategy="seed_only")


@pytest.mark.parametrize("strategy", ["pool_random", "teacher_shot", "full_shot"])
def test_a_strategy_that_lives_on_the_pool_needs_one(strategy: str) -> None:
    assert mistake(strategy=strategy, pool=0) == (
        f"mine: data.pool: expected texts to train on, for strategy {strategy}, got none. "
        "Add unlabelled texts as data.pool, or choose another strategy."
    )


def test_taking_nothing_from_the_pool_is_told_apart_from_having_none() -> None:
    assert mistake("batch.pool=0", strategy="pool_random").startswith("batch.pool: expected texts")


def test_the_settings_of_a_strategy_go_over_the_recipe_and_under_set() -> None:
    recipe = {"task": "mine", "strategy": "static", "batch": {"surplus": 2.0, "hard": 3}}
    assert configure(recipe).batch.surplus == 1.0
    assert configure(recipe).batch.hard == 3
    assert configure(recipe, ["batch.surplus=4"]).batch.surplus == 4.0
    assert configure({"task": "mine"}, ["strategy=static"]).batch.surplus == 1.0


def test_without_review_the_student_goes_on_from_its_last_weights_unless_told() -> None:
    assert configure({"task": "mine"}).student.train_from == "base"
    assert configure({"task": "mine", "without": ["review"]}).student.train_from == "previous"
    told = {"task": "mine", "without": ["review"], "student": {"train_from": "base"}}
    assert configure(told).student.train_from == "base"


@pytest.mark.parametrize(
    ("strategy", "asks"),
    [("evokd", True), ("static", True), ("pool_random", True), ("teacher_shot", True), ("seed_only", False),
     ("full_shot", False)],
)  # fmt: skip
def test_which_strategies_ask_the_teacher(strategy: str, asks: bool) -> None:
    assert needs_teacher(planned(strategy=strategy)) is asks


def test_the_ceiling_of_the_teacher_has_no_budget() -> None:
    recipe = {"task": "mine", "strategy": "teacher_shot", "budget": {"tokens": 5}}
    assert configure(recipe).budget.tokens is None


def test_strategies_are_the_files_of_the_folder_and_say_what_they_are() -> None:
    assert {"evokd", "seed_only", "static", "pool_random", "teacher_shot", "full_shot"} <= set(strategy_names())
    assert all(find_strategy(name).gloss for name in strategy_names())


@pytest.mark.parametrize("name", ["strategy", "__init__", "evokdd", ""])
def test_an_unknown_strategy_is_answered_with_those_there_are(name: str) -> None:
    with pytest.raises(UserError, match=r"--strategy: expected one of auggpt, .*static.*, got '"):
        find_strategy(name)


def of_entities(*sets: str, strategy: str = "evokd") -> Plan:
    recipe = {"task": "mine", "strategy": strategy}
    return plan_of(configure(recipe, sets), replace(task(), kind="ner", spans=True))


def test_a_task_of_entities_does_without_what_is_of_labels_and_labels_all_it_writes_apart() -> None:
    plan = of_entities(*WRITING)
    assert plan.without == {"names", "shortlist", "reconcile", "average", "match", "subjects"}
    assert plan.apart == ("hard", "easy")
    static = of_entities("batch.pool=0", strategy="static")
    assert "separation" not in static.without and static.apart == ("plain",)


@pytest.mark.parametrize("strategy", sorted(set(strategy_names()) - {"eda", "sungen", "pool_selftrain"}))
def test_every_other_strategy_has_a_plan_for_entities(strategy: str) -> None:
    assert not {"names", "reconcile"} - of_entities(strategy=strategy).without


@pytest.mark.parametrize(
    ("sets", "strategy", "message"),
    [
        ([], "eda", "--strategy: expected one for a task of kind ner, got eda. Choose another: changed words"),
        ([], "sungen", "got sungen. Choose another: its weights"),
        (["without=[reconcile]"], "evokd", "got reconcile. Leave it out: a task of kind ner has none."),
        (["without=[separation]", *WRITING], "evokd", "got separation. Leave it out: only that call tells"),
        (["teacher.texts_per_label_call=5"], "evokd", "expected 1 for a task of kind ner, got 5"),
    ],
)
def test_what_makes_no_sense_for_entities_is_refused_in_one_line(sets: list[str], strategy: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        of_entities(*sets, strategy=strategy)
    assert message in str(caught.value) and len(caught.value.faults) == 1


@pytest.mark.parametrize(
    ("language", "model", "told"),
    [("French", "all-MiniLM-L6-v2", True), ("français", "/models/all-mpnet-base-v2", True),
     ("English", "all-MiniLM-L6-v2", False), ("en-GB", "all-MiniLM-L6-v2", False), ("French", "org/camembert", False)],
)  # fmt: skip
def test_a_student_that_learned_from_english_alone_is_told_of(language: str, model: str, told: bool) -> None:
    found = notes(configure({"task": "mine"}, [f"student.model={model}"]), replace(task(), language=language))
    assert (["learned from English" in note for note in found] == [True]) is told
    assert not found or language in found[0]
