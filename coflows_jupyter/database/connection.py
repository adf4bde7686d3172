"""A database and the thread that works with it.

SQLAlchemy and alembic take most of a second to import, so that happens on this thread too, at the first piece of work.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from coflows_jupyter.config import Config
from coflows_jupyter.database import mssql, postgres, sqlite
from coflows_jupyter.database.location import Location, locate
from coflows_jupyter.errors import CoflowsError, ConfigError, DatabaseError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.exc import DBAPIError

T = TypeVar("T")

PATIENCE_SECONDS = 15.0
"""How long a piece of work is tried while its database is busy or restarts."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 1.0


_LOADING = threading.Lock()


def load_libraries() -> None:
    """Import SQLAlchemy and alembic, on whatever thread, one thread after the other.

    Their modules import each other. Of two threads that begin with different ones each would come to wait for the
    other, which Python resolves by giving one of them half a module.
    """
    with _LOADING:
        import coflows_jupyter.database.migrate  # noqa: F401


class Backend(Protocol):
    """What differs between kinds of databases; each is a module."""

    NAME: str

    def make_engine(self, location: Location) -> Engine: ...  # noqa: D102

    def begin_migration(self, connection: Connection) -> None: ...  # noqa: D102

    def passes(self, error: DBAPIError) -> bool: ...  # noqa: D102


_BACKENDS: dict[str, ModuleType] = {"sqlite": sqlite, "postgres": postgres, "mssql": mssql}


