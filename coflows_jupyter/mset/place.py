"""Whose M sets user code sees: those of the Workflow whose host this is, of a notebook's server, of a test."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from coflows_jupyter.access.permissions import AccessType
from coflows_jupyter.errors import ConfigError, NotReadyError
from coflows_jupyter.mset.model import Author
from coflows_jupyter.mset.rights import level_in_code
from coflows_jupyter.mset.store import MStore
from coflows_jupyter.runtimes.context import current

KEEP = timedelta(days=90)
"""How long changes are kept that were followed by others; the last one of an entry stays as long as the entry."""

if TYPE_CHECKING:
    from coflows_jupyter.config import Config
    from coflows_jupyter.database.location import Location
    from coflows_jupyter.mset.database import SetDatabase
    from coflows_jupyter.mset.m import M


class Place:
    """Sets, and what code here may do to them.

    Args:
        open_store: opens the store; called when the first set is used.
        level: what code here may do to a set.
        author: who changes sets here.
        kind: what ``M.Base`` makes.
        database: the Workflow's database; ``None`` where code has none at hand.
    """

    def __init__(
        self,
        open_store: Callable[[], MStore],
        level: Callable[[str], AccessType],
        author: Callable[[], Author],
        kind: type[M] | None = None,
        database: Location | None = None,
    ) -> None:
        self.database = database
        self.level = level
        self.author = author
        self._open = open_store
        self._kind = kind
        self._store: MStore | None = None
        self._sets: dict[str, M] = {}
        self._lock = threading.Lock()

    @property
    def store(self) -> MStore:
        """Where the sets are."""
        if self._store is None:
            with self._lock:
                return self._opened()
        return self._store

    def _opened(self) -> MStore:
        if self._store is None:
            self._store = self._open()
        return self._store

    def base(self, name: str) -> M:
        """Return a set: one object for each ID, so that its copy in memory is one."""
        found = self._sets.get(name)
        if found is None:
            from coflows_jupyter.mset.m import M

            found = self._sets.setdefault(name, (self._kind or M)(self, name))
        return found

    def close(self) -> None:
        """Let go of the store."""
        with self._lock:
            store, self._store = self._store, None
            self._sets.clear()
        if store is not None:
            store.close()


_default: Place | None = None
_entered: ContextVar[Place | None] = ContextVar("coflows_m", default=None)


def here() -> Place:
    """Return whose sets this code sees.

    Raises:
        NotReadyError: nobody said.
    """
    found = _entered.get() or _default
    if found is None:
        raise NotReadyError("M sets belong to a Workflow", hint="in a notebook: %load_ext coflows_jupyter")
    return found


def settle(place: Place) -> None:
    """Let all code of this process see the sets of ``place``."""
    global _default  # noqa: PLW0603 - one process, one Workflow
    _default = place


@contextmanager
def at(place: Place | None) -> Iterator[None]:
    """Let the code inside see the sets of ``place``."""
    token = _entered.set(place)
    try:
        yield
    finally:
        _entered.reset(token)


def enter(place: Place | None) -> None:
    """Let what follows in this context see the sets of ``place``."""
    _entered.set(place)


def prune(place: Place) -> None:
    """Delete what is older than ``KEEP`` from the log of the sets in a database; others look after theirs."""
    from coflows_jupyter.mset.sql import SqlMStore

    if place.database and isinstance(place.store, SqlMStore):
        place.store.prune(KEEP)


def database_of(config: Config) -> Location | None:
    """Return where the M sets of a configuration's Workflow are; ``None`` when its database can't be read."""
    from coflows_jupyter.database.location import locate

    try:
        return locate(config)
    except ConfigError:
        return None


def open_database(where: Location | Path) -> MStore:
    """Open the store of a Workflow's database, or of a SQLite file."""
    from coflows_jupyter.mset.sql import SqlMStore

    return SqlMStore(_sqlite(where) if isinstance(where, Path) else _set_database(where))


def _set_database(location: Location) -> SetDatabase:
    if location.type == "postgres":
        from coflows_jupyter.mset.postgres import PostgresSets

        return PostgresSets(location)
    if location.type == "mssql":
        from coflows_jupyter.mset.mssql import MssqlSets

        return MssqlSets(location)
    return _sqlite(Path(location.label))


def _sqlite(file: Path) -> SetDatabase:
    from coflows_jupyter.mset.sqlite import SqliteFile

    return SqliteFile(file, lambda: _prepare(file))


def _prepare(file: Path) -> None:
    """Bring the schema up to date, with the libraries that it takes only if it is not."""
    from coflows_jupyter.database.connection import Database
    from coflows_jupyter.database.current import is_current

    if not is_current(file):
        database = Database(file)
        try:
            database.submit(lambda _: None).result()
        finally:
            database.close()


def host_place(database: Location | None) -> Place:
    """Return the place of a Workflow's own code.

    Args:
        database: the Workflow's, ``None`` when there is none.
    """

    def open_store() -> MStore:
        if database is None:
            raise NotReadyError("this Workflow has no database that M sets could be in", hint="see Database.Connection")
        return open_database(database)

    def level(name: str) -> AccessType:
        call = current()
        return level_in_code(call.caller if call else None, name, guarded=place.store.guarded(name))

    place = Place(open_store, level, _author_of_call, database=database)
    return place


def _author_of_call() -> Author:
    call = current()
    if call is None:
        return Author()
    # An Agent's later attempts are runs of their own in the history.
    number = call.run_id.partition(".")[2] or "1"
    return Author(call.caller.id, call.run_id, int(number) if call.caller.door == "agent" else 0)
