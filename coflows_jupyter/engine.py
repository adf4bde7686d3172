"""One Workflow opened."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

from coflows_jupyter.access.secrets import open_secrets
from coflows_jupyter.agents.service import Agents
from coflows_jupyter.build.assemble import assemble
from coflows_jupyter.build.model import Build, part
from coflows_jupyter.build.prepare import Preparer
from coflows_jupyter.build.watch import changes
from coflows_jupyter.candidate import Candidate
from coflows_jupyter.config import Config
from coflows_jupyter.database.connection import Database
from coflows_jupyter.errors import (
    CoflowsError,
    CrashedError,
    Diagnostic,
    DiagnosticsError,
    NotReadyError,
)
from coflows_jupyter.host.calls import OnOutput
from coflows_jupyter.host.early import EarlyHost
from coflows_jupyter.host.embedded import EmbeddedPool
from coflows_jupyter.host.pool import Pool, ProcessPool
from coflows_jupyter.host.protocol import Call, Result
from coflows_jupyter.host.secrets import answering
from coflows_jupyter.mset.place import database_of, host_place, prune
from coflows_jupyter.queries.catalog import Catalog, FunctionEntry
from coflows_jupyter.runs.live import Run
from coflows_jupyter.runs.registry import Runs
from coflows_jupyter.status import BuildReport, BuildStatus, EngineEvent, EngineStatus, EventKind, Mode, State
from coflows_jupyter.workflow.package import Package

PRUNE_SECONDS = 3600.0
"""How often the log of M sets is looked through for what is too old."""

log = logging.getLogger(__name__)
run_log = logging.getLogger("coflows.run")


Listener = Callable[[EngineEvent], None]


def _log_output(run_id: str, stream: str, text: str) -> None:
    for line in text.splitlines():
        run_log.info("%s %s: %s", run_id, stream, line)


class Engine:
    """One Workflow: its configuration, its package, its hosts, its M sets.

    Args:
        config: the configuration that names the Workflow.
        mode: where user code runs; ``None`` follows the configuration.
        watch: whether a save builds; ``None`` follows the configuration.
        on_output: told run ID, stream and text of what runs print; the log by default.
        early: a host that was started before, and loads the Workflow if it could be read.
        runs: what knows its runs; without a history by default.
        agents: where Agents keep their ticks and runs; ``None`` leaves Agents alone.
    """

    def __init__(
        self,
        config: Config,
        *,
        mode: Mode | None = None,
        watch: bool | None = None,
        on_output: OnOutput = _log_output,
        early: EarlyHost | None = None,
        runs: Runs | None = None,
        agents: Database | None = None,
    ) -> None:
        self.config = config
        self.runs = runs or Runs()
        self.runs.on_change = lambda: self._tell("runs")
        self.package: Package | None = None
        self.id = ""
        self.name = config.workflow.parent.name
        self.catalog = Catalog()
        self.state: State = "starting"
        self.mode: Mode = mode or config.host.mode
        self.watching = (config.watching if watch is None else watch) and self.mode == "process"
        self._diagnostics: tuple[Diagnostic, ...] = config.diagnostics
        self._serving: tuple[Diagnostic, ...] = ()
        self._build: BuildStatus | None = None
        self._listeners: list[Listener] = []
        self._lock = asyncio.Lock()
        self._watcher: asyncio.Task[None] | None = None
        self._pruner: asyncio.Task[None] | None = None
        self._preparer = Preparer(config)
        self.m = host_place(database_of(config))
        self.secrets = open_secrets(config)
        self._answer = answering(lambda name: self.secrets.get(self.id, name), config.server.secret_key)
        self._pool = self._make_pool(on_output, early)
        self.agents: Agents | None = None
        if agents is not None:
            tell = functools.partial(self._tell, "agents")
            keep = config.runs.days
            self.agents = Agents(
                lambda: self._make_pool(on_output), self.runs, agents, lambda: self.m.store, keep, tell
            )

    def _make_pool(self, tell: OnOutput, early: EarlyHost | None = None) -> Pool:
        def on_output(run_id: str, stream: str, text: str) -> None:
            self.runs.output(run_id, stream, text)
            tell(run_id, stream, text)

        if self.mode == "embedded":
            return EmbeddedPool(on_output, self.runs.report, database_of(self.config), self._answer)
        host = self.config.host
        return ProcessPool(
            host.workers,
            spare=self.watching if host.spare == "auto" else host.spare == "on",
            on_output=on_output,
            on_change=lambda: self._tell("host"),
            on_progress=self.runs.report,
            early=early,
            database=database_of(self.config),
            secrets=self._answer,
        )

    async def start(self, *, initial: bool = True) -> None:
        """Build for the first time and begin to watch; mistakes in the Workflow end up in the state.

        Args:
            initial: see ``Agents.load``.
        """
        await self.build(initial=initial)
        self.open()

    def open(self) -> None:
        """Begin to keep the history, to tidy up and to watch."""
        self.runs.open()
        if self.state != "stopped":
            self._pruner = asyncio.get_running_loop().create_task(self._prune())
        if self.watching and self.state != "stopped":
            self._watcher = asyncio.get_running_loop().create_task(self._watch())

    async def build(self, *, initial: bool = True) -> BuildReport:
        """Read the Workflow from disk and let it serve; a Build that does not load changes nothing that serves.

        Args:
            initial: see ``Agents.load``.
        """
        async with self._lock:
            started, loop = time.perf_counter(), asyncio.get_running_loop()
            self._set_state("building", "reading sources", 0)
            found: tuple[Diagnostic, ...] = ()
            try:
                assembled = await asyncio.to_thread(assemble, self.config.workflow)
                self.package, self.id, self.name = assembled.package, assembled.package.id, assembled.package.name
                found = assembled.diagnostics

                def tell(step: str) -> None:
                    loop.call_soon_threadsafe(self._set_state, "building", step, 0)

                build, said, complete = await asyncio.to_thread(self._preparer.prepare, assembled, tell)
                found += said
                self._set_state("building", "loading", 1)
                if complete or not self.catalog.build:  # else what serves goes on, whole
                    found += await self._load(part(build, "query"))
                if self.agents is not None and complete and self.catalog.build:
                    self._set_state("building", "loading agents", 1)
                    found += await self.agents.load(build, initial=initial)
            except DiagnosticsError as error:
                found += error.diagnostics or (self._finding("build", error),)
            except CoflowsError as error:
                found += (self._finding("host", error),)
            return self._conclude(found, time.perf_counter() - started)

    @contextlib.asynccontextmanager
    async def candidate(self, package_file: Path, tell: Callable[[str], None]) -> AsyncIterator[Candidate]:
        """Load what another folder holds beside what serves; unless it is promoted meanwhile, it leaves no trace.

        Args:
            package_file: absolute path of the package.json there.
            tell: told on the event loop what goes on.

        Raises:
            CoflowsError: it can't be loaded.
        """
        async with self._lock:
            candidate = Candidate(package_file)
            try:
                await candidate.load(self._preparer, self._pool, self.agents, tell)
                yield candidate
            finally:
                candidate.discard()

    async def promote(self, candidate: Candidate, deployment: str) -> BuildReport:
        """Let a candidate take over, while its context is open.

        Args:
            candidate: as ``candidate`` gave it.
            deployment: see ``Agents.commit``.
        """
        package = candidate.package
        self.config = self.config.model_copy(update={"workflow": candidate.package_file})
        self.package, self.id, self.name = package, package.id, package.name
        loaded = candidate.promote()
        self.catalog, self._serving = loaded.catalog, loaded.diagnostics
        self._tell("catalog")
        found = candidate.diagnostics
        if self.agents is not None:
            try:
                await candidate.promote_agents(self.agents, deployment)
            except CoflowsError as error:
                found += (self._finding("host", error),)
        return self._conclude(found, time.perf_counter() - candidate.started)

    async def restart(self) -> None:
        """Let new hosts with the same Build take over; calls that go on end in those before.

        Raises:
            BuildError: what serves can't be loaded any more; it goes on in the hosts that there are.
        """
        async with self._lock:
            await self._pool.restart()
            if self.agents is not None:
                await self.agents.restart()

    async def _load(self, build: Build) -> tuple[Diagnostic, ...]:
        if build.id == self.catalog.build:
            return self._serving
        try:
            loaded = await self._pool.swap(build)
        except CrashedError as error:
            raise CrashedError(f"{error} while it loaded the Workflow") from error
        if loaded.complete or not self.catalog.build:
            self.catalog, self._serving = loaded.catalog, loaded.diagnostics
            self._tell("catalog")
        return loaded.diagnostics

    def _finding(self, code: str, error: CoflowsError) -> Diagnostic:
        return Diagnostic(str(self.config.workflow), 0, 0, "error", code, error.message, error.hint)

    def _conclude(self, found: tuple[Diagnostic, ...], seconds: float) -> BuildReport:
        self._diagnostics = tuple(dict.fromkeys((*self.config.diagnostics, *self.runs.diagnostics, *found)))
        ok = not any(d.severity == "error" for d in self._diagnostics)
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._build = BuildStatus(self.catalog.build, ok, seconds, now)
        state: State = "stopped" if self.state == "stopped" else "serving" if self.catalog.build else "failed"
        errors = sum(d.severity == "error" for d in self._diagnostics)
        message = f"built in {seconds:.2f} s" if ok else f"{errors} error{'s' * (errors > 1)}"
        self._set_state(state, message)
        log.info("%s: %s", self.name, message)
        for diagnostic in self._diagnostics:
            log.log(logging.ERROR if diagnostic.severity == "error" else logging.WARNING, "%s", diagnostic)
        self._tell("build", message)
        return BuildReport(ok, self.catalog.build, seconds, self._diagnostics)

    async def _watch(self) -> None:
        folders: set[str] = set()
        if self.package is not None:
            root = self.package.folder
            paths = (
                Path(entry.content)
                for entry in (*self.package.base, *self.package.queries, *self.package.agents)
                if entry.content
            )
            folders = {path.parts[0] for path in paths if len(path.parts) > 1 and (root / path).is_file()}
        async for _ in changes(self.config.workflow, folders):
            await self.build()

    async def _prune(self) -> None:
        while True:
            await asyncio.sleep(PRUNE_SECONDS)
            try:
                await asyncio.to_thread(prune, self.m)
            except Exception:
                log.exception("the log of M sets could not be pruned")

    # -- calls -----------------------------------------------------------------------------------------------------

    async def call(self, call: Call) -> Result:
        """Run a function; see ``Host.call``."""
        if not self.catalog.build:
            raise NotReadyError("; ".join(self.reasons()))
        return await self._run(self.runs.begin(call, self.id, self.catalog))

    def call_later(self, call: Call) -> None:
        """Start a call whose result is kept; ``runs`` knows how it goes, whoever waits for it or not."""
        if not self.catalog.build:
            raise NotReadyError("; ".join(self.reasons()))
        run = self.runs.begin(call, self.id, self.catalog)
        self.runs.note(run)
        self.runs.results.start(run, self._run(run))

    async def _run(self, run: Run) -> Result:
        try:
            result = await self._pool.call(run.call)
        except BaseException as error:
            self.runs.fail(run, error)
            raise
        self.runs.succeed(run, result)
        return result

    async def cancel(self, run_id: str) -> None:
        """Ask a running call to stop; unknown IDs are ignored."""
        await self._pool.cancel(run_id)
        if self.agents is not None:
            self.agents.stop(run_id)

    def timeout(self, entry: FunctionEntry) -> float:
        """Return the seconds that a call of this function may take."""
        return entry.timeout or self.config.host.timeout

    # -- state -----------------------------------------------------------------------------------------------------

    def reasons(self) -> list[str]:
        """Say why no Build serves; empty when one does."""
        if self.state == "stopped":
            return [f"{self.name} is stopped"]
        if self.catalog.build:
            waits = self.agents is not None and not self.agents.settled
            return [f"the Agents of {self.name} are being loaded"] if waits else []
        if self.state == "failed":
            return [str(d) for d in self._diagnostics if d.severity == "error"]
        return [f"{self.name} is being built"]

    def status(self) -> EngineStatus:
        """Describe the Workflow as it is now."""
        return EngineStatus(
            self.id,
            self.name,
            str(self.config.workflow.parent),
            str(self.config.file or ""),
            self.mode,
            self.state,
            self._build,
            self._pool.statuses(),
            self._diagnostics,
            self.reasons(),
            self.watching,
            self._pool.crashes,
            self._pool.waiting,
        )

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` on the event loop for every event; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _set_state(self, state: State, message: str = "", done: int = -1) -> None:
        if self.state == "stopped":
            return
        self.state = state
        if done < 0:
            self._tell("state", message)
        else:
            self._tell("state", message, step=message, done=done, total=2)

    def _tell(
        self,
        kind: EventKind,
        message: str = "",
        *,
        step: str = "",
        done: int = 0,
        total: int = 0,
    ) -> None:
        event = EngineEvent(self.id, kind, self.state, message, step, done, total)
        for listener in list(self._listeners):
            listener(event)

    async def close(self, drain: float = 2.0) -> None:
        """Stop watching, give running calls ``drain`` seconds, end the hosts."""
        self._set_state("stopped")
        self._preparer.close()
        if self._pruner is not None:
            self._pruner.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watcher
        ending = [self._pool.close(drain)] + ([self.agents.close(drain)] if self.agents else [])
        await asyncio.gather(*ending)
        await self.runs.close()
        await asyncio.to_thread(self.m.close)
        await asyncio.to_thread(self.secrets.close)
