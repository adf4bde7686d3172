"""How the store in the database talks to a database server: through ``Database``, which waits while it is away."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from coflows_jupyter.errors import ArgumentsError, FieldError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from coflows_jupyter.database.connection import Database
    from coflows_jupyter.database.location import Location
    from coflows_jupyter.mset.database import Run

T = TypeVar("T")


class ServerSets:
    """M sets in the database of a server; it is reached when it is needed.

    Whoever writes to a set holds the set's lock until the commit is there for all to see. Changes get their numbers
    under it, so who reads on after a number misses nothing.

    Args:
        location: the database.
    """

    PARAMETER: ClassVar[str]
    """How the driver writes a parameter."""

    def __init__(self, location: Location) -> None:
        self.location = location
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        """Connections must not be used on both sides of a fork."""
        self._lock = threading.Lock()
        self._opened: Database | None = None

    @property
    def _database(self) -> Database:
        with self._lock:
            if self._opened is None:
                from coflows_jupyter.database.connection import Database

                self._opened = Database(self.location)
            return self._opened

    def write(self, set_name: str, work: Callable[[Run], T]) -> T:
        """See ``SetDatabase.write``."""

        def locked(connection: Connection) -> T:
            run = self._run(connection)
            self.lock(run, set_name)
            result = work(run)
            self.notify(run)
            return result

        return self._database.run(locked)

    def read(self, work: Callable[[Run], T]) -> T:
        """See ``SetDatabase.read``."""
        return self._database.run(lambda connection: work(self._run(connection)), readonly=True)

    def snapshot(self, set_name: str, work: Callable[[Run], T]) -> T:
        """See ``SetDatabase.snapshot``."""

        def still(run: Run) -> T:
            self.hold(run, set_name)
            return work(run)

        return self.read(still)

    def version(self) -> int | None:
        """See ``SetDatabase.version``."""
        return None

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            database, self._opened = self._opened, None
        if database is not None:
            database.close()

    def _run(self, connection: Connection) -> Run:
        def run(statement: str, parameters: Sequence[Any] = ()) -> Rows:
            if any(isinstance(parameter, str) and "\0" in parameter for parameter in parameters):
                message = "a NUL character can't be in the ID of an M set or an entry"
                raise ArgumentsError(message, [FieldError("id", "contains NUL")])
            result = connection.exec_driver_sql(statement.replace("?", self.PARAMETER), tuple(parameters))
            # At once: SQL Server takes no other statement while there are rows to fetch.
            return Rows(list(result) if result.returns_rows else [], result.rowcount)

        return run

    # -- what differs --------------------------------------------------------------------------------------------------

    def lock(self, run: Run, set_name: str) -> None:
        """Keep others from writing to a set until the transaction ends."""
        raise NotImplementedError

    def hold(self, run: Run, set_name: str) -> None:
        """See to it that the transaction, which has read nothing yet, sees one state of the set."""
        raise NotImplementedError

    def notify(self, run: Run) -> None:
        """Tell other processes, when the transaction commits, that there is something to read."""


class Rows:
    """All rows that a statement gave; see ``database.Cursor``.

    Args:
        rows: the rows.
        rowcount: how many a statement changed.
    """

    def __init__(self, rows: list[Any], rowcount: int) -> None:
        self._rows = rows
        self._next = iter(rows)
        self.rowcount = rowcount

    def fetchone(self) -> Any:
        """Return the next row, ``None`` after the last."""
        return next(self._next, None)

    def fetchall(self) -> list[Any]:
        """Return all rows."""
        return self._rows


def lock_key(set_name: str) -> bytes:
    """Return the 8 bytes by which servers know the lock of a set."""
    return blake2b(set_name.encode(), digest_size=8, person=b"coflows m").digest()
