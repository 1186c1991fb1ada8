"""What a run used of the teacher so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Usage:
    """Every reply a run used, counted once, as if paid, also when the ledger answered."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_calls: int = 0
    """Of `calls`, those the ledger answered."""
    cost: float | None = 0.0
    """US dollars; None when a price is unknown."""
    by_node: Mapping[tuple[int, str], Usage] = field(default_factory=dict)
    """The same for each (iteration, node)."""

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


@dataclass
class LiveCounts:
    """What the teacher does at this moment; written by the client, read by the progress display."""

    in_flight: int = 0
    retrying: int = 0
    """Calls that wait before another try."""
    waiting_seconds: float = 0.0
    """Sum of the pauses after 429s and failures."""
    last_error: str | None = None
