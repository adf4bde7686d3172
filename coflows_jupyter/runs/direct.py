"""Rows of runs that no server makes, written without what a server needs to write many of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from coflows_jupyter.config import Config
from coflows_jupyter.database.location import Location, locate
from coflows_jupyter.errors import CoflowsError
from coflows_jupyter.runs import store
from coflows_jupyter.runs.live import Run
from coflows_jupyter.runs.table import SQLITE_UPSERT

BUSY_SECONDS = 1.0


def record(config: Config, runs: Sequence[Run]) -> None:
    """Write a row for each run that ended, where the configuration wants one.

    A file that is there is written to as it is, in a few milliseconds; where there is none, or one of an older version,
    or the history is on a server, that takes most of a second.

    Args:
        config: says where the history is, and what belongs into it.
        runs: what ended.

    Raises:
        CoflowsError: the history can't be written.
    """
    keep = config.runs.keep
    rows = [run.row() for run in runs if keep == "all" or (keep == "errors" and run.outcome != "succeeded")]
    if not rows:
        return
    location = locate(config)
    if location.file is None:
        _prepare_and_insert(location, rows)
        return
    try:
        _insert(location.file, rows)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise CoflowsError(f"the database {location} is busy") from None
        _prepare_and_insert(location, rows)


def _insert(file: Path, rows: Sequence[tuple[object, ...]]) -> None:
    connection = sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(SQLITE_UPSERT, store.sqlite_parameters(rows))
    finally:
        connection.close()


def _prepare_and_insert(location: Location, rows: Sequence[tuple[object, ...]]) -> None:
    from coflows_jupyter.database.connection import Database

    database = Database(location)
    try:
        database.run(lambda connection: store.insert(connection, rows))
    finally:
        database.close()
