"""Which labels a teacher chooses among, on cases worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from agent import shortlist
from agent.config import TeacherConfig
from agent.shortlist import likeliest, likeness, narrowed, short
from tasks.task import Task


def task(labels: int) -> Task:
    named = {f"l{n}": f"gloss {n}" for n in range(labels)}
    return Task("t", "classification", "English", "text", "?", named, {}, (), (), (), (), ())


def test_only_a_task_of_many_labels_asked_one_text_a_call_gets_one() -> None:
    assert not short(task(16), TeacherConfig())
    assert short(task(17), TeacherConfig())
    assert not short(task(17), TeacherConfig(texts_per_label_call=2))


def test_a_narrowed_task_keeps_the_order_and_the_glosses() -> None:
    assert narrowed(task(5), ["l3", "l0"]).labels == {"l0": "gloss 0", "l3": "gloss 3"}


def test_the_likeliest_labels_of_each_text_come_in_the_tasks_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shortlist, "SIZE", 2)
    scores = np.array([[0.1, 0.5, 0.4], [0.9, 0.0, 0.1]])
    assert likeliest(scores, ["a", "b", "c"]) == [["b", "c"], ["a", "c"]]


def test_a_text_is_as_like_a_label_as_its_nearest_known_text() -> None:
    known = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    scores = likeness(np.array([[1.0, 0.0]]), known, [0, 1, 1], 3)
    assert scores.tolist() == [[1.0, 0.6, -1.0]]
