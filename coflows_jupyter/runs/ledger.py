"""The ledger: a row per run, written in groups and off the way of calls."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING

from coflows_jupyter.config import History
from coflows_jupyter.database.connection import Database
from coflows_jupyter.errors import CoflowsError
from coflows_jupyter.processes import identify
from coflows_jupyter.runs import store
from coflows_jupyter.runs.live import Run
from coflows_jupyter.runs.model import Filter, RunModel

if TYPE_CHECKING:
    from sqlalchemy import Connection

FLUSH_SECONDS = 0.25
BATCH = 500
MOST_WAITING = 20_000
PRUNE_SECONDS = 10.0

Row = tuple[object, ...]

log = logging.getLogger(__name__)


class Ledger:
    """Writes what ended into the database, and reads it again.

    Runs are handed over on the event loop, which never waits: they gather for ``FLUSH_SECONDS`` or until there are
    ``BATCH`` of them, and one thread writes group after group.

    Args:
        database: where to.
        history: which runs get a row, and for how long.

    Attributes:
        dropped: how many runs got no row because the database did not keep up or failed.
    """

    def __init__(self, database: Database, history: History) -> None:
        self.dropped = 0
        self._database = database
        self._history = history
        self._waiting: list[Run | Row] = []
        self._owner = identify(os.getpid())
        self._timer: asyncio.TimerHandle | None = None
        self._writing: Future[None] | None = None
        self._open = False
        self._pruned = time.monotonic()
        self._failure = ""

    def open(self) -> None:
        """Begin to write; until then runs wait, so that a server's start has the machine for itself."""
        self._open = True
        self._loop = asyncio.get_running_loop()
        self._database.submit(store.bury)
        self._submit()

    def note(self, run: Run) -> None:
        """Take a run that goes on: should this process end before it does, its row stays."""
        run.noted = True
        self._take(run.row(self._owner))

    def add(self, run: Run) -> None:
        """Take a run that ended; it waits for nothing."""
        if self._history.keep == "errors" and run.outcome == "succeeded" and not run.noted:
            return
        self._take(run)

    def _take(self, entry: Run | Row) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self.dropped += 1
            return
        self._waiting.append(entry)
        if not self._open:
            return
        if len(self._waiting) >= BATCH:
            self._flush()
        elif self._timer is None:
            self._timer = self._loop.call_later(FLUSH_SECONDS, self._flush)

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._writing is None:
            self._submit()

    def _submit(self) -> None:
        runs, self._waiting = self._waiting, []
        prune = time.monotonic() - self._pruned > PRUNE_SECONDS
        if prune:
            self._pruned = time.monotonic()
        self._writing = self._database.submit(lambda connection: self._write(connection, runs, prune=prune))
        size = len(runs)
        self._writing.add_done_callback(lambda future: self._loop.call_soon_threadsafe(self._written, future, size))

    def _write(self, connection: Connection, entries: list[Run | Row], *, prune: bool) -> None:
        rows = [entry.row() if isinstance(entry, Run) else entry for entry in entries]
        if rows:
            store.insert(connection, rows)
        if self._history.keep == "errors":
            ended = [entry for entry in entries if isinstance(entry, Run) and entry.outcome == "succeeded"]
            store.delete(connection, [run.call.run_id for run in ended])
        if prune:
            store.prune(connection, self._history)

    def _written(self, future: Future[None], size: int) -> None:
        self._writing = None
        error = future.exception()
        if error is not None:
            self.dropped += size
            failure = error.message if isinstance(error, CoflowsError) else str(error).partition("\n")[0]
            if failure != self._failure:
                log.warning("runs are not recorded: %s", failure)
            self._failure = failure
        else:
            self._failure = ""
        if self._waiting and self._open:
            self._flush()

    # -- reading -------------------------------------------------------------------------------------------------------

    def _all_written(self) -> None:
        # One thread does everything in order, so what is submitted before a read is seen by it.
        if self._waiting and self._open:
            self._submit()

    async def list(self, wanted: Filter) -> list[RunModel]:
        """Return runs that ended, the latest first."""
        self._all_written()
        return await asyncio.wrap_future(self._database.submit(lambda c: store.select(c, wanted), readonly=True))

    async def find(self, run_id: str) -> tuple[RunModel, str] | None:
        """Return a run that ended, and its log."""
        self._all_written()
        return await asyncio.wrap_future(self._database.submit(lambda c: store.find(c, run_id), readonly=True))

    async def arguments(self, run_id: str) -> tuple[str, str | None] | None:
        """Return form and text of the arguments of a run that ended."""
        self._all_written()
        return await asyncio.wrap_future(self._database.submit(lambda c: store.arguments(c, run_id), readonly=True))

    async def close(self) -> None:
        """Write what waits, then let go of the database."""
        if self._timer is not None:
            self._timer.cancel()
        self._all_written()
        self._open = False
        await asyncio.to_thread(self._database.close)
