"""Runs the Agents of one Workflow: looks at the database, starts what is this server's, notes how it ends."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Protocol, TypeVar

from coflows_jupyter.agents.clock import Clock, SystemClock
from coflows_jupyter.agents.model import AgentRun, Mode, new_run
from coflows_jupyter.database.connection import Database
from coflows_jupyter.errors import CancelledError, CoflowsError
from coflows_jupyter.runs.model import outcome_of
from coflows_jupyter.runtimes.agent import AgentEntry, Callback

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from coflows_jupyter.agents.state import Outcome, Step
    from coflows_jupyter.agents.store import AgentStore

T = TypeVar("T")

LEASE_SECONDS = 15.0
# Another server's changes are seen this soon.
POLL_SECONDS = 1.0
SLOTS = 32
# Clocks that went this much faster or slower than time itself were set.
SET_SECONDS = 2.0

log = logging.getLogger(__name__)


class Runner(Protocol):
    """Where runs happen."""

    def run(self, run: AgentRun) -> Awaitable[object]:
        """Run one attempt; a cancelled ``await`` stops it.

        Raises:
            CoflowsError: it failed, was stopped, or took too long.
        """


def new_owner() -> str:
    """Return a name for this server: readable, and unique among all that ever were."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


class _Going:
    """A run that goes on here, and why it is being stopped."""

    def __init__(self, run: AgentRun, task: asyncio.Future[object]) -> None:
        self.run = run
        self.task = task
        self.reason = ""


