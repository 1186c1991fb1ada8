"""Least memory by parameters: the parts of the sum, by hand."""

from __future__ import annotations

import math

import pytest

from agent.footprint import OVERHEAD, activations, least_bytes, recommended_batch

ONE = 10**9


def test_the_parts_of_the_sum() -> None:
    width = math.sqrt(ONE / (12 * 24))  # 1,863
    assert activations(ONE) == pytest.approx(68 * 128 * 24 * width)  # 0.39 GB
    assert least_bytes(ONE, "lora", copies=1) == pytest.approx(4.32 * ONE + activations(ONE), abs=1)
    assert least_bytes(ONE, "lora") == pytest.approx(OVERHEAD * (8.32 * ONE + activations(ONE)), abs=1)
    assert least_bytes(ONE, "full") == pytest.approx(OVERHEAD * (20 * ONE + activations(ONE)), abs=1)
    assert least_bytes(ONE, "lora", 1, texts=3) == pytest.approx(4.32 * ONE + 3 * activations(ONE), abs=1)
    four_bit = (0.2 * 4 + 0.8 * 4.13 / 8) * ONE
    assert least_bytes(ONE, "qlora", copies=1) == pytest.approx(four_bit + 0.32 * ONE + activations(ONE), abs=1)


def test_larger_models_take_smaller_batches() -> None:
    batches = [recommended_batch(millions * 10**6) for millions in (22, 135, 494, 1540, 2614, 10**6)]
    assert batches[0] == 16 and batches[-1] == 1
    assert batches == sorted(batches, reverse=True)
    assert all(batch & (batch - 1) == 0 for batch in batches)
