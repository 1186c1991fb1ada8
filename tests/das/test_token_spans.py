"""Tokens of an API on the characters of a text, by their bytes."""

from __future__ import annotations

import math

import pytest

from agent.das.token_spans import TokenSpan, geometric_mean, spelled, within


def test_tokens_that_hold_parts_of_characters() -> None:
    text = "a 🙂好!"
    tokens = [(b"a", -0.1), (b" \xf0\x9f", -0.2), (b"\x99", -0.3), (b"\x82\xe5", -0.4), (b"\xa5\xbd!", -0.5)]
    assert spelled(text, tokens) == (
        TokenSpan(0, 1, -0.1), TokenSpan(1, 3, -0.2), TokenSpan(2, 3, -0.3), TokenSpan(2, 4, -0.4),
        TokenSpan(3, 5, -0.5),
    )  # fmt: skip


def test_thoughts_and_white_space_before_the_text_and_the_end_token_are_left_out() -> None:
    tokens = [(b"<think>Yes.</think>", -9.0), (b"\n\n", -8.0), (b" Yes", -0.1), (b".\n", -0.2), (b"<|end|>", -7.0)]
    assert spelled("Yes.", tokens) == (TokenSpan(0, 3, -0.1), TokenSpan(3, 4, -0.2))


def test_tokens_of_another_text_are_none_of_it() -> None:
    assert spelled("No.", [(b"Yes", -0.1), (b".", -0.1)]) is None
    assert spelled("Yes.", [(b"Yes", -0.1)]) is None
    assert spelled("", [(b"Yes", -0.1)]) is None
    assert spelled("Yes", []) is None


def test_a_token_without_bytes_spells_nothing() -> None:
    assert spelled("ab", [(b"a", -0.1), (b"", -0.2), (b"b", -0.3)]) == (TokenSpan(0, 1, -0.1), TokenSpan(1, 2, -0.3))


def test_a_rounding_error_above_certainty_is_certainty() -> None:
    assert spelled("a", [(b"a", 1e-6)]) == (TokenSpan(0, 1, 0.0),)


def test_the_tokens_of_a_part_are_on_its_own_characters() -> None:
    tokens = [TokenSpan(0, 3, -1.0), TokenSpan(3, 6, -2.0), TokenSpan(6, 9, -3.0), TokenSpan(9, 12, -4.0)]
    assert within(tokens, 4, 9) == (TokenSpan(0, 2, -2.0), TokenSpan(2, 5, -3.0))
    assert within(tokens, 0, 12) == tuple(tokens) and within(tokens, 12, 12) == ()


def test_the_geometric_mean_of_no_token_is_nothing() -> None:
    assert geometric_mean([TokenSpan(0, 1, math.log(0.5)), TokenSpan(1, 2, math.log(0.125))]) == pytest.approx(0.25)
    assert geometric_mean(None) == 0.0 == geometric_mean(())
