"""Which texts are asked for, and what becomes of a reply."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
from jsonschema import Draft202012Validator

from agent.baselines.strategy import Writing
from agent.nodes.generate import Call, Slot, accuracy, draws, request, schema, shown, slots, taken_for, written
from agent.teacher.messages import Reply
from tasks.task import Task

ATTRIBUTES = {"subject": ("hotel", "train", "bank"), "length": ("short", "long")}
TASK = Task("t", "classification", "English", "text", "?", {"a": "", "b": ""}, ATTRIBUTES, (), (), (), (), ())


def call(*kinds: str, weaknesses: tuple[dict[str, Any], ...] = ()) -> Call:
    """A call for texts of label `a`, one of each of `kinds`."""
    return Call("a", tuple(Slot("a", kind, {"length": "short"}) for kind in kinds), weaknesses, (), ())


def reply(texts: list[str] | None, fault: str | None = None) -> Reply:
    return Reply("raw words", None if texts is None else {"texts": texts}, fault, None, 1, 1, False)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_accuracy_by_label_and_nothing_where_the_label_was_not_seen() -> None:
    rows = [{"label": "a", "correct": True}, {"label": "a", "correct": False}, {"label": "a", "correct": False},
            {"label": "b", "correct": True}]  # fmt: skip
    assert accuracy(rows, ["a", "b", "c"]) == {"a": 1 / 3, "b": 1.0, "c": None}
    assert accuracy([], ["a"]) == {"a": None}


def test_each_kind_gets_its_slots_and_the_labels_in_need_the_most() -> None:
    found = slots(TASK, {"hard": 8, "easy": 4}, {"a": 3.0, "b": 1.0}, rng())
    assert Counter((slot.kind, slot.label) for slot in found) == {
        ("hard", "a"): 6, ("hard", "b"): 2, ("easy", "a"): 3, ("easy", "b"): 1,
    }  # fmt: skip


def test_every_value_of_an_attribute_is_used_before_one_is_used_again() -> None:
    found = slots(TASK, {"hard": 6}, {"a": 1.0, "b": 1.0}, rng())
    subjects = [slot.attributes["subject"] for slot in found]
    assert set(subjects[:3]) == set(subjects[3:]) == set(ATTRIBUTES["subject"])
    assert Counter(slot.attributes["length"] for slot in found) == {"short": 3, "long": 3}


def test_the_slots_depend_on_the_generator_alone() -> None:
    weights = {"a": 1.0, "b": 1.0}
    assert slots(TASK, {"hard": 9}, weights, rng(1)) == slots(TASK, {"hard": 9}, weights, rng(1))
    assert slots(TASK, {"hard": 9}, weights, rng(1)) != slots(TASK, {"hard": 9}, weights, rng(2))
    assert slots(TASK, {"hard": 0}, weights, rng()) == []


def test_where_labels_are_many_those_in_need_get_their_texts_together() -> None:
    many = replace(TASK, labels=dict.fromkeys("abcdef", ""))
    found = slots(many, {"hard": 6, "easy": 2}, {"a": 1.0, "b": 3.0, "c": 1.0, "d": 3.0, "e": 1.0, "f": 1.0}, rng())
    # 8 texts are 2 labels of 4
    assert Counter((slot.label, slot.kind) for slot in found) == {
        ("b", "hard"): 3, ("d", "hard"): 3, ("b", "easy"): 1, ("d", "easy"): 1,
    }  # fmt: skip


def test_labels_in_equal_need_take_turns() -> None:
    many = replace(TASK, labels=dict.fromkeys("abcdef", ""))
    weights = dict.fromkeys("abcdef", 1.0)
    assert {slot.label for seed in range(30) for slot in slots(many, {"hard": 4}, weights, rng(seed))} == set("abcdef")


def test_a_hard_text_is_to_be_taken_for_what_the_student_took_such_texts_for() -> None:
    wrong = [{"predicted": "c"}, {"predicted": "c"}, {"predicted": "b"}, {"predicted": "c"}]
    drawn = Counter(taken_for(wrong, "a", ["a", "b", "c", "d"], rng(seed)) for seed in range(200))
    assert set(drawn) == {"b", "c"} and 120 <= drawn["c"] <= 180  # 3 of 4
    assert {taken_for([], "a", ["a", "b", "c"], rng(seed)) for seed in range(50)} == {"b", "c"}


def test_each_text_of_a_reply_goes_to_its_slot() -> None:
    made, drops = written(TASK, call("hard", "easy"), reply([" one ", "two"]))
    assert drops == []
    assert made == [
        {"text": "one", "intended": "a", "source": "hard", "pattern": None, "attributes": {"length": "short"}},
        {"text": "two", "intended": "a", "source": "easy", "pattern": None, "attributes": {"length": "short"}},
    ]


def test_a_hard_text_is_aimed_at_the_first_weakness_that_was_shown() -> None:
    weak = ({"pattern": "irony", "label": "a", "advice": ""}, {"pattern": "length", "label": "a", "advice": ""})
    made, _ = written(TASK, call("hard", "easy", weaknesses=weak), reply(["1", "2"]))
    assert [row["pattern"] for row in made] == ["irony", None]


def test_half_a_character_does_not_reach_a_file() -> None:
    made, _ = written(TASK, call("hard"), reply(["half \ud83d"]))
    assert made[0]["text"].encode() == b"half ?"


def test_an_empty_text_and_a_missing_one_are_drops_with_their_reason() -> None:
    made, drops = written(TASK, call("hard", "easy", "easy"), reply(["one", "  "]))
    assert [row["text"] for row in made] == ["one"]
    assert drops == [
        {"reason": "empty", "text": None, "detail": "a"},
        {"reason": "not_written", "text": None, "detail": "raw words"},
    ]


def test_texts_beyond_the_slots_are_counted_too() -> None:
    made, drops = written(TASK, call("hard"), reply(["one", "two", "three"]))
    assert [row["text"] for row in made] == ["one"]
    assert [(drop["reason"], drop["text"]) for drop in drops] == [("not_asked", "two"), ("not_asked", "three")]


def test_a_reply_that_does_not_parse_drops_every_slot_for_that_reason() -> None:
    made, drops = written(TASK, call("hard", "easy"), reply(None, "not_json"))
    assert made == []
    assert [drop["reason"] for drop in drops] == ["not_json", "not_json"]


def test_of_a_reply_that_was_cut_the_whole_texts_are_kept() -> None:
    made, drops = written(TASK, call("hard", "easy"), reply(["one"], "truncated"))
    assert [row["text"] for row in made] == ["one"]
    assert [drop["reason"] for drop in drops] == ["truncated"]


def test_what_the_budget_left_unasked_was_never_made() -> None:
    assert written(TASK, call("hard"), None) == ([], [])


def test_a_text_of_several_fields_is_an_object_of_them_in_the_tasks_order() -> None:
    pair = replace(TASK, fields=("premise", "hypothesis"))
    texts = [{"hypothesis": "It\nrests.", "premise": "A cat sleeps."}, {"premise": "x", "hypothesis": " "}]
    assert Draft202012Validator(schema(pair)).is_valid({"texts": texts})
    assert not Draft202012Validator(schema(pair)).is_valid({"texts": ["A cat sleeps."]})
    made, drops = written(pair, call("hard", "easy"), reply(texts))
    assert [row["text"] for row in made] == ["A cat sleeps.\nIt rests."]
    assert [drop["reason"] for drop in drops] == ["empty"]
    said = request(pair, call("hard"), 1.0).messages[-1][1]
    assert "Write 1 new examples, each of premise and hypothesis" in said
    assert '{"texts": [{"premise": "...", "hypothesis": "..."}, ...]}' in said


def test_a_text_that_repeats_what_was_asked_of_it_is_a_drop() -> None:
    slot = Slot("a", "easy", {"length": "two sentences", "register": "formal"})
    texts = ["Great: two  sentences, Formal.", "Two sentences on formal dress."]
    made, drops = written(TASK, Call("a", (slot, slot), (), (), ()), reply(texts))
    assert [row["text"] for row in made] == [texts[1]]
    assert [(drop["reason"], drop["detail"]) for drop in drops] == [("echo", "a")]


def test_requests_that_are_alike_are_draws_of_their_own_and_greedy_ones_are_not() -> None:
    alike = [request(TASK, call("easy"), 1.0)] * 3
    assert [one.sample for one in draws(alike, 7)] == [7, 8, 9]
    assert {one.sample for one in draws([request(TASK, call("easy"), 0.0)] * 3, 7)} == {0}


def test_seed_examples_are_shown_as_the_strategy_says_and_where_needed_if_the_labels_name_says_too_little() -> None:
    one = replace(call("easy"), examples=("a seed",))
    letters, named = TASK, replace(TASK, labels={"cold": "", "warm": ""})
    pair = replace(named, kind="pair", fields=("premise", "hypothesis"))
    spans = replace(named, kind="ner", spans=True)
    tasks = (letters, named, pair, spans)

    def seen(task: Task, seeds: Any) -> bool:
        return bool(shown(task, one, (), Writing(seeds=seeds), "generate", 0).examples)

    assert [seen(task, "always") for task in tasks] == [True, True, True, True]
    assert [seen(task, "needed") for task in tasks] == [True, False, True, True]
    assert [seen(task, "never") for task in tasks] == [False, False, False, False]
