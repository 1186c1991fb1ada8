"""The page is whole HTML that needs no network; it shows the files' numbers and names what is missing."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from agent.report.page import report_page
from agent.report.run_report import run_summary
from agent.rundir import RunDir, read_json, read_jsonl, write_json, write_jsonl
from tasks.faults import UserError

MakeRun = Callable[..., RunDir]
VOID = {"meta", "br", "link", "img", "input", "hr"}


class Balance(HTMLParser):
    """Fails on a closing tag that does not match; keeps tags, attributes and visible text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data.strip())

    @property
    def text(self) -> str:
        return " ".join(word for word in self.words if word)


def test_the_facts_of_the_run(run: RunDir) -> None:
    text = Balance(report_page(run)).text
    for fact in (
        "agnews", "ablation none", "shots 1", "seed 1", "65.0", "dev 61.0", "9,000",
        "7,200 prompt, 1,800 completion",
        "price unknown", "12 min 34 s", "all iterations are done",
        "From 35.0 after iteration 0 to 65.0 after iteration 3: +30.0 points in 4 measurements.",
        "prequential: not the result", "kept 10 of 23, mean 0.02 → 0.59",
        "wrong on 4 of 12, 3 weaknesses named",
        "“Hard” was not hard", "all-MiniLM-L6-v2", "seed --> score --> evaluate", "python 3.11",
    ):  # fmt: skip
        assert fact in text, fact


def test_made_is_kept_and_dropped(run: RunDir) -> None:
    text = Balance(report_page(run)).text
    assert "batch made kept disagrees duplicate 0 3 3 0 0 1 15 12 2 1 2 15 12 2 1 3 15 12 2 1 all 48 39 6 3" in text
    assert "does not add up" not in text
    rows = read_jsonl(run.metrics)
    rows[2]["counts"]["kept"] = 11
    write_jsonl(run.metrics, rows)
    assert "does not add up" in Balance(report_page(run)).text


def test_no_text_becomes_markup(run: RunDir) -> None:
    page = report_page(run)
    parsed = Balance(page)
    assert "script" not in parsed.tags
    assert parsed.tags.count("h1") == 1
    assert "</script><script>alert('x')</script>" not in page
    assert "</pre><h1>x" in parsed.text
    assert "qwen<2.5>" in parsed.text and "business|<i>" in parsed.text
    assert not any(name.startswith("on") for name, _ in parsed.attributes)
    assert 'dir="auto"' in page
    assert "\u202e" not in page and "\x07" not in page
    page.encode("utf-8")


def test_nothing_is_fetched(run: RunDir) -> None:
    page = report_page(run)
    parsed = Balance(page)
    assert not {"link", "img", "iframe", "script", "object"} & set(parsed.tags)
    assert all(value and value.startswith("#") for name, value in parsed.attributes if name in ("href", "src"))
    assert not re.search(r"https?://|@import|url\(", page)


def test_links_lead_to_sections(run: RunDir) -> None:
    attributes = Balance(report_page(run)).attributes
    targets = {value for name, value in attributes if name == "id"}
    assert {value[1:] for name, value in attributes if name == "href" and value} <= targets


@pytest.mark.parametrize(("count", "table"), [(2, True), (20, True), (21, False), (77, False)])
def test_the_confusion_matrix_of_any_size(make_run: MakeRun, count: int, table: bool) -> None:
    page = report_page(make_run([f"label {i}" for i in range(count)], 1))
    parsed = Balance(page)
    assert ("matrix-picture" in [value for name, value in parsed.attributes if name == "class"]) is not table
    assert "Most frequent mistakes" in parsed.text
    assert len(page) < 200_000


def test_a_run_that_has_not_ended(run: RunDir) -> None:
    run.result.unlink()
    text = Balance(report_page(run)).text
    assert "result.json: the run is still going" in text
    assert "Test macro-F1, so far 65.0" in text
    assert "not ended" in text and "9,000" in text


def test_a_run_that_failed_at_once(tmp_path: Path) -> None:
    text = Balance(report_page(RunDir.create(tmp_path / "new"))).text
    for name in ("config.yaml", "result.json", "metrics.jsonl", "graph.mmd"):
        assert f"{name}: " in text
    assert "No test score yet." in text and "unknown task" in text


def test_a_part_that_is_left_out_is_named(make_run: MakeRun) -> None:
    run = make_run(iterations=2, without=["score", "analyze"])
    for k in (1, 2):
        (run.iteration(k).root / "scored.jsonl").unlink()
        run.iteration(k).analysis.unlink()
    text = Balance(report_page(run)).text
    assert "ablation without score, analyze" in text
    assert "score: left out of this run." in text and "analysis: left out of this run." in text


def test_a_strategy_without_a_teacher_has_its_curve_over_iterations(run: RunDir) -> None:
    rows = read_jsonl(run.metrics)
    for row in rows:
        row["teacher"] |= {"prompt_tokens": 0, "completion_tokens": 0}
    write_jsonl(run.metrics, rows)
    result = read_json(run.result)
    write_json(run.result, {**result, "curve": [{**point, "teacher_tokens": 0} for point in result["curve"]]})
    assert 'aria-label="scores over iteration"' in report_page(run)


def test_the_same_files_give_the_same_page(run: RunDir) -> None:
    assert report_page(run) == report_page(run)


def test_the_summary(run: RunDir) -> None:
    summary = run_summary(run)
    assert summary["finished"] and summary["missing"] == []
    assert summary["curve"][-1] == {"iteration": 3, "teacher_tokens": 9000, "test": pytest.approx(0.65)}
    keys = set(summary)
    curve = summary["curve"]
    run.result.unlink()
    so_far = run_summary(run)
    assert set(so_far) == keys and not so_far["finished"]
    assert so_far["curve"] == curve
    assert so_far["stopped_because"] is None


def test_a_file_that_cannot_be_read_is_named(run: RunDir) -> None:
    run.result.write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match=r"result\.json: expected JSON"):
        report_page(run)
