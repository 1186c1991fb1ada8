"""The drawings put the right number at the right place, and hold with none, one or many."""

from __future__ import annotations

import pytest

from agent.report.bars import dumbbell, histogram, stacked_bars
from agent.report.charts import Axis, Series, axis, line_chart, thinned, tick_label
from agent.report.wording import clip, duration, gain, money, percent, points


def test_ticks_are_round_and_within_the_axis() -> None:
    assert Axis("", 0, 1).ticks() == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert Axis("", 0, 9540).ticks() == [0, 2000, 4000, 6000, 8000]
    assert Axis("", -0.9, 1.1).ticks() == [-0.5, 0, 0.5, 1]
    assert Axis("", 3, 3).ticks() == [3]
    assert [tick_label(v) for v in (0.25, -1, 2000, 12_000, 3e6)] == ["0.25", "−1", "2,000", "12k", "3M"]


def test_a_line_runs_from_corner_to_corner() -> None:
    drawn = line_chart([Series("a<b", ((0, 0), (10, 1)), "c0")], Axis("x", 0, 10), Axis("y", 0, 1), 'say "it"')
    assert 'd="M0.0 1000.0L1000.0 0.0"' in drawn
    assert "a&lt;b: 1 at 10" in drawn
    assert 'aria-label="say &#34;it&#34;"' in drawn


def test_one_point_lies_within_its_axes() -> None:
    x = axis("x", [0.0], zero=True)
    assert 0 <= x.place(0.0) <= 1
    assert "dot" in line_chart([Series("a", ((0.0, 0.5),), "c0")], x, axis("y", [0.5]), "one")


def test_a_long_curve_is_thinned_to_means() -> None:
    assert thinned([1.0, 3.0, 5.0], 2) == ((0.5, 2.0), (2.0, 5.0))
    assert len(thinned([0.0] * 5000)) <= 120
    assert thinned([]) == ()


def test_stacked_bars_share_one_scale_and_keep_names_apart() -> None:
    long = ["x" * 50 + "a", "x" * 50 + "b"]
    drawn = stacked_bars([("one", {long[0]: 1, long[1]: 1}), ("two", {long[0]: 4})], long)
    assert drawn.count("<rect") == 3
    assert 'width="25.0%"' in drawn and 'width="100.0%"' in drawn
    assert stacked_bars([("none", {})], []).count("<rect") == 0


def test_the_histogram_counts_the_ends_and_the_kept() -> None:
    drawn = histogram([-1, 0, 1, 1], [1], Axis("d", -1, 1), "das", bins=2)
    assert drawn.count('class="all"') == 2 and drawn.count('class="kept"') == 1
    assert 'class="kept" x="50.0%" y="66.67%"' in drawn


def test_the_dumbbell_has_only_what_is_known() -> None:
    assert dumbbell(None, 0.5).count("<circle") == 1
    assert 'class="link" x1="20.0%" x2="50.0%"' in dumbbell(0.2, 0.5)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (points(None), "–"), (points(float("nan")), "–"), (points(0.8425), "84.2"), (gain(0.5, 0.45), "−5.0"),
        (gain(None, 1), "–"), (gain(0.5, 0.50001), "0.0"), (percent(1, 0), "–"), (percent(1, 3), "33 %"),
        (money(None), "price unknown"), (money(0), "$0.00"), (money(0.0042), "$0.0042"),
        (duration(59.96), "60.0 s"),
        (duration(3_725), "1 h 02 min"), (clip("a\n\n\tb \x00 c"), "a ⏎ b c"), (clip("x" * 9, 4), "xxx…"),
    ],
)  # fmt: skip
def test_how_numbers_and_texts_are_written(written: str, expected: str) -> None:
    assert written == expected
