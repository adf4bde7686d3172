"""SQLite: a file that the processes of one machine share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3

    from sqlalchemy import Connection, Engine
    from sqlalchemy.exc import DBAPIError

    from coflows_jupyter.database.location import Location

NAME = "SQLite"
BUSY_SECONDS = 3.0
"""How long one statement waits for other processes; ``Database`` tries again after that."""

READONLY = "coflows_readonly"
"""Execution option of a connection whose transactions only read."""

_INCREMENTAL = 2
_LOG_BYTES = 64 * 2**20


def make_engine(location: Location) -> Engine:
    """Make the engine and the file's folder; nothing connects yet.

    Raises:
        OSError: the folder can't be made.
    """
    from sqlalchemy import URL, create_engine, event

    assert location.file is not None
    location.file.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        # Fields, because in the text of a URL a path with ? or % would mean something else.
        URL.create("sqlite", database=str(location.file)),
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        hide_parameters=True,
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: sqlite3.Connection, _record: Any) -> None:
    # SQLAlchemy decides where transactions begin, not the driver.
    connection.isolation_level = None
    (vacuum,) = connection.execute("PRAGMA auto_vacuum").fetchone()
    if vacuum != _INCREMENTAL:
        # It takes effect when the file is made, or made anew.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("VACUUM")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    # A transaction that begins by reading can't wait for another process when it comes to write.
    readonly = connection.get_execution_options().get(READONLY, False)
    connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")


def begin_migration(connection: Connection) -> None:
    """Do nothing: BEGIN IMMEDIATE lets one program at a time change anything."""


def passes(error: DBAPIError) -> bool:
    """Say whether the same work may succeed a little later."""
    return getattr(error.orig, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
