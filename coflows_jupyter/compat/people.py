"""Whom code of the Workflow can ask about: who called it, and everybody whom its database knows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from coflows_jupyter.access.permissions import Caller
from coflows_jupyter.access.snapshot import Snapshot, read
from coflows_jupyter.errors import NotReadyError
from coflows_jupyter.mset.place import here
from coflows_jupyter.runtimes.context import current

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from coflows_jupyter.database.location import Location

FRESH_SECONDS = 0.4
"""How long what was read is taken for true, so that a revoked key is of no use a second later."""


class _People:
    """A snapshot of one database, read anew when somebody changed it."""

    def __init__(self, location: Location) -> None:
        # A host has no use for all that a database brings along until somebody asks.
        from coflows_jupyter.database.connection import Database

        self._database = Database(location)
        self._snapshot = Snapshot(version=-1)
        self._seen = float("-inf")
        self._lock = threading.Lock()

    def snapshot(self) -> Snapshot:
        with self._lock:
            if time.monotonic() - self._seen > FRESH_SECONDS:
                self._snapshot = self._database.run(self._look, readonly=True)
                self._seen = time.monotonic()
            return self._snapshot

    def _look(self, connection: Connection) -> Snapshot:
        from coflows_jupyter.access.journal import read_version

        return self._snapshot if read_version(connection) == self._snapshot.version else read(connection)

    def close(self) -> None:
        self._database.close()


_person: Callable[[], Caller] | None = None
_known: dict[Location, _People] = {}
_lock = threading.Lock()


def settle(who: Callable[[], Caller]) -> None:
    """Say who works in this process where no call says it: the person at a notebook."""
    global _person  # noqa: PLW0603 - one process, one person
    _person = who


def caller() -> Caller | None:
    """Return who called, ``None`` where nobody did, as while a host imports a file."""
    call = current()
    if call is not None:
        return call.caller
    return None if _person is None else _person()


def snapshot() -> Snapshot:
    """Return what the database says about everybody, at most a moment ago.

    Raises:
        NotReadyError: this code has no database: it runs in a notebook, or the Workflow has none.
    """
    location = here().database
    if location is None:
        raise NotReadyError("only Queries and Agents of a Workflow with a database can ask about people")
    with _lock:
        people = _known.get(location)
        if people is None:
            people = _known[location] = _People(location)
    return people.snapshot()


def forget() -> None:
    """Let go of all databases."""
    with _lock:
        known = list(_known.values())
        _known.clear()
    for people in known:
        people.close()