class Database:
    """One database; its schema is brought up to date before the first piece of work.

    Work is a function of a connection inside a transaction, which commits when it returns and rolls back when it
    raises. When the connection is lost or the transaction is a deadlock's victim, the work is called again: whatever it
    does outside of the database has to bear that. A commit whose answer got lost is not tried again.

    Args:
        where: the database, or a SQLite file; a file and its folder are made when they are missing.
        wait: seconds to go on trying while the database is busy or does not answer.
        migrate: bring the schema up to date; without it, it is taken as it is.
    """

    def __init__(self, where: Location | Path, *, wait: float = PATIENCE_SECONDS, migrate: bool = True) -> None:
        self.location = Location.at(where) if isinstance(where, Path) else where
        self._backend = cast("Backend", _BACKENDS[self.location.type])
        self._wait = wait
        self._migrate = migrate
        self._thread = ThreadPoolExecutor(1, "coflows-database")
        self._opening = threading.Lock()
        # Threads of one process queue here; only processes have to find out by trying.
        self._writing = threading.Lock()
        self._closing = threading.Event()
        self._engine: Engine | None = None
        self._failure: CoflowsError | None = None
        self._away = False

    def submit(self, work: Callable[[Connection], T], *, readonly: bool = False) -> Future[T]:
        """Do ``work`` in a transaction of its own, on the database's thread and in the order of submission.

        Args:
            work: what to do.
            readonly: it only reads, so on SQLite it waits for nobody.

        The future raises ``ConfigError`` when the database can't be used, and ``DatabaseError`` when it did not answer.
        """
        return self._thread.submit(self.run, work, readonly=readonly)

    def run(self, work: Callable[[Connection], T], *, readonly: bool = False) -> T:
        """Do ``work`` as ``submit`` does, but on the caller's thread and at once; never on an event loop's.

        Raises:
            ConfigError: the database can't be used.
            DatabaseError: it did not answer.
        """
        load_libraries()
        from sqlalchemy.exc import DBAPIError
        from sqlalchemy.exc import TimeoutError as PoolTimeout

        if self._away and self._closing.is_set():
            # Who ends waits for it once and not for everything that is left.
            raise DatabaseError(f"the database {self.location} did not answer before the end")
        deadline = time.monotonic() + self._wait
        pause = _FIRST_PAUSE
        while True:
            done: list[T] = []
            try:
                self._attempt(work, done, readonly=readonly)
            except (DBAPIError, PoolTimeout) as error:
                again = not isinstance(error, DBAPIError) or self._backend.passes(error)
                lost = bool(done) and getattr(error, "connection_invalidated", False)
                if not again or lost:
                    self._explain(error)
                    raise
                if self._away or self._closing.is_set() or time.monotonic() > deadline:
                    self._away = True
                    raise self._silence(error) from None
            else:
                self._away = False
                return done[0]
            self._closing.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311 - so that processes do not march in step
            pause = min(2 * pause, _LONGEST_PAUSE)

    @contextmanager
    def reader(self) -> Iterator[Connection]:
        """Give a connection that reads, for as long as it takes, what is too much to be read again or kept in memory.

        Raises:
            ConfigError: the database can't be used.
            DatabaseError: it did not answer.
        """
        self.run(lambda _: None, readonly=True)
        with self._opened().connect() as connection:
            yield connection.execution_options(**{sqlite.READONLY: True}, stream_results=True)

    def close(self) -> None:
        """Finish what was submitted and let go of the database; what is busy or away is not waited for any more."""
        self._closing.set()
        self._thread.shutdown()
        if self._engine is not None:
            self._engine.dispose()

    # ------------------------------------------------------------------------------------------------------------------

    def _attempt(self, work: Callable[[Connection], T], done: list[T], *, readonly: bool) -> None:
        """Do ``work`` once and put what it returns into ``done`` before the commit."""
        engine = self._opened()
        alone = self.location.type == "sqlite" and not readonly
        if alone:
            self._writing.acquire()
        try:
            with engine.connect() as connection:
                connection.execution_options(**{sqlite.READONLY: readonly})
                with connection.begin():
                    done.append(work(connection))
        finally:
            if alone:
                self._writing.release()

    def _opened(self) -> Engine:
        if self._engine is not None:
            return self._engine
        with self._opening:
            if self._failure is not None:
                raise self._failure
            if self._engine is None:
                try:
                    self._engine = self._open()
                except CoflowsError as error:
                    self._failure = error
                    raise
            return self._engine

    def _open(self) -> Engine:
        from sqlalchemy.exc import DBAPIError

        from coflows_jupyter.database.migrate import migrate

        engine = None
        try:
            engine = self._backend.make_engine(self.location)
            with engine.connect() as connection, connection.begin():
                if self._migrate:
                    migrate(connection, str(self.location), self._backend.begin_migration)
        except (OSError, DBAPIError) as error:
            if engine is not None:
                engine.dispose()
            if isinstance(error, DBAPIError) and self._backend.passes(error):
                raise
            raise self._refusal(error) from None
        except BaseException:
            if engine is not None:
                engine.dispose()
            raise
        return engine

    def _refusal(self, error: Exception) -> ConfigError:
        message = f"the database {self.location} can't be used: {_reason(error)}"
        what = "names the file" if self.location.file else "says where it is and who we are"
        return ConfigError(message, hint=f"Database.Connection {what}")

    def _silence(self, error: Exception) -> DatabaseError:
        if self.location.file:
            message = f"another process keeps the database {self.location} busy: {_reason(error)}"
            return DatabaseError(message, hint="look who has it open: coflows db status")
        message = f"the database {self.location} does not answer: {_reason(error)}"
        return DatabaseError(message, hint="start it; calls go on as soon as it answers")

    def _explain(self, error: Exception) -> None:
        """Raise what is behind an error when a newer program changed the schema under us."""
        from sqlalchemy.exc import OperationalError, ProgrammingError

        from coflows_jupyter.database.migrate import refuse_newer

        if self._engine is None or not isinstance(error, (OperationalError, ProgrammingError)):
            return
        try:
            with self._engine.connect().execution_options(**{sqlite.READONLY: True}) as connection:
                refuse_newer(connection, str(self.location))
        except ConfigError as refusal:
            raise refusal from error
        except Exception:  # noqa: BLE001 - the first error says more than one about asking why
            return


def _reason(error: Exception) -> str:
    reason = getattr(error, "orig", None) or error
    return " ".join(str(reason).split())


def open_database(config: Config) -> Database | None:
    """Return the database of a configuration, ``None`` where that can't be read."""
    try:
        return Database(locate(config))
    except ConfigError:
        return None
