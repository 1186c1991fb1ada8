"""Writes what a grid shows: table.md, table.csv, grid.html and cells.jsonl in its folder."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any

from agent.experiments.cells import Grid
from agent.experiments.collect import finished, rows
from agent.experiments.kept import row_of
from agent.experiments.page import grid_page
from agent.experiments.tables import comma_separated, markdown
from agent.rundir import write_jsonl, write_text


@dataclass(frozen=True)
class Written:
    """What was written, for the command to show."""

    markdown: str
    rows: list[dict[str, Any]]
    """The lines of table.csv."""


def write_results(grid: Grid, control: str) -> Written:
    """The four files, of the cells that are done."""
    done = finished(grid)
    found = rows(grid, done, control)
    text, lines = markdown(found, control, len(grid.cells), len(done)), comma_separated(found)
    write_text(grid.folder / "table.md", text)
    write_text(grid.folder / "table.csv", lines)
    write_text(grid.folder / "grid.html", grid_page(found, done, control, len(grid.cells)))
    write_jsonl(grid.folder / "cells.jsonl", [row_of(grid, one) for one in done])
    return Written(text, list(csv.DictReader(io.StringIO(lines))))
