"""The bundled tasks are sound: enough of every label, and no text in two parts."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from tasks.data import text_key
from tasks.spans import OUTSIDE
from tasks.task import Task, bundled_tasks, load_task

BUNDLED = bundled_tasks()
load = cache(load_task)


def test_there_are_an_english_and_a_french_task() -> None:
    assert {"English", "French"} <= {load(name).language for name in BUNDLED}


@pytest.mark.parametrize("name", BUNDLED)
def test_the_folder_has_the_name_of_the_task(name: str) -> None:
    assert load(name).name == name


@pytest.mark.parametrize("name", BUNDLED)
def test_five_shots_of_each_label_can_be_drawn(name: str) -> None:
    task = load(name)
    counts = Counter(example.label for example in task.seed)
    assert all(counts[label] >= 5 for label in task.labels)


@pytest.mark.parametrize("name", BUNDLED)
def test_every_label_is_tested_and_no_label_rules_the_test(name: str) -> None:
    task: Task = load(name)
    counts = Counter(example.label for example in task.test)
    assert all(counts[label] >= 10 for label in task.labels)
    assert max(counts.values()) < 2 * len(task.test) / len(task.labels)


@pytest.mark.parametrize("name", BUNDLED)
def test_no_text_is_twice_in_the_data_of_a_task(name: str) -> None:
    task = load(name)
    assert not task.notes
    keys = [text_key(example.text) for part in (task.seed, task.dev, task.pool, task.test) for example in part]
    assert [key for key, count in Counter(keys).items() if count > 1] == []


@pytest.mark.parametrize("name", BUNDLED)
def test_the_pool_is_labelled_for_the_ceiling_strategies(name: str) -> None:
    task = load(name)
    assert len(task.pool) >= 200
    assert all(example.label in (*task.labels, *([OUTSIDE] if task.spans else [])) for example in task.pool)
