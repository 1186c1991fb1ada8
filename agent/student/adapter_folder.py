"""An adapter folder on disk: replaced as a whole, and known by its content's stamp."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.faults import Fault, UserError


@contextmanager
def written(folder: Path) -> Iterator[Path]:
    """An empty folder to fill; it becomes `folder` at the end, and is gone if anything fails.

    A reader sees the old folder, for an instant none, or the new one; never a part.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = folder.with_name(f".{folder.name}.{os.getpid()}.new")
    old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    for leftover in (new, old):
        shutil.rmtree(leftover, ignore_errors=True)
    new.mkdir()
    try:
        yield new
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def stamp(folder: Path) -> tuple[object, ...]:
    """What tells this content of `folder` from another: path, and inode, size and time of each file.

    Raises:
        UserError: no such folder.
    """
    if not folder.is_dir():
        remedy = "Give the iteration folder's adapter/ of a finished training."
        raise UserError(Fault(str(folder), "an adapter folder", "no such folder", remedy))
    files = []
    for path in sorted(folder.iterdir()):
        facts = path.stat()
        files.append((path.name, facts.st_ino, facts.st_size, facts.st_mtime_ns))
    return (str(folder.resolve()), *files)
