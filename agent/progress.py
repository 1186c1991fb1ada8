"""Progress: what a run is doing now, as a rich renderable (terminal) or a line a finished iteration (log)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from rich.console import Group
from rich.table import Table
from rich.text import Text

from agent.report.wording import METRICS
from agent.rundir import read_jsonl
from agent.state import Context
from tasks.task import kind_module

BARS = "▁▂▃▄▅▆▇█"


class Progress:
    """Told of every node's start and end; read by `rich.live.Live` several times a second."""

    def __init__(self, log: Callable[[str], None] | None = None) -> None:
        self._log = log
        """Where a line a finished iteration goes; None while the live display is on."""
        self._lock = threading.Lock()
        self._running: dict[str, float] = {}
        self._iteration = 0
        self._began = time.monotonic()
        self._curve: list[float] = []
        self._metric = "macro_f1"
        self._context: Context | None = None
        self._opening = "opening the task"
        self._notes: list[str] = []

    def say(self, message: str) -> None:
        """What happens before the first node of a run."""
        self._context = None
        self._opening = message
        if self._log is not None:
            self._log(message)

    def note(self, message: str) -> None:
        """What the user should know of this run; it stays in sight."""
        if message in self._notes:  # of an earlier cell of the grid
            return
        self._notes.append(message)
        if self._log is not None:
            self._log(f"note: {message}")

    def watch(self, context: Context) -> None:
        """The run is open; from now on its figures can be read."""
        self._context, self._began = context, time.monotonic()
        self._metric = kind_module(context.task.kind).METRIC
        self._curve = [row["test"][self._metric] for row in read_jsonl(context.run.metrics)]

    def notify(self, event: str, node: str, iteration: int) -> None:
        """A node starts or ends."""
        with self._lock:
            self._iteration = iteration
            if event == "start":
                self._running[node] = time.monotonic()
                return
            self._running.pop(node, None)
        if node == "join" and self._context is not None:
            row = read_jsonl(self._context.run.metrics)[-1]
            self._curve.append(row["test"][self._metric])
            if self._log is not None:
                self._log(iteration_line(row, self._metric))

    def __rich__(self) -> Group:
        notes = [Text(f"note: {note}") for note in self._notes]
        if self._context is None:
            return Group(*notes, Text(f"{self._opening} …", style="dim"))
        config, live = self._context.config, self._context.teacher.live
        usage = self._context.teacher.usage()
        with self._lock:
            running = dict(self._running)
        now = time.monotonic()
        table = Table.grid(padding=(0, 2))
        table.add_row("iteration", f"{self._iteration} of {config.iterations}   {self._left(now)}")
        names = ", ".join(f"{node} {now - start:.0f} s" for node, start in running.items())
        table.add_row("running", names or "–")
        calls = f"{live.in_flight} in flight"
        if live.retrying:
            calls += f", {live.retrying} retrying ({live.last_error})"
        if live.waiting_seconds:
            calls += f", waiting {live.waiting_seconds:.0f} s as the endpoint asked"
        table.add_row("teacher", f"{usage.calls} calls ({usage.cached_calls} from the ledger), {calls}")
        tokens = usage.prompt_tokens + usage.completion_tokens
        limit = f" of {config.budget.tokens:,}" if config.budget.tokens else ""
        cost = "price unknown" if usage.cost is None else f"${usage.cost:.4f}"
        table.add_row("tokens", f"{tokens:,}{limit}   {cost}")
        table.add_row(f"test {METRICS[self._metric]}", sparkline(self._curve))
        return Group(*notes, table)

    def _left(self, now: float) -> str:
        """Time left, from the mean time of the iterations so far; nothing before the first has ended."""
        done = len(self._curve)
        if self._context is None or done == 0:
            return ""
        rows = max(1, self._context.config.iterations + 1)
        share = done / rows
        budget = self._context.config.budget.tokens
        if budget:
            usage = self._context.teacher.usage()
            share = max(share, min(1.0, (usage.prompt_tokens + usage.completion_tokens) / budget))
        seconds = (now - self._began) * (1 - share) / share
        return f"about {seconds / 60:.0f} min left" if seconds > 90 else f"about {seconds:.0f} s left"


def sparkline(values: list[float]) -> str:
    """A bar a value in [0, 1], and the last value as a figure."""
    if not values:
        return "–"
    bars = "".join(BARS[min(len(BARS) - 1, int(value * len(BARS)))] for value in values)
    return f"{bars} {values[-1]:.3f}"


def iteration_line(row: dict[str, object], metric: str) -> str:
    """One finished iteration in one line; `metric` is the key of its result."""
    test, counts, teacher = row["test"], row["counts"], row["teacher"]
    assert isinstance(test, dict) and isinstance(counts, dict) and isinstance(teacher, dict)
    tokens = teacher["prompt_tokens"] + teacher["completion_tokens"]
    dropped = sum(counts["dropped"].values())
    alone = row.get("self_training")
    undone = isinstance(alone, dict) and not alone["taken"]
    after = ", self-training undone" if undone else ", after self-training" if row.get("before_selftrain") else ""
    return (
        f"iteration {row['iteration']}{after}: test {METRICS[metric]} {test[metric]:.3f}, "
        f"{counts['kept']} new examples ({dropped} dropped), {tokens:,} teacher tokens so far"
    )
