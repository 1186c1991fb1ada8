"""The endpoint kept failing; what was answered is in the ledger."""

from __future__ import annotations

from tasks.faults import Fault, UserError

TIMEOUT = "timeout"
"""The last error where no answer came in time."""


class TeacherUnavailableError(UserError):
    """A call failed as often as the configuration allows. The run can be resumed."""

    def __init__(self, url: str, tries: int, last_error: str) -> None:
        slow = ""
        if last_error == TIMEOUT:
            slow = " Is it slow? First raise teacher.timeout, in RUN/config.yaml or by --set of `evokd ablate`."
        remedy = f"Nothing is lost: `evokd resume RUN` goes on where it stopped.{slow}"
        got = f"{tries} failed tries of one call; last error: {last_error}"
        super().__init__(Fault("teacher", f"a reply of the teacher at {url}", got, remedy))
