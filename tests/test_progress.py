"""What the display keeps in sight."""

from __future__ import annotations

from rich.console import Console

from agent.progress import Progress


def seen(progress: Progress) -> str:
    console = Console(width=100)
    with console.capture() as captured:
        console.print(progress)
    return captured.get()


def test_a_note_stays_in_sight_and_is_said_once() -> None:
    lines: list[str] = []
    for progress in (Progress(), Progress(lines.append)):
        progress.note("1 of 5 examples a label learned")
        progress.say("starting the local teacher")
        progress.note("1 of 5 examples a label learned")
        assert seen(progress).count("note: 1 of 5 examples") == 1
        assert "starting the local teacher" in seen(progress)
    assert lines == ["note: 1 of 5 examples a label learned", "starting the local teacher"]
