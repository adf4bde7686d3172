"""A host inside this process: no protection and no reload, and nothing to start."""

from __future__ import annotations

import asyncio
import contextvars
import logging

from coflows_jupyter.build.model import Build
from coflows_jupyter.database.location import Location
from coflows_jupyter.errors import BuildError, NotReadyError
from coflows_jupyter.host.calls import CallTable, OnOutput, OnProgress, ignore_progress
from coflows_jupyter.host.frames import Ask, Body, Reply, Request
from coflows_jupyter.host.pool import HostStatus, Prepared
from coflows_jupyter.host.protocol import Call, Loaded, Result
from coflows_jupyter.host.secrets import Counter, TellSecret, no_secret
from coflows_jupyter.host.worker import Worker
from coflows_jupyter.mset.place import host_place

log = logging.getLogger(__name__)


class EmbeddedHost:
    """Runs calls on threads of this process.

    Args:
        on_output: told run ID, stream and text of what runs print.
        on_progress: told run ID, done, total and text of how far runs are.
        database: where M sets are; ``None`` when there is no database for them.
        secrets: tells the text of a secret by its name.
    """

    def __init__(
        self,
        on_output: OnOutput,
        on_progress: OnProgress = ignore_progress,
        database: Location | None = None,
        secrets: TellSecret = no_secret,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()
        self._worker = Worker(self._from_worker)
        self._counter = Counter(secrets, self._to_worker)
        self.calls = CallTable(self._to_worker, self._stuck, on_output, on_progress)
        self._place = host_place(database)
        self._closed = False

    async def load(self, build: Build) -> Loaded:
        """Load ``build`` on a thread."""
        return await asyncio.to_thread(self._worker.load, build, self._place)

    async def call(self, call: Call) -> Result:
        """Run a call; see ``Host.call``."""
        if self._closed:
            raise NotReadyError("the host is closing")
        return await self.calls.call(call)

    async def cancel(self, run_id: str) -> None:
        """Ask a running call to stop."""
        self.calls.cancel(run_id)

    async def close(self, drain: float) -> None:
        """Take no new calls, wait for those in flight, then give the Workflow's modules back."""
        self._closed = True
        await self.calls.drain(drain)
        self.calls.fail_all(NotReadyError("the host is closing"))
        await asyncio.to_thread(self._worker.close)
        await asyncio.to_thread(self._place.close)

    def _to_worker(self, frame: Request, body: Body) -> None:
        self._worker.receive(frame, bytes(body))

    def _from_worker(self, frame: Reply, body: Body) -> None:
        if not self._loop.is_closed():
            # A view is only valid while its piece is being sent, so what crosses to the loop is a copy.
            # Frames are sent inside a call's context, where printing and logging would belong to that call.
            self._loop.call_soon_threadsafe(self._receive, frame, bytes(body), context=self._context)

    def _receive(self, frame: Reply, body: bytes) -> None:
        if isinstance(frame, Ask):
            self._counter.ask(frame)
        else:
            self.calls.receive(frame, body)

    def _stuck(self, run_id: str) -> None:
        log.warning('run %s does not stop; in embedded mode nothing can end it (Host.Mode "process" can)', run_id)


class EmbeddedPool:
    """The one host inside this process; it keeps its first Build."""

    def __init__(
        self,
        on_output: OnOutput,
        on_progress: OnProgress = ignore_progress,
        database: Location | None = None,
        secrets: TellSecret = no_secret,
    ) -> None:
        self.crashes = 0
        self.waiting = 0
        self._host = EmbeddedHost(on_output, on_progress, database, secrets)
        self._loaded: Loaded | None = None

    async def swap(self, build: Build) -> Loaded:
        """See ``Pool.swap``.

        Raises:
            BuildError: another Build is loaded already.
        """
        if self._loaded is None:
            self._loaded = await self._host.load(build)
        elif self._loaded.catalog.build != build.id:
            raise _fixed("a changed Workflow")
        return self._loaded

    async def prepare(self, build: Build) -> Prepared:
        """See ``Pool.prepare``.

        Raises:
            BuildError: another Build is loaded already.
        """
        return Prepared(await self.swap(build), lambda: None, lambda: None)

    async def restart(self) -> None:
        """See ``Pool.restart``.

        Raises:
            BuildError: there is one host, and it is this process.
        """
        raise _fixed("this")

    async def call(self, call: Call) -> Result:
        """See ``Pool.call``."""
        return await self._host.call(call)

    async def cancel(self, run_id: str) -> None:
        """See ``Pool.cancel``."""
        await self._host.cancel(run_id)

    def statuses(self) -> list[HostStatus]:
        """See ``Pool.statuses``."""
        return [HostStatus("embedded", 0, "serving" if self._loaded else "starting", len(self._host.calls))]

    async def close(self, drain: float) -> None:
        """See ``Pool.close``."""
        await self._host.close(drain)


def _fixed(what: str) -> BuildError:
    return BuildError(f"in embedded mode {what} needs a restart of the server")
