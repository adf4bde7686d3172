"""The people of a server: a snapshot in memory that follows the database."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from coflows_jupyter.access import tokens
from coflows_jupyter.access.permissions import Caller, Door
from coflows_jupyter.access.records import now
from coflows_jupyter.access.snapshot import Snapshot, read
from coflows_jupyter.config import Config
from coflows_jupyter.database.connection import Database
from coflows_jupyter.database.location import locate
from coflows_jupyter.errors import CoflowsError, ConfigError, NotReadyError

if TYPE_CHECKING:
    from sqlalchemy import Connection

T = TypeVar("T")

POLL_SECONDS = 0.4
# Who can't see revocations for so long lets nobody in.
STALE_SECONDS = 30.0
_NOTE_SECONDS = 60.0

log = logging.getLogger(__name__)


class Directory:
    """Knows who holds which key and what they may; changes made anywhere are seen within half a second.

    Args:
        database: where people are kept; ``None`` knows nobody.
        problem: why there is none.

    Attributes:
        snapshot: what was read last.
    """

    def __init__(self, database: Database | None = None, problem: CoflowsError | None = None) -> None:
        self.snapshot = Snapshot()
        self._database = database
        self._problem = problem
        self._seen = float("-inf")
        self._used: dict[str, str] = {}
        self._noted = time.monotonic()
        self._task: asyncio.Task[None] | None = None
        self._listeners: list[Callable[[], None]] = []

    # -- following the database ----------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Read for the first time and begin to follow; what keeps the database from being used is logged."""
        if self._database is None:
            return
        try:
            await self.refresh()
        except CoflowsError as error:
            log.warning("people can't be let in: %s", error)
            if isinstance(error, ConfigError):
                self._problem, self._database = error, None
                return
        self._task = asyncio.get_running_loop().create_task(self._follow())

    async def close(self) -> None:
        """Stop following and let go of the database."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._database is not None:
            await asyncio.to_thread(self._database.close)

    def listen(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` on the event loop whenever somebody's permissions may have changed or ended."""
        self._listeners.append(listener)

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                await self.refresh()
            except Exception as error:  # noqa: BLE001 - whatever the database has, the next attempt may go well
                log.warning("the database of people does not answer: %s", error)

    async def refresh(self) -> None:
        """See what was changed by anybody."""
        snapshot = self.snapshot
        if self._used and time.monotonic() - self._noted > _NOTE_SECONDS:
            await self._note()

        def look(connection: Connection) -> Snapshot:
            from coflows_jupyter.access.journal import read_version

            return read(connection) if read_version(connection) != snapshot.version else snapshot

        self._take(await self._submit(look, readonly=True))

    async def _note(self) -> None:
        """Keep which keys were used."""
        from coflows_jupyter.access.userkeys import note_use

        used, self._used, self._noted = self._used, {}, time.monotonic()
        await self._submit(lambda connection: note_use(connection, used))

    def _take(self, snapshot: Snapshot) -> None:
        self._seen = time.monotonic()
        if snapshot.version > self.snapshot.version:
            self.snapshot = snapshot
        # Also when nothing was changed: what has an end ends by itself.
        for listener in self._listeners:
            listener()

    # -- changing it ---------------------------------------------------------------------------------------------------

    async def do(self, work: Callable[[Connection], T]) -> T:
        """Do ``work`` in a transaction and see what it changed.

        Raises:
            CoflowsError: what ``work`` raises, or why there is no database.
        """

        def both(connection: Connection) -> tuple[T, Snapshot]:
            return work(connection), read(connection)

        result, snapshot = await self._submit(both)
        self._take(snapshot)
        return result

    async def ask(self, work: Callable[[Connection], T]) -> T:
        """Do ``work`` that changes nobody's permissions."""
        return await self._submit(work)

    async def _submit(self, work: Callable[[Connection], T], *, readonly: bool = False) -> T:
        if self._database is None:
            raise self._problem or NotReadyError("the Workflow is being opened")
        return await asyncio.wrap_future(self._database.submit(work, readonly=readonly))

    # -- who is it -----------------------------------------------------------------------------------------------------

    def find(self, candidate: str, door: Door) -> Caller | None:
        """Return who presents a key, ``None`` when nobody does.

        Raises:
            NotReadyError: it has the form of a key, and it is not known whether it is one.
        """
        if not candidate.startswith(tokens.PREFIX):
            return None
        self._check()
        found = self.snapshot.by_key(candidate, door)
        if found is not None and found.key not in self._used:
            self._used[found.key] = now()
        return found

    def person(self, user: str, sessions: int, door: Door) -> Caller | None:
        """Return a person who logged in, ``None`` when that log-in is over.

        Args:
            user: ID of the account.
            sessions: the account's number of that name when they logged in.
            door: where they come in.
        """
        account = self.snapshot.account(user)
        if account is None or account.sessions != sessions or self._stale():
            return None
        return self.snapshot.caller(account.id, "session", door)

    def current(self, caller: Caller) -> Caller | None:
        """Return who a caller is now: ``None`` when their key or session is over."""
        if caller.source == "session":
            return self.person(caller.id, int(caller.key), caller.door)
        key = self.snapshot.keys.get(caller.key)
        if key is None or key.expires <= time.time():
            return None
        return self.snapshot.caller(key.user, caller.source, caller.door, key)

    def holds(self, candidate: str) -> bool:
        """Whether ``candidate`` has the form of a key, so must not be passed on."""
        return tokens.split(candidate) is not None

    def _stale(self) -> bool:
        return time.monotonic() - self._seen > STALE_SECONDS

    def _check(self) -> None:
        if self._database is not None and self._stale():
            known = self._seen > float("-inf")
            why = "the database does not answer" if known else "the server has not read the database yet"
            raise NotReadyError(f"it can't be seen whether this key is valid: {why}")


def open_directory(config: Config) -> Directory:
    """Make the directory of the database that a configuration names."""
    try:
        return Directory(Database(locate(config)))
    except ConfigError as error:
        return Directory(problem=error)
