"""Least memory by parameters: the parts of the sum, by hand."""

from __future__ import annotations

import math

import pytest

from agent.footprint import ACTIVATIONS_OVERHEAD, LEFT_OF_LOADING, LOADING, activations, least_bytes, recommended_batch

ONE = 10**9


def test_the_parts_of_the_sum() -> None:
    width = math.sqrt(ONE / (12 * 24))  # 1,863
    assert activations(ONE) == pytest.approx(68 * 128 * 24 * width)  # 0.39 GB
    assert least_bytes(ONE, "lora", copies=1) == pytest.approx(4.32 * ONE + activations(ONE), abs=1)
    assert least_bytes(ONE, "lora", 1, texts=3) == pytest.approx(4.32 * ONE + 3 * activations(ONE), abs=1)
    four_bit = (0.2 * 4 + 0.8 * 4.13 / 8) * ONE
    assert least_bytes(ONE, "qlora", copies=1) == pytest.approx(four_bit + 0.32 * ONE + activations(ONE), abs=1)


def test_on_the_processor_pieces_of_memory_and_what_loading_takes() -> None:
    worked = ACTIVATIONS_OVERHEAD * activations(ONE)
    assert least_bytes(ONE, "lora") == pytest.approx(8.32 * ONE + worked, abs=1)
    assert least_bytes(ONE, "full") == pytest.approx(20 * ONE + worked, abs=1)
    kept = 2 * (0.2 * 4 + 0.8 * 4.13 / 8) * ONE + LEFT_OF_LOADING * ONE
    assert least_bytes(ONE, "qlora", texts=8) == pytest.approx(kept + 0.32 * ONE + 8 * worked, abs=1)
    assert least_bytes(100 * ONE, "qlora") == LOADING * 100 * ONE  # there reading it takes the most


@pytest.mark.parametrize(
    ("parameters", "method", "texts", "grew"),
    [(135, "lora", 4, 2.77), (135, "lora", 8, 3.98), (135, "qlora", 4, 2.06), (135, "qlora", 8, 3.52),
     (494, "lora", 2, 5.82), (494, "qlora", 2, 3.73)],
)  # fmt: skip
def test_what_was_measured_is_foretold_to_a_tenth(parameters: int, method: str, texts: int, grew: float) -> None:
    """Growth of the process in GB on a processor, SmolLM2-135M and Qwen2.5-Coder-0.5B (benchmarks/qlora.py)."""
    assert least_bytes(parameters * 10**6, method, texts=texts) / 10**9 == pytest.approx(grew, rel=0.1)  # type: ignore[arg-type]


def test_larger_models_take_smaller_batches() -> None:
    batches = [recommended_batch(millions * 10**6) for millions in (22, 135, 494, 1540, 2614, 10**6)]
    assert batches[0] == 16 and batches[-1] == 1
    assert batches == sorted(batches, reverse=True)
    assert all(batch & (batch - 1) == 0 for batch in batches)
