"""The endpoint kept failing; what was answered is in the ledger."""

from __future__ import annotations

from tasks.faults import Fault, UserError

TIMEOUT = "timeout"
"""The last error where no answer came in time."""


class TeacherUnavailableError(UserError):
    """A call failed as often as the configuration allows. The run can be resumed."""

    def __init__(self, url: str, tries: int, last_error: str) -> None:
        slow = " Is it slow? Put a larger teacher.timeout into RUN/config.yaml first." if last_error == TIMEOUT else ""
        remedy = f"Nothing is lost: `evokd resume RUN` goes on where it stopped.{slow}"
        got = f"{tries} failed tries of one call; last error: {last_error}"
        super().__init__(Fault("teacher", f"a reply of the teacher at {url}", got, remedy))
