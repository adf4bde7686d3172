"""The hosts of one Workflow: those that serve, and the spare that takes over on a save or a crash."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import msgspec

from coflows_jupyter.build.model import Build
from coflows_jupyter.database.location import Location
from coflows_jupyter.errors import BuildError, HostError, NotReadyError
from coflows_jupyter.host.calls import OnOutput, OnProgress, ignore_progress
from coflows_jupyter.host.early import EarlyHost
from coflows_jupyter.host.process import ProcessHost
from coflows_jupyter.host.protocol import Call, Loaded, Result
from coflows_jupyter.host.secrets import TellSecret, no_secret

DRAIN_SECONDS = 30.0
WAIT_SECONDS = 10.0
LONGEST_PAUSE = 30.0

log = logging.getLogger(__name__)


class HostStatus(msgspec.Struct, frozen=True):
    """One host as the sidebar and the REST API show it."""

    name: str
    pid: int
    state: str
    in_flight: int


class Prepared:
    """A Build that was loaded beside what serves: it takes over, or leaves no trace.

    Args:
        loaded: the outcome of loading it.
        commit: lets it serve in place of what did.
        discard: ends what it was loaded into.
    """

    def __init__(self, loaded: Loaded, commit: Callable[[], None], discard: Callable[[], None]) -> None:
        self.loaded = loaded
        self.commit = commit
        self.discard = discard


class Pool(Protocol):
    """What the engine asks of its hosts, whatever their mode.

    Attributes:
        crashes: hosts that ended by themselves, ever.
        waiting: calls for which no host serves yet.
    """

    crashes: int
    waiting: int

    async def swap(self, build: Build) -> Loaded:
        """Load ``build`` beside what serves now and let it take over; an incomplete one only if nothing serves."""

    async def prepare(self, build: Build) -> Prepared:
        """Load ``build`` beside what serves now."""

    async def restart(self) -> None:
        """Let new hosts with the same Build take over."""

    async def call(self, call: Call) -> Result:
        """Run a call on one of the hosts; see ``Host.call``."""

    async def cancel(self, run_id: str) -> None:
        """Ask a running call to stop."""

    def statuses(self) -> list[HostStatus]:
        """Describe every host."""

    async def close(self, drain: float) -> None:
        """End all hosts; see ``Host.close``."""


class ProcessPool:
    """Hosts in processes of their own.

    Args:
        workers: how many hosts serve, 1 or more.
        spare: whether an empty host stands by, warm with the modules that the last Build imported.
        on_output: told run ID, stream and text of what runs print.
        on_change: told when the state of a host changes.
        on_progress: told run ID, done, total and text of how far runs are.
        early: a host that was started before the pool, and loads the first Build.
        database: where M sets are; ``None`` when there is no database for them.
        secrets: tells the text of a secret by its name.
    """

    def __init__(
        self,
        workers: int,
        *,
        spare: bool,
        on_output: OnOutput,
        on_change: Callable[[], None],
        on_progress: OnProgress = ignore_progress,
        early: EarlyHost | None = None,
        database: Location | None = None,
        secrets: TellSecret = no_secret,
    ) -> None:
        self._early = early
        self._secrets = secrets
        self._database = database
        self.crashes = 0
        self.waiting = 0
        self._workers = workers
        self._wants_spare = spare
        self._on_output = on_output
        self._on_progress = on_progress
        self._on_change = on_change
        self._serving: list[ProcessHost] = []
        self._leaving: list[ProcessHost] = []
        self._spare: asyncio.Task[ProcessHost] | None = None
        self._build: Build | None = None
        self._modules: tuple[str, ...] = ()
        self._available = asyncio.Event()
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._number = 0
        self._closed = False

    async def swap(self, build: Build) -> Loaded:
        """See ``Pool.swap``.

        Raises:
            CrashedError: the host ended while it loaded the Build.
        """
        async with self._lock:
            prepared = await self._prepare(build)
            if prepared.loaded.complete or not self._serving:
                prepared.commit()
            else:
                prepared.discard()
            return prepared.loaded

    async def prepare(self, build: Build) -> Prepared:
        """See ``Pool.prepare``.

        Raises:
            CrashedError: the host ended while it loaded the Build.
        """
        async with self._lock:
            return await self._prepare(build)

    async def restart(self) -> None:
        """See ``Pool.restart``.

        Raises:
            BuildError: what served can't be loaded any more; the hosts of before go on.
        """
        async with self._lock:
            if self._build is None:
                return
            prepared = await self._prepare(self._build)
            if not prepared.loaded.complete:
                prepared.discard()
                raise BuildError("the Workflow does not load any more", prepared.loaded.diagnostics)
            prepared.commit()

    async def _prepare(self, build: Build) -> Prepared:
        hosts = [await self._take(build)]
        try:
            loaded = await hosts[0].load(build)
            if loaded.complete or not self._serving:
                hosts += await asyncio.gather(*(self._loaded(build) for _ in range(self._workers - 1)))
        except BaseException:
            self._discard(hosts)
            raise
        return Prepared(loaded, lambda: self._commit(build, hosts), lambda: self._discard(hosts))

    def _commit(self, build: Build, hosts: list[ProcessHost]) -> None:
        old, self._serving = self._serving, [host for host in hosts if host.state == "serving"]
        self._build, self._modules = build, hosts[0].modules
        if self._serving:
            self._available.set()
        else:
            self._available.clear()
        for _ in range(len(hosts) - len(self._serving)):
            # It ended while it waited to take over.
            self._do(self._replace())
        for host in old:
            self._leave(host, max(DRAIN_SECONDS, host.calls.patience))
        self._prepare_spare()
        self._on_change()

    def _discard(self, hosts: list[ProcessHost]) -> None:
        for host in hosts:
            self._leave(host, 0)
        self._prepare_spare()

    async def call(self, call: Call) -> Result:
        """See ``Pool.call``; while a host is being replaced the call waits for the new one."""
        if not self._serving:
            self.waiting += 1
            try:
                await asyncio.wait_for(self._available.wait(), WAIT_SECONDS)
            except TimeoutError:
                raise NotReadyError("no host serves the Workflow now; try again in a moment") from None
            finally:
                self.waiting -= 1
        return await min(self._serving, key=lambda host: len(host.calls)).call(call)

    async def cancel(self, run_id: str) -> None:
        """See ``Pool.cancel``."""
        for host in [*self._serving, *self._leaving]:
            host.calls.cancel(run_id)

    def statuses(self) -> list[HostStatus]:
        """See ``Pool.statuses``."""
        hosts = [*self._serving, *self._leaving]
        if self._spare is not None and self._spare.done() and not self._spare.cancelled():
            hosts += [self._spare.result()] if self._spare.exception() is None else []
        return [HostStatus(host.name, host.pid, host.state, len(host.calls)) for host in hosts]

    async def close(self, drain: float) -> None:
        """See ``Pool.close``."""
        self._closed = True
        if self._early is not None:
            self._early.close()
        for task in self._tasks:
            task.cancel()
        hosts = [*self._serving, *self._leaving]
        if self._spare is not None:
            self._spare.cancel()
            (spare,) = await asyncio.gather(self._spare, return_exceptions=True)
            hosts += [spare] if isinstance(spare, ProcessHost) else []
        self._serving, self._leaving = [], []
        await asyncio.gather(*(host.close(drain) for host in hosts))

    # -- hosts -----------------------------------------------------------------------------------------------------

    async def _start(self, early: EarlyHost | None = None) -> ProcessHost:
        self._number += 1
        name = f"query-{self._number}"
        host = ProcessHost(name, self._on_output, self._host_ended, self._on_progress, self._database, self._secrets)
        try:
            await host.start(early)
        except BaseException:
            host.kill()
            raise
        return host

    async def _start_spare(self) -> ProcessHost:
        host = await self._start()
        try:
            await host.warm(self._modules, self._build)
        except BaseException:
            host.kill()
            raise
        self._on_change()
        return host

    def _prepare_spare(self) -> None:
        if self._wants_spare and self._spare is None and not self._closed:
            self._spare = asyncio.get_running_loop().create_task(self._start_spare())
            self._spare.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def _take(self, build: Build) -> ProcessHost:
        """Return an empty host: the spare, unless it is gone or was warmed for other dependencies."""
        early, self._early = self._early, None
        if early is not None:
            if early.build == build:
                return await self._start(early)
            early.close()
        spare, self._spare = self._spare, None
        if spare is not None:
            try:
                host = await spare
            except HostError:
                log.warning("the spare host ended before it was needed")
            else:
                if host.state == "spare" and (self._build is None or self._build.paths == build.paths):
                    return host
                self._leave(host, 0)
        return await self._start()

    async def _loaded(self, build: Build) -> ProcessHost:
        host = await self._start()
        await host.load(build)
        return host

    def _leave(self, host: ProcessHost, drain: float) -> None:
        """Let ``host`` finish what it has and end, without waiting for it."""

        async def leave() -> None:
            await host.close(drain)
            self._leaving.remove(host)
            self._on_change()

        self._leaving.append(host)
        self._do(leave())

    def _host_ended(self, host: ProcessHost) -> None:
        """A host ended by itself, or is stuck and must be replaced."""
        if host not in self._serving:
            return
        self.crashes += 1
        self._serving.remove(host)
        if not self._serving:
            self._available.clear()
        if host.state == "draining":
            self._leaving.append(host)
        self._on_change()
        self._do(self._replace())

    async def _replace(self) -> None:
        pause = 0.0
        while not self._closed:
            async with self._lock:
                if self._build is None or len(self._serving) >= self._workers:
                    return
                try:
                    host = await self._take(self._build)
                    await host.load(self._build)
                except HostError as error:
                    log.error("a host could not be replaced: %s", error)  # noqa: TRY400  (the sentence says it all)
                else:
                    self._serving.append(host)
                    self._available.set()
                    self._leaving = [h for h in self._leaving if h.state != "ended"]
                    self._prepare_spare()
                    self._on_change()
                    return
            pause = min(2 * pause + 0.5, LONGEST_PAUSE)
            await asyncio.sleep(pause)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