class Scheduler:
    """The Agents of one Workflow on this server.

    Args:
        workflow: the Workflow's ID.
        database: where ticks and runs are kept, perhaps for several servers.
        runner: where runs happen.
        on_end: told of each run that is over or lost.
        clock: what time it is.
        owner: names this server among all.
        lease: seconds after which a silent server's runs are lost.
        slots: how many runs may go on here at a time.
    """

    def __init__(
        self,
        workflow: str,
        database: Database,
        runner: Runner,
        *,
        on_end: Callable[[AgentRun], None] = lambda _run: None,
        clock: Clock | None = None,
        owner: str = "",
        lease: float = LEASE_SECONDS,
        slots: int = SLOTS,
    ) -> None:
        self.owner = owner or new_owner()
        self._workflow = workflow
        self._database = database
        self._runner = runner
        self._on_end = on_end
        self._clock = clock or SystemClock()
        self._lease = lease
        self._slots = slots
        self._store: AgentStore | None = None
        self._awake = asyncio.Event()
        self._closing = asyncio.Event()
        self._done = asyncio.Event()
        self._going: dict[str, _Going] = {}
        self._ended: list[tuple[AgentRun, Outcome, str]] = []
        self._loops: list[asyncio.Task[None]] = []
        self._skew = 0
        self._pace = 0.0
        self._trusts = 0.0

    # -- life ----------------------------------------------------------------------------------------------------------

    async def open(self, entries: Mapping[str, AgentEntry]) -> None:
        """Take the Agents of a Build, now or in place of an earlier one, and run them.

        Raises:
            ScheduleError: a schedule can't be read; nothing has changed then.
            ConfigError: the database can't be used.
        """
        await self.transact(lambda store, connection, now: store.open(connection, entries, now))
        if not self._loops:
            self._loops = [asyncio.create_task(self._look()), asyncio.create_task(self._renew())]
        self._awake.set()

    async def close(self, drain: float) -> None:
        """Start nothing more, let runs finish for ``drain`` seconds, stop the others, and note how all ended."""
        self._closing.set()
        self._awake.set()
        if self._loops:
            await self._loops[0]
        tasks = [going.task for going in self._going.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=drain)
        for run_id in list(self._going):
            self.stop(run_id, "the server ended")
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._note()
        self._done.set()
        await asyncio.gather(*self._loops)
        self._loops = []

    async def transact(self, work: Callable[[AgentStore, Connection, int], T]) -> T:
        """Do ``work`` with the tables, a connection and the time, in a transaction off the loop."""
        return await asyncio.wrap_future(self.submit(work))

    def submit(self, work: Callable[[AgentStore, Connection, int], T]) -> Future[T]:
        """Do ``work`` as ``transact`` does, without waiting for it."""
        return self._database.submit(lambda connection: self._do(work, connection))

    def _do(self, work: Callable[[AgentStore, Connection, int], T], connection: Connection) -> T:
        # Imported here, on the database's thread, because SQLAlchemy takes long.
        from coflows_jupyter.agents.rows import database_time
        from coflows_jupyter.agents.store import AgentStore

        if self._store is None:
            self._store = AgentStore(self._workflow, self.owner, self._lease)
        now = database_time(connection, self._lease)
        if now is not None:
            self._skew = now - self._clock.now()
        return work(self._store, connection, self.now())

    async def send(self, agent_id: str, function: Callback, argument: str) -> tuple[AgentRun, object]:
        """Run one of an Agent's functions at once; return the run and its result.

        Args:
            agent_id: the Agent's ID.
            function: which function.
            argument: its arguments as a JSON array.

        Raises:
            CoflowsError: it failed; the run's row says so, too.
        """
        run = new_run(self._workflow, agent_id, "message", function, argument, self.now())
        begun = await self.transact(lambda store, connection, now: store.begin(connection, run, now))
        return begun, await self._start(begun)

    async def add(self, runs: list[AgentRun]) -> None:
        """Let runs wait for their turn."""
        await self.transact(lambda store, connection, _now: store.add(connection, runs))
        self._awake.set()

    async def backfill(self, entry: AgentEntry, start: int, end: int) -> list[AgentRun]:
        """Let every tick in ``start < tick <= end`` that has not run wait for its turn; return them."""
        found = await self.transact(lambda store, connection, now: store.backfill(connection, entry, start, end, now))
        self._awake.set()
        return found

    async def set_mode(self, agent_id: str, mode: Mode, why: str) -> None:
        """Start, pause or stop an Agent."""
        await self.transact(lambda store, connection, now: store.set_mode(connection, agent_id, mode, why, now))
        self._awake.set()

    def wake(self) -> None:
        """Look at the database now."""
        self._awake.set()

    def now(self) -> int:
        """Return the time that ticks go by, in microseconds."""
        return self._clock.now() + self._skew

    # -- what goes on --------------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        while not self._closing.is_set():
            self._awake.clear()
            seconds = POLL_SECONDS
            try:
                step = await self._turn()
                if step.next_at:
                    seconds = (step.next_at - self.now()) / 1_000_000
            except Exception as error:  # noqa: BLE001 - a database that is away comes back
                log.warning("agents wait: %s", error.message if isinstance(error, CoflowsError) else error)
            await self._clock.wait(self._awake, min(max(seconds, 0.0), POLL_SECONDS))

    async def _turn(self) -> Step:
        """Write how attempts ended, and take what is to be done; in one transaction, because there are many of them."""

        def work(store: AgentStore, connection: Connection, now: int) -> tuple[list[AgentRun | None], Step]:
            after = store.finish(connection, ended, now) if ended else []
            return after, store.step(connection, now, free, held, expire=self._trusts_leases(now))

        ended, self._ended = self._ended, []
        free = self._slots - len(self._going)
        held = {*self._going, *(run.run_id for run, _, _ in ended)}
        try:
            after, step = await self.transact(work)
        except BaseException:
            self._ended = ended + self._ended
            raise
        self._tell(ended, after)
        self._take(step)
        return step

    def _trusts_leases(self, now: int) -> bool:
        """Whether a lease that has passed says that its owner vanished.

        When clocks are set forward, or this machine slept, all leases pass at once: their owners get the time to
        prolong them.
        """
        steady = self._clock.steady()
        pace = now / 1_000_000 - steady
        if self._pace and abs(pace - self._pace) > SET_SECONDS:
            log.warning("clocks were set by %+.0f s", pace - self._pace)
            self._trusts = steady + self._lease
        self._pace = pace
        return steady >= self._trusts

    def _take(self, step: Step) -> None:
        for run in step.start:
            self._start(run)
        for run in step.stop:
            self.stop(run.run_id, run.stop)
        for run in step.lost:
            if run.state == "lost":
                self._on_end(run)

    def _start(self, run: AgentRun) -> asyncio.Future[object]:
        task = asyncio.ensure_future(self._runner.run(run))
        self._going[run.run_id] = _Going(run, task)
        task.add_done_callback(lambda task: self._over(run, task))
        return task

    def _over(self, run: AgentRun, task: asyncio.Future[object]) -> None:
        going = self._going.pop(run.run_id)
        if task.cancelled():
            self._ended.append((run, "cancelled", going.reason))
        elif (error := task.exception()) is not None:
            self._ended.append((run, *_outcome(error)))
        else:
            self._ended.append((run, "succeeded", ""))
        self._awake.set()

    def stop(self, run_id: str, reason: str) -> bool:
        """Stop a run that goes on here; say whether there is one."""
        going = self._going.get(run_id)
        if going is not None:
            going.reason = reason
            going.task.cancel()
        return going is not None

    async def _note(self) -> None:
        """Write how the last attempts ended."""
        ended, self._ended = self._ended, []
        if not ended:
            return
        self._tell(ended, await self.transact(lambda store, connection, now: store.finish(connection, ended, now)))

    def _tell(self, ended: list[tuple[AgentRun, Outcome, str]], after: list[AgentRun | None]) -> None:
        for run, (started, outcome, _) in zip(after, ended, strict=True):
            if run is None:
                log.warning("run %s %s, but it had been given up: the result is dropped", started.run_id, outcome)
            elif run.state != "due":
                self._on_end(run)

    async def _renew(self) -> None:
        """Prolong the leases of what goes on here; stop what is this server's no longer."""
        renewed = self._clock.steady()
        while not self._done.is_set():
            await self._clock.wait(self._done, self._lease / 3)
            runs = [going.run for going in self._going.values()]
            gone: set[str] = set()
            try:
                if runs:
                    gone = await self._prolong(runs)
                renewed = self._clock.steady()
            except Exception as error:  # noqa: BLE001 - as above
                log.warning("leases can't be prolonged: %s", error)
                if self._clock.steady() - renewed > self._lease:
                    gone = {run.run_id for run in runs}
            for run_id in gone & self._going.keys():
                log.warning("run %s is not this server's any longer, and is stopped", run_id)
                self.stop(run_id, "its lease could not be prolonged")

    async def _prolong(self, runs: list[AgentRun]) -> set[str]:
        return await self.transact(lambda store, connection, now: store.renew(connection, runs, now))


def _outcome(error: BaseException) -> tuple[Outcome, str]:
    kind, _, message = outcome_of(error)
    if isinstance(error, CancelledError):
        return "cancelled", message
    return ("timed_out" if kind == "timed_out" else "failed"), message
