"""The one exception for a user's mistake: every fault found, each with its place and a remedy.

Both `tasks/` and `agent/` raise it; the command line prints it without a traceback and exits with 2.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One fault in what the user gave."""

    where: str
    """File, line and field, or the option, e.g. `tasks/x/task.yaml: labels`."""
    expected: str
    got: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: expected {self.expected}, got {self.got}. {self.remedy}"


class UserError(Exception):
    """What the user gave cannot be used. Carries all faults found, not only the first."""

    def __init__(self, *faults: Fault) -> None:
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))


def quoted(value: object, limit: int = 80) -> str:
    """`value` as it is shown in a message: quoted, one line, at most `limit` characters."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
