"""A passage: the text of one row of a data set that is scored, and what stands before it.

Forms of a row, JSONL, CSV or Parquet; more fields do no harm, and of several forms the first counts:
`{"instruction", "input", "output"}` (`input` may be absent or empty), `{"prompt", "completion"}`, `{"text"}`.
`teacher_logprobs` may stand beside them: what an OpenAI-compatible endpoint gave with the text, the list
`choices[0].logprobs.content` of its reply, a `{"token", "bytes", "logprob"}` each.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.data import Row, read_rows, shortened
from tasks.faults import Fault, UserError, quoted

FORMS = (("instruction", "output"), ("prompt", "completion"), ("text",))
LOGPROBS = "teacher_logprobs"
ROUNDING = 1e-4
"""How far above 0 a log-probability may lie: engines that compute in 16 bits round it there."""


@dataclass(frozen=True)
class Passage:
    """What is scored of one row."""

    row: Row
    """As it was read."""
    text: str
    """The characters that both models score."""
    before: str = ""
    """What stands before the text, which is read and not scored; of an instruction, the form of Stanford Alpaca."""
    turn: str | None = None
    """Of an instruction: what the user says. A model with a chat template reads it in place of `before`."""

    @property
    def asked(self) -> str | None:
        """What the text answers; None where nothing stands before it."""
        return self.turn or self.before or None

    def tokens(self) -> tuple[tuple[bytes, float], ...] | None:
        """The tokens of `teacher_logprobs`; None where there are none, or one lacks its probability."""
        given = self.row.get(LOGPROBS)
        tokens = [_token(one) for one in given] if isinstance(given, list) else []
        whole = tuple(token for token in tokens if token is not None)
        return whole if whole and len(whole) == len(tokens) else None


def read_passages(file: Path) -> list[Passage]:
    """The passages of a data set.

    Raises:
        UserError: the file cannot be read or is empty; rows of no form, or whose text is empty or none.
    """
    if not file.is_file():
        raise UserError(Fault("FILE", "a file", f"{file} (not there)", "Check the path."))
    try:
        rows = read_rows(file.name, file.parent, "FILE")
    except OSError as error:
        raise UserError(Fault("FILE", "a file that can be read", f"{file} ({error.strerror})", "Mend it.")) from None
    passages, faults = [], []
    for place, row in rows:
        found = passage(row, place)
        if isinstance(found, Fault):
            faults.append(found)
        else:
            passages.append(found)
    if faults:
        raise UserError(*shortened(faults))
    if not passages:
        raise UserError(Fault("FILE", "at least one row", f"{file} without any", "Check the path."))
    return passages


def passage(row: Row, place: str) -> Passage | Fault:
    """The passage of a row, or what is wrong with it."""
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except (TypeError, UnicodeEncodeError) as error:
        return Fault(place, "values that JSON holds", quoted(str(error)), "Mend the row or remove it.")
    form = next((form for form in FORMS if all(field in row for field in form)), None)
    if form is None:
        expected = "the fields " + " or ".join("+".join(form) for form in FORMS)
        return Fault(place, expected, quoted(", ".join(row)), "Rename the fields of the file.")
    fields = (*form, "input") if row.get("input") and form == FORMS[0] else form
    for field in fields:
        if not isinstance(row[field], str):
            return Fault(f"{place}: {field}", "a text", quoted(row[field], 60), "Mend the row or remove it.")
    text = row[form[-1]]
    if not text.strip():
        return Fault(f"{place}: {form[-1]}", "a text", quoted(text), "Fill it in or remove the row.")
    if form == FORMS[0]:
        instruction, more = row["instruction"], row.get("input") or ""
        return Passage(row, text, alpaca(instruction, more), f"{instruction}\n\n{more}" if more else instruction)
    return Passage(row, text, "" if form == FORMS[2] else row["prompt"])


def alpaca(instruction: str, more: str) -> str:
    """An instruction in the form of Stanford Alpaca, up to where the response begins."""
    beside = ", paired with an input that provides further context" if more else ""
    given = f"### Input:\n{more}\n\n" if more else ""
    return (
        f"Below is an instruction that describes a task{beside}. Write a response that appropriately completes the "
        f"request.\n\n### Instruction:\n{instruction}\n\n{given}### Response:\n"
    )


def _token(given: Any) -> tuple[bytes, float] | None:
    """(bytes, logprob) of one token of the list; None where it is none. `bytes` null: the token's own text."""
    if not isinstance(given, Mapping):
        return None
    logprob, spelling, token = given.get("logprob"), given.get("bytes"), given.get("token")
    if isinstance(logprob, bool) or not isinstance(logprob, int | float):
        return None
    if not math.isfinite(logprob) or logprob > ROUNDING:
        return None
    if isinstance(spelling, list):
        parts = [part for part in spelling if isinstance(part, int) and 0 <= part < 256]
        return (bytes(parts), float(logprob)) if len(parts) == len(spelling) else None
    return (token.encode("utf-8", "replace"), float(logprob)) if isinstance(token, str) else None
