"""What a run folder holds, read once: the only file of the reports that opens files.

A file that is not there is None (or an empty tuple for rows), so that a report can say so.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.config import read_recipe
from agent.rundir import IterationDir, RunDir, read_json, read_jsonl
from tasks.faults import Fault, UserError
from tasks.task import DEFAULT_KIND, kind_module

Row = dict[str, Any]


@dataclass(frozen=True)
class IterationRecord:
    """The files of one `iteration_NNN/`; rows are None where the file is not there."""

    number: int
    name: str
    batch: tuple[Row, ...] | None
    predictions: tuple[Row, ...] | None
    scored: tuple[Row, ...] | None
    sampled: tuple[Row, ...] | None
    generated: tuple[Row, ...] | None
    dropped: tuple[Row, ...] | None
    analysis: Row | None
    training: Row | None
    measured: Row | None
    self_training: Row | None
    das_page: str | None
    """Where the page of its sentences is, from the run's folder."""


@dataclass(frozen=True)
class RunRecord:
    """A run, as far as it got. `metrics`: its rows by iteration."""

    config: Row
    kind: str
    """The task's; `classification` where run.json, which names it, is not there."""
    config_text: str | None
    graph: str | None
    result: Row | None
    earlier: Row | None
    """earlier.json."""
    metrics: dict[int, Row]
    iterations: tuple[IterationRecord, ...]

    def iteration(self, number: int) -> IterationRecord | None:
        """The record of one iteration; None where its folder does not exist."""
        return next((record for record in self.iterations if record.number == number), None)

    @property
    def metric(self) -> str:
        """The key of the result in a measurement."""
        return kind_module(self.kind).METRIC

    def absence(self, node: str) -> str:
        """Why there is nothing of `node`: left out, no part of the strategy, or not there (yet)."""
        if node in (self.config.get("without") or ()):
            return "left out of this run"
        if self.graph is not None and node not in self.graph:
            return f"no part of the strategy {self.config.get('strategy', '(unknown)')}"
        return "nothing was written in this iteration"

    def tokens(self, iteration: int) -> int | None:
        """Teacher tokens (prompt + completion) so far, at the end of `iteration`; None when not written."""
        for point in (self.result or {}).get("curve", ()):
            if point["iteration"] == iteration:
                return int(point["teacher_tokens"])
        usage = (self.metrics.get(iteration) or {}).get("teacher")
        return None if usage is None else int(usage["prompt_tokens"]) + int(usage["completion_tokens"])


def read_record(run: RunDir) -> RunRecord:
    """Reads every file the reports use.

    Raises:
        UserError: a file is there but cannot be read; a missing file is no error.
    """
    return RunRecord(
        config=read_recipe(run.config) if run.config.is_file() else {},
        kind=str((_json(run.identity) or {}).get("kind", DEFAULT_KIND)),
        config_text=_text(run.config),
        graph=_text(run.graph),
        result=_json(run.result),
        earlier=_json(run.earlier),
        metrics={row["iteration"]: row for row in read_jsonl(run.metrics)},
        iterations=tuple(read_iteration(folder) for folder in run.iterations()),
    )


def read_iteration(folder: IterationDir) -> IterationRecord:
    """The files of one iteration. Raises UserError as `read_record` does."""
    return IterationRecord(
        number=folder.number,
        name=folder.root.name,
        batch=_rows(folder.batch),
        predictions=_rows(folder.predictions),
        scored=_rows(folder.root / "scored.jsonl"),
        sampled=_rows(folder.sampled),
        generated=_rows(folder.generated),
        dropped=_rows(folder.dropped),
        analysis=_json(folder.analysis),
        training=_json(folder.training),
        measured=_json(folder.measured),
        self_training=_json(folder.self_training),
        das_page=f"{folder.root.name}/{folder.das_page.name}" if folder.das_page.is_file() else None,
    )


def _rows(path: Path) -> tuple[Row, ...] | None:
    return tuple(read_jsonl(path)) if path.is_file() else None


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _json(path: Path) -> Row | None:
    if not path.is_file():
        return None
    try:
        loaded: Row = read_json(path)
    except json.JSONDecodeError as error:
        raise UserError(Fault(str(path), "JSON", str(error), "Restore the file.")) from None
    return loaded
