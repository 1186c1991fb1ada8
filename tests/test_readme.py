"""The README's file tree names what is there, and what is there is named; the results are those of the kept cells."""

from __future__ import annotations

import re
from pathlib import Path

from agent.rundir import read_jsonl
from benchmarks import quality

TOP = Path(__file__).parents[1]
ROW = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)


def named() -> list[str]:
    house = (TOP / "README.md").read_text(encoding="utf-8").split("## The house")[1]
    return ROW.findall(house)


def test_every_path_of_the_tree_exists() -> None:
    assert not [path for path in named() if not (TOP / path).exists()]


def test_every_file_and_folder_of_agent_is_in_the_tree() -> None:
    there = {f"agent/{path.name}" for path in (TOP / "agent").glob("*.py") if path.stem != "__init__"}
    there |= {f"agent/{path.name}/" for path in (TOP / "agent").iterdir() if (path / "__init__.py").exists()}
    assert there <= set(named())


def test_every_file_of_a_run_is_explained() -> None:
    source = (TOP / "agent" / "rundir.py").read_text(encoding="utf-8")
    names = set(re.findall(r'self\.root / "([^"]+)"', source))
    page = (TOP / "runs" / "README.md").read_text(encoding="utf-8")
    assert not [name for name in names if f"`{name}" not in page]


def test_the_page_of_results_is_the_one_that_the_kept_cells_give() -> None:
    assert quality.PAGE.read_text(encoding="utf-8") == quality.page(read_jsonl(quality.CELLS))
