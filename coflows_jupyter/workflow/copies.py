"""The executed copies of notebooks that ran on their own: a folder beside package.json, in which Lab opens them."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

FOLDER = "Runs"
MOST_COPIES = 200
MOST_BYTES = 500_000_000

_RUN = re.compile(r"[A-Za-z0-9_-]+(\.[0-9]+)?")


def new_copy(workflow: Path, notebook: Path, run: str) -> Path:
    """Return where the copy of an attempt is to be written, and make room for it.

    Args:
        workflow: the Workflow's folder.
        notebook: what is executed.
        run: ID of the run, with a dot and the number of the attempt behind it from the second one on.
    """
    folder = workflow / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    prune(folder)
    return folder / f"{notebook.stem}-{run}.ipynb"


def find_copy(workflow: Path, run_id: str, attempt: int) -> Path | None:
    """Return the copy of a run's last attempt, ``None`` when it is not here or not kept any longer."""
    run = run_id if attempt <= 1 else f"{run_id}.{attempt}"
    if not _RUN.fullmatch(run):
        return None
    return next((workflow / FOLDER).glob(f"*-{run}.ipynb"), None)


def prune(folder: Path, most: int = MOST_COPIES, most_bytes: int = MOST_BYTES) -> None:
    """Delete the oldest copies, so that one more may come.

    Args:
        folder: holds the copies.
        most: how many there may be.
        most_bytes: how large they may be together.
    """
    files = []
    for file in folder.glob("*.ipynb"):
        with contextlib.suppress(OSError):
            stat = file.stat()
            files.append((stat.st_mtime_ns, stat.st_size, file))
    size = 0
    for index, (_, bytes_, file) in enumerate(sorted(files, reverse=True)):
        size += bytes_
        if index + 1 >= most or size > most_bytes:
            file.unlink(missing_ok=True)
