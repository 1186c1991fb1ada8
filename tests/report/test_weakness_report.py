"""The weakness report says what the files say, names what is left out, and no text breaks its tables."""

from __future__ import annotations

import re

import pytest

from agent.report.answers import by_source, hard_was_not_hard
from agent.report.markdown import escape
from agent.report.weakness import weakness_report
from agent.rundir import RunDir, read_json, read_jsonl, write_json, write_jsonl


def tables(markdown: str) -> list[list[int]]:
    """The number of cells in each row of each table: pipes that are not escaped."""
    found: list[list[int]] = [[]]
    for line in markdown.splitlines():
        if line.startswith("| "):
            found[-1].append(len(re.findall(r"(?<!\\)\|", line)) - 1)
        elif found[-1]:
            found.append([])
    return [rows for rows in found if rows]


def test_the_facts_of_an_iteration(run: RunDir) -> None:
    report = weakness_report(run, 2)
    assert "wrong on 4 of 12 texts, mostly business" in report
    assert "macro-F1 is 55.0 (+10.0)" in report
    assert "world (0.61) | pool |" in report
    assert "8 of 12: world 4, sport 4" in report
    assert "| pool | 0 | 4 | 0 % |" in report
    assert "right on 4 of the 4 texts meant to be hard (100 %)" in report
    assert "| irony in world | world |" in report
    assert "| irony in sport | sport | 0 | 4 | 4 | 4 (100 %) |" in report
    assert "4 of 4 hard texts (100 %) and 4 of 4 easy texts (100 %)" in report
    assert "| world | 50.0 | 60.0 | +10.0 | 46.0 | 56.0 | +10.0 |" in report
    assert "15 made = 12 kept + 3 dropped (disagrees 2, duplicate 1)." in report
    assert "3,000 in this iteration, 6,000 so far." in report


def test_the_wrong_answers_are_grouped_by_pair_the_most_frequent_first(run: RunDir) -> None:
    path = run.iteration(1).predictions
    row = {"id": "x", "text": "t", "correct": False, "confidence": 0.5, "source": "hard"}
    pairs = [("sport", "world"), ("world", "sport"), ("sport", "world")]
    write_jsonl(path, [{**row, "label": label, "predicted": predicted} for label, predicted in pairs])
    report = weakness_report(run, 1)
    assert "sport → world (2) · world → sport (1)" in report
    assert report.index("| t | sport | world (0.50) |") < report.index("| t | world | sport (0.50) |")
    assert "was not hard" not in report.split("## What was generated")[0]


def test_the_start(run: RunDir) -> None:
    report = weakness_report(run, 0)
    assert "started from 3 seed examples and reaches a test macro-F1 of 35.0" in report
    assert "8 texts generated (easy 4, hard 4), by intended label: world 4, sport 4." in report
    assert "4 texts taken from the pool" in report
    assert "3 made = 3 kept + 0 dropped." in report


@pytest.mark.parametrize("iteration", [0, 1, 2, 3])
def test_no_text_breaks_a_table_or_becomes_html(run: RunDir, iteration: int) -> None:
    report = weakness_report(run, iteration)
    assert tables(report)
    assert all(len(set(rows)) == 1 for rows in tables(report))
    assert "<" not in report
    assert "\u202e" not in report and "\ud83d" not in report
    report.encode("utf-8")


def test_escape_leaves_no_markdown_and_cuts_long_texts() -> None:
    assert escape("a|b`c*d_e[f](g)\nh\\i") == r"a\|b\`c\*d\_e\[f\](g) ⏎ h\\i"
    assert escape("<b>&") == "&lt;b&gt;&amp;"
    cut = escape("word " * 100)
    assert len(cut) <= 160 and cut.endswith("…")


def test_what_is_left_out_is_named(run: RunDir) -> None:
    text = run.config.read_text(encoding="utf-8").replace("without: []", "without: [analyze, evaluate, sample, dev]")
    run.config.write_text(text, encoding="utf-8")
    folder = run.iteration(2)
    for path in (folder.analysis, folder.predictions, folder.sampled):
        path.unlink()
    measured = read_json(folder.measured)
    write_json(folder.measured, {**measured, "dev": None})
    report = weakness_report(run, 2)
    for line in ("analysis", "evaluate", "sample", "dev"):
        assert f"{line}: left out of this run" in report
    assert "Accuracy by source" not in report and "What it got right" not in report


def test_a_node_that_the_graph_lacks_is_no_part_of_the_strategy(run: RunDir) -> None:
    run.graph.write_text("graph TD; seed --> train", encoding="utf-8")
    run.iteration(1).analysis.unlink()
    assert "analysis: no part of the strategy evokd." in weakness_report(run, 1)


def test_before_the_metrics_of_the_iteration_are_written(run: RunDir) -> None:
    write_jsonl(run.metrics, read_jsonl(run.metrics)[:2])
    run.result.unlink()
    run.iteration(2).measured.unlink()
    run.iteration(3).predictions.unlink()
    report = weakness_report(run, 2)
    assert "the test score after training is not there yet" in report
    assert "Not measured yet." in report and report.count("Not counted yet.") == 2
    assert "known once batch 3 has been evaluated" in report
    assert "Not there yet" in weakness_report(run, 9)


def test_an_analysis_that_could_not_be_used_says_why(run: RunDir) -> None:
    path = run.iteration(1).analysis
    write_json(path, {**read_json(path), "weaknesses": [], "fault": "not_json", "text": "I <think> so"})
    report = weakness_report(run, 1)
    assert r"No weakness: its reply could not be used: not\_json." in report
    assert "“I &lt;think&gt; so”" in report


def test_counts_that_do_not_add_up_are_said_to(run: RunDir) -> None:
    rows = read_jsonl(run.metrics)
    rows[1]["counts"]["made"] = 99
    write_jsonl(run.metrics, rows)
    assert "**The counts do not add up:** 99 made, 12 kept, 3 dropped" in weakness_report(run, 1)


def test_real_texts_the_student_doubted_count_as_hard_ones_and_are_shown_apart() -> None:
    rows = [{"source": "pool", "hard": True, "correct": n < 8} for n in range(10)]
    rows += [{"source": "hard", "correct": False}] * 2 + [{"source": "pool", "hard": False, "correct": True}]
    assert {name: tally.n for name, tally in by_source(rows).items()} == {"hard": 2, "pool, hard": 10, "pool, easy": 1}
    assert hard_was_not_hard(rows) is None
    assert "right on 8 of the 10 texts" in str(hard_was_not_hard(rows[:10]))
