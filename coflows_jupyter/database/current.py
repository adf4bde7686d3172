"""Tells whether a SQLite file's schema is up to date, without the libraries that would bring it there."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

VERSION_TABLE = "coflows_schema"
"""Its name is our own: the file may be one that the original's tables are in."""


def is_current(file: Path) -> bool:
    """Whether ``file`` has the newest schema that this program knows."""
    if not file.exists():
        return False
    with contextlib.closing(sqlite3.connect(file)) as connection, contextlib.suppress(sqlite3.Error):
        (version,) = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()  # noqa: S608 - a name of ours
        return bool(version == newest())
    return False


def newest() -> str:
    """Return the newest schema that this program knows."""
    versions = Path(__file__).parent / "migrations" / "versions"
    return max(file.stem for file in versions.glob("r[0-9]*.py")).partition("_")[0].removeprefix("r")
