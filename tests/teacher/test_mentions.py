"""Where a teacher's mentions stand in a text, and what becomes of those that stand nowhere."""

from __future__ import annotations

import pytest

from agent.teacher.mentions import place

LABELS = ["person", "place"]
TEXT = "Washington flew from Washington to New York; New York was cold, said anna Lee."


def placed(*mentions: tuple[str, str], text: str = TEXT) -> tuple[list[tuple[int, str, str]], list[str]]:
    found = place(text, mentions, LABELS)
    return [(e.start, text[e.start : e.end], e.label) for e in found.entities], [
        row["reason"] for row in found.misplaced
    ]


def test_named_with_one_label_it_is_every_occurrence() -> None:
    assert placed(("New York", "place")) == ([(35, "New York", "place"), (45, "New York", "place")], [])
    assert placed(("New York", "place"), ("New York", "place"))[1] == []


def test_named_with_two_labels_the_first_naming_is_the_first_occurrence() -> None:
    found, lost = placed(("Washington", "person"), ("Washington", "place"))
    assert found == [(0, "Washington", "person"), (21, "Washington", "place")] and lost == []
    found, lost = placed(("Washington", "person"), ("Washington", "place"), ("Washington", "place"))
    assert len(found) == 2 and lost == ["named_too_often"]


def test_a_longer_entity_keeps_its_words() -> None:
    assert placed(("York", "place"), ("New York", "place"))[1] == ["overlaps"]
    text = "York is older than New York"
    assert placed(("York", "place"), ("New York", "place"), text=text)[0] == [
        (0, "York", "place"),
        (19, "New York", "place"),
    ]


def test_case_and_white_space_may_differ_where_nothing_fits_better() -> None:
    assert placed(("Anna  Lee", "person"))[0] == [(69, "anna Lee", "person")]
    assert placed(("anna", "person"), text="Anna met anna")[0] == [(9, "anna", "person")]


@pytest.mark.parametrize(
    ("mention", "reason"),
    [
        (("Boston", "place"), "not_in_text"),
        (("", "place"), "not_in_text"),
        (("Wash", "person"), "inside_a_word"),
        (("Washington", "date"), "unknown_label"),
    ],
)
def test_what_has_no_place_is_told_with_the_reason(mention: tuple[str, str], reason: str) -> None:
    found = place(TEXT, [mention], LABELS)
    assert found.entities == ()
    assert found.misplaced == ({"mention": mention[0], "label": mention[1], "reason": reason},)


def test_a_label_in_another_form_is_that_label() -> None:
    assert placed(("Washington", "Person"), text="Washington spoke")[0] == [(0, "Washington", "person")]


def test_signs_in_a_mention_are_signs() -> None:
    assert placed(("C++ (old)", "place"), text="in C++ (old) and C") == ([(3, "C++ (old)", "place")], [])
