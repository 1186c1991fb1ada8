"""The ledger: every request, written before it is sent, and every answer, written before it is used.

One SQLite file (WAL) for all runs and processes. A request that was answered once is never paid again.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.teacher.usage import Usage
from tasks.faults import Fault, UserError

_TABLES = """
CREATE TABLE IF NOT EXISTS requests (
  key TEXT, sample INTEGER, request TEXT, model TEXT, sent_at REAL, response TEXT, answered_at REAL,
  PRIMARY KEY (key, sample));
CREATE TABLE IF NOT EXISTS usage (
  run_id TEXT, iteration INTEGER, node TEXT, role TEXT, key TEXT, sample INTEGER,
  prompt_tokens INTEGER, completion_tokens INTEGER, cost REAL, cached INTEGER, attempt TEXT,
  PRIMARY KEY (run_id, key, sample));
CREATE TABLE IF NOT EXISTS ended (
  run_id TEXT PRIMARY KEY, iteration INTEGER, node TEXT, attempt TEXT, reason TEXT, allowed REAL);
CREATE TABLE IF NOT EXISTS probes (
  endpoint TEXT, model TEXT, capabilities TEXT, PRIMARY KEY (endpoint, model));
"""
_SUMS = "COUNT(*), SUM(prompt_tokens), SUM(completion_tokens), SUM(cached), SUM(cost), COUNT(cost)"


@dataclass(frozen=True)
class Place:
    """Where in a run a reply is used. `attempt` names the process: a resumed node asks as another one."""

    run_id: str
    iteration: int
    node: str
    attempt: str


@dataclass(frozen=True)
class Ended:
    """The end of a run's budget, kept so that a resumed run ends where the unbroken one did."""

    iteration: int
    node: str
    attempt: str
    reason: str
    allowed: float
    """The limit that was reached."""


def request_key(payload: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical request: model, messages and parameters; neither URL nor API key."""
    text = json.dumps(payload, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Ledger:
    """Requests, answers, usage and probes. Safe for several threads and several processes."""

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=60, check_same_thread=False, isolation_level=None)
            self._db.execute("PRAGMA busy_timeout = 60000")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.executescript(_TABLES)
        except (sqlite3.Error, OSError) as error:
            remedy = "Give a file that can be written: --set teacher.ledger=FILE."
            raise UserError(Fault("teacher.ledger", "a SQLite file", f"{path}: {error}", remedy)) from None
        self._lock = threading.Lock()

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def answer(self, key: str, sample: int) -> dict[str, Any] | None:
        """The stored answer, or None."""
        row = self._one("SELECT response FROM requests WHERE key = ? AND sample = ?", key, sample)
        return json.loads(row[0]) if row and row[0] is not None else None

    def sending(self, key: str, sample: int, payload: Mapping[str, Any]) -> None:
        """Writes the request; to be called before it is sent."""
        text = json.dumps(payload, ensure_ascii=True)
        self._one(
            "INSERT INTO requests (key, sample, request, model, sent_at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET sent_at = excluded.sent_at WHERE response IS NULL",
            key, sample, text, payload["model"], time.time(),
        )  # fmt: skip

    def answered(self, key: str, sample: int, response: Mapping[str, Any]) -> dict[str, Any]:
        """Writes the answer, and gives the one to use: the first, when another process was faster."""
        text = json.dumps(response, ensure_ascii=True)
        self._one(
            "UPDATE requests SET response = ?, answered_at = ?"
            " WHERE key = ? AND sample = ? AND response IS NULL",
            text, time.time(), key, sample,
        )  # fmt: skip
        stored = self.answer(key, sample)
        assert stored is not None
        return stored

    def count(
        self, place: Place, role: str, key: str, sample: int,
        prompt_tokens: int, completion_tokens: int, cost: float | None, cached: bool,
    ) -> bool:  # fmt: skip
        """Counts a reply for a run, once. False when the run had counted it elsewhere before."""
        row = self._one(
            "INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
            " SET attempt = excluded.attempt WHERE attempt != excluded.attempt"
            " AND iteration = excluded.iteration AND node = excluded.node RETURNING 1",
            place.run_id, place.iteration, place.node, role, key, sample,
            prompt_tokens, completion_tokens, cost, int(cached), place.attempt,
        )  # fmt: skip
        return row is not None

    def usage(self, run_id: str, role: str | None = None, besides: Place | None = None) -> Usage:
        """Sums of a run (of one role). `besides`: without what an earlier attempt at this node left."""
        where, values = _where(run_id, role, besides)
        return _usage(self._one(f"SELECT {_SUMS} FROM usage WHERE {where}", *values))

    def usage_by_node(self, run_id: str) -> dict[tuple[int, str], Usage]:
        """Sums of a run for each (iteration, node)."""
        with self._lock:
            rows = self._db.execute(
                f"SELECT iteration, node, {_SUMS} FROM usage WHERE run_id = ?"
                " GROUP BY iteration, node ORDER BY iteration, node",
                (run_id,),
            ).fetchall()
        return {(row[0], row[1]): _usage(row[2:]) for row in rows}

    def end(self, place: Place, reason: str, allowed: float) -> None:
        """Writes that the budget of a run ended."""
        self._one(
            "INSERT OR REPLACE INTO ended VALUES (?, ?, ?, ?, ?, ?)",
            place.run_id, place.iteration, place.node, place.attempt, reason, allowed,
        )  # fmt: skip

    def ended(self, run_id: str) -> Ended | None:
        row = self._one("SELECT iteration, node, attempt, reason, allowed FROM ended WHERE run_id = ?", run_id)
        return Ended(*row) if row else None

    def probe(self, endpoint: str, model: str) -> dict[str, Any] | None:
        """What a probe found about an endpoint, or None."""
        row = self._one("SELECT capabilities FROM probes WHERE endpoint = ? AND model = ?", endpoint, model)
        return json.loads(row[0]) if row else None

    def probed(self, endpoint: str, model: str, capabilities: Mapping[str, Any]) -> None:
        """Writes what a probe found."""
        text = json.dumps(capabilities)
        self._one("INSERT OR REPLACE INTO probes VALUES (?, ?, ?)", endpoint, model, text)

    def _one(self, sql: str, *values: Any) -> tuple[Any, ...] | None:
        with self._lock:
            rows: list[tuple[Any, ...]] = self._db.execute(sql, values).fetchall()
        return rows[0] if rows else None


def _where(run_id: str, role: str | None, besides: Place | None) -> tuple[str, list[Any]]:
    where, values = "run_id = ?", [run_id]
    if role is not None:
        where, values = where + " AND role = ?", [*values, role]
    if besides is not None:
        where += " AND NOT (iteration = ? AND node = ? AND attempt != ?)"
        values = [*values, besides.iteration, besides.node, besides.attempt]  # type: ignore[list-item]
    return where, values


def _usage(row: tuple[Any, ...] | None) -> Usage:
    assert row is not None
    calls, prompt, completion, cached, cost, priced = row
    total = float(cost or 0.0) if priced == calls else None
    return Usage(calls, prompt or 0, completion or 0, cached or 0, total)
