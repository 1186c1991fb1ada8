"""A teacher, opened on a fake endpoint, with a ledger of its own and no long pauses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.config import BudgetConfig, TeacherConfig
from agent.teacher import endpoint
from agent.teacher.messages import Request
from agent.teacher.teacher import Teacher, open_teacher
from tests.fakes.fake_teacher import FakeTeacher

Open = Callable[..., Teacher]


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "BACKOFF_SECONDS", 0.005)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture
def open_on(tmp_path: Path) -> Iterator[Open]:
    """Opens teachers that are closed after the test. Fields of the configuration as keywords."""
    opened: list[Teacher] = []

    def opener(
        fake: FakeTeacher | None, run_id: str = "run", budget: dict[str, Any] | None = None, **fields: Any
    ) -> Teacher:
        settings: dict[str, Any] = {"ledger": tmp_path / "ledger.sqlite", **fields}
        if fake is not None:
            settings = {"base_url": fake.base_url, "model": fake.model, **settings}
        teacher = open_teacher(TeacherConfig(**settings), BudgetConfig(**(budget or {})), run_id)
        opened.append(teacher)
        return teacher

    yield opener
    for teacher in opened:
        teacher.close()


def ask_label(text: str, **fields: Any) -> Request:
    return Request(role="labeller", messages=(("user", text),), temperature=0.0, max_tokens=8, **fields)


SCHEMA = {
    "type": "object",
    "properties": {"texts": {"type": "array", "items": {"type": "string"}}},
    "required": ["texts"],
}


def ask_texts(text: str, **fields: Any) -> Request:
    return Request("generator", (("user", text),), 1.0, 100, schema=SCHEMA, **fields)
