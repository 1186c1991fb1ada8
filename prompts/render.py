"""A prompt file as the messages of a chat: each Jinja block is one turn."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

ROLES = {"system": "system", "user": "user", "analysis": "user", "answer": "assistant"}
"""Block name to chat role. Blocks that render empty are left out."""


def render(call: str, **slots: Any) -> tuple[tuple[str, str], ...]:
    """The messages of `prompts/<call>.jinja`, as (role, content), with `slots` filled in.

    Raises:
        jinja2.UndefinedError: the file names a slot that was not given.
    """
    template = _environment().get_template(f"{call}.jinja")
    messages = []
    for block in template.blocks:
        content = "".join(template.blocks[block](template.new_context(slots))).strip()
        if content:
            messages.append((ROLES[block], content))
    return tuple(messages)


@cache
def _environment() -> Environment:
    """Plain text, not HTML: nothing is escaped; a missing slot is an error."""
    loader = FileSystemLoader(Path(__file__).parent)
    return Environment(loader=loader, undefined=StrictUndefined, autoescape=False)
