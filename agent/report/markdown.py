"""Markdown from texts nobody has checked: escaped, so that a text can neither break a table nor draw one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from agent.report.wording import clip

_MARKS = re.compile(r"([\\`*_\[\]|~$#!])")


def escape(text: object, limit: int = 160) -> str:
    """`text` as one line in which Markdown and HTML mean nothing, cut to `limit` characters."""
    line = clip(text, limit).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKS.sub(r"\\\1", line)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> str:
    """A table of cells that are Markdown already; the columns in `right` hold numbers."""
    rule = ["---:" if column in right else "---" for column in range(len(head))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rule, *rows))
