"""A SQLite file and the thread that works with it.

SQLAlchemy and alembic take most of a second to import, so that happens on this thread too, at the first piece of work.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from coflows_jupyter.errors import CoflowsError, ConfigError

if TYPE_CHECKING:
    import sqlite3

    from sqlalchemy import Connection, Engine

T = TypeVar("T")

BUSY_SECONDS = 3.0

_INCREMENTAL = 2


class Database:
    """One SQLite file; its schema is brought up to date before the first piece of work.

    Args:
        file: the file; it and its folder are made when they are missing.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._thread = ThreadPoolExecutor(1, "coflows-database")
        self._engine: Engine | None = None
        self._failure: CoflowsError | None = None

    def submit(self, work: Callable[[Connection], T]) -> Future[T]:
        """Do ``work`` in a transaction of its own, on the database's thread and in the order of submission.

        The future raises ``ConfigError`` when the file can't be used.
        """
        return self._thread.submit(self._do, work)

    def close(self) -> None:
        """Finish what was submitted and let go of the file; may wait ``BUSY_SECONDS`` for other processes."""
        if self._engine is not None:
            self._thread.submit(self._engine.dispose)
        self._thread.shutdown()

    def _do(self, work: Callable[[Connection], T]) -> T:
        if self._failure is not None:
            raise self._failure
        if self._engine is None:
            try:
                self._engine = _open(self.file)
            except CoflowsError as error:
                self._failure = error
                raise
        with self._engine.begin() as connection:
            return work(connection)


def _open(file: Path) -> Engine:
    from sqlalchemy import create_engine, event
    from sqlalchemy.exc import DatabaseError
    from sqlalchemy.pool import StaticPool

    from coflows_jupyter.database.migrate import migrate

    engine = create_engine(
        f"sqlite:///{file}",
        poolclass=StaticPool,
        connect_args={"isolation_level": None, "timeout": BUSY_SECONDS, "check_same_thread": False},
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with engine.begin() as connection:
            migrate(connection, file)
    except (OSError, DatabaseError) as error:
        engine.dispose()
        reason = getattr(error, "orig", None) or error
        message = f"the database {file} can't be used: {reason}"
        raise ConfigError(message, hint="Database.Connection names the file") from None
    except CoflowsError:
        engine.dispose()
        raise
    return engine


def _configure(connection: sqlite3.Connection, _record: Any) -> None:
    (vacuum,) = connection.execute("PRAGMA auto_vacuum").fetchone()
    if vacuum != _INCREMENTAL:
        # It takes effect when the file is made, or made anew.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("VACUUM")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


def _begin(connection: Connection) -> None:
    # A transaction that begins by reading can't wait for another process when it comes to write.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
