"""Mistakes by kind: each entity of either side is in one at most."""

from __future__ import annotations

import pytest

from tasks.span_errors import errors
from tasks.task import Entity

ANN, OSLO = Entity(0, 7, "person"), Entity(13, 17, "place")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ((ANN, OSLO), []),
        ((ANN,), [("missed", "place")]),
        ((ANN, OSLO, Entity(20, 24, "person")), [("invented", "person")]),
        ((Entity(0, 3, "person"), OSLO), [("boundary", "person")]),
        ((Entity(0, 7, "place"), OSLO), [("type", "person")]),
        ((Entity(0, 3, "place"), OSLO), [("type", "person")]),
        ((Entity(0, 3, "person"), Entity(4, 7, "person"), OSLO), [("boundary", "person"), ("invented", "person")]),
        ((Entity(0, 17, "place"),), [("type", "person"), ("missed", "place")]),
        ((), [("missed", "person"), ("missed", "place")]),
    ],
)
def test_mistakes_by_hand(said: tuple[Entity, ...], expected: list[tuple[str, str]]) -> None:
    assert [(error.kind, error.label) for error in errors((ANN, OSLO), said)] == expected
