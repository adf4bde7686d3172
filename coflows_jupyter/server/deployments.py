"""What changes which revision of which Workflow a server serves.

A new revision is loaded into hosts of its own beside those that serve; only when all of it loads is it written down as
accepted and takes over, and then those before finish what they have. Until then nothing has changed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from coflows_jupyter.access.records import Actor
from coflows_jupyter.candidate import Candidate
from coflows_jupyter.config import Config
from coflows_jupyter.database.connection import open_database
from coflows_jupyter.deploy import revisions
from coflows_jupyter.deploy.progress import Reporter
from coflows_jupyter.deploy.revisions import Accepted, Revision, may_have_any
from coflows_jupyter.engine import Engine
from coflows_jupyter.errors import (
    CoflowsError,
    ConflictError,
    Diagnostic,
    DiagnosticsError,
    NotReadyError,
)
from coflows_jupyter.host.early import EarlyHost
from coflows_jupyter.runs.registry import open_runs
from coflows_jupyter.server.membership import Membership
from coflows_jupyter.server.places import Incoming, Places
from coflows_jupyter.server.services import Services
from coflows_jupyter.server.worklog import WorkLog

if TYPE_CHECKING:
    from sqlalchemy import Connection

RENEW_SECONDS = revisions.LEASE_SECONDS / 3

T = TypeVar("T")

log = logging.getLogger(__name__)


class Deployments:
    """Receives Workflows, keeps their revisions, and lets the newest serve.

    Args:
        services: what handlers share.
        config: the server's.

    Attributes:
        config: the server's.
        busy: IDs, in small letters, of the Workflows that are being changed.
        served: the revision that serves, by ID in small letters; none where that is what a folder holds.
    """

    def __init__(self, services: Services, config: Config) -> None:
        self._places = Places(config)
        self._services = services
        self.config = config
        self._database = open_database(config)
        self._logs: dict[Engine, WorkLog] = {}
        self.busy: set[str] = set()
        self.served: dict[str, Revision] = {}

    # -- engines -------------------------------------------------------------------------------------------------------

    def make_engine(self, package_file: Path, *, watch: bool | None = False, early: EarlyHost | None = None) -> Engine:
        """Make what serves a Workflow; it is not open yet.

        Args:
            package_file: its package.json.
            watch: see ``Engine``.
            early: see ``Engine``.
        """
        config = self.config.model_copy(update={"workflow": package_file})
        kept = WorkLog()
        runs, agents = open_runs(config), open_database(config)
        engine = Engine(config, watch=watch, on_output=kept.output, early=early, runs=runs, agents=agents)
        self._logs[engine] = kept
        return engine

    async def attend(self, engine: Engine) -> None:
        """Let an engine be found, heard, and entered by those whom its package names."""
        # One that was never read has nothing to serve, and its place is taken.
        for other in [other for other in self._services.workflows if not other.id and other is not engine]:
            await self.shut(other)
        if engine not in list(self._services.workflows):
            self._services.open(engine)
        engine.subscribe(self._logs[engine].event)
        Membership(self._services.directory, engine).follow()

    async def shut(self, engine: Engine) -> None:
        """Let an engine be found no more, give its calls a moment and end it."""
        self._logs.pop(engine, None)
        await self._services.shut(engine)

    def log_of(self, workflow: str) -> WorkLog:
        """Return what a Workflow did lately.

        Raises:
            NotFoundError: it is not open.
        """
        return self._logs[self._services.engine(workflow)]

    def spelled(self, workflow: str) -> str:
        """Return the ID of a Workflow as it spells it itself, if it is open."""
        engine = self._services.workflows.get(workflow)
        return engine.id if engine else workflow

    def revision_of(self, workflow: str) -> Revision | None:
        """Return the revision that serves, ``None`` when that is what a folder holds, or nothing."""
        return self.served.get(workflow.lower())

    async def ask(self, work: Callable[[Connection], T]) -> T:
        """Do ``work`` in a transaction.

        Raises:
            NotReadyError: there is no database.
        """
        if self._database is None:
            raise NotReadyError("this server can keep no revisions: its database can't be used")
        return await asyncio.wrap_future(self._database.submit(work))

    # -- changing what serves ------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def alone(self, workflow: str) -> Iterator[None]:
        """Keep everybody else from changing a Workflow on this server.

        Raises:
            ConflictError: somebody is changing it, or its folder is what counts.
        """
        engine = self._services.workflows.get(workflow)
        if engine is not None and engine.watching:
            hint = 'there, write "Watch": "off" into coflows_config.json'
            raise ConflictError(
                "that server follows the Workflow's folder, so nothing can be deployed to it", hint=hint
            )
        if workflow.lower() in self.busy:
            raise ConflictError(
                f"the Workflow {workflow} is being deployed already", hint="try again when that is done"
            )
        self.busy.add(workflow.lower())
        try:
            yield
        finally:
            self.busy.discard(workflow.lower())

    async def take(self, data: bytes, workflow: str, folder: str) -> Incoming:
        """Unpack a bundle that came in; see ``Places.take``."""
        return await asyncio.to_thread(self._places.take, data, self.spelled(workflow), folder)

    def same_as(self, incoming: Incoming) -> Revision | None:
        """Return the revision that serves if it is what came in, which is used up then."""
        serving = self.revision_of(incoming.workflow)
        engine = self._services.workflows.get(incoming.workflow)
        if serving is None or engine is None or engine.state != "serving" or serving.digest != incoming.manifest.digest:
            return None
        incoming.discard()
        return serving

    async def earlier(self, workflow: str, number: int) -> Revision:
        """Return the revision to go back to.

        Args:
            workflow: the Workflow's ID.
            number: the wanted one, 0 for the one before.

        Raises:
            NotFoundError: there is none.
            ConflictError: it never served, or serves now.
        """
        name = self.spelled(workflow)
        if not number:
            return await self.ask(lambda connection: revisions.before(connection, name))
        found = await self.ask(lambda connection: revisions.find(connection, name, number))
        if found.state != "accepted":
            raise ConflictError(f"revision {number} never served", hint="`coflows cloud status` lists those that did")
        serving = self.revision_of(name)
        if serving is not None and serving.digest == found.digest:
            raise ConflictError(f"revision {number} is what serves now")
        return found

    async def is_new(self, workflow: str) -> bool:
        """Whether neither this server nor the database knows the Workflow."""
        if self._services.workflows.get(workflow) is not None:
            return False
        return not await self.ask(lambda connection: revisions.history(connection, workflow))

    async def begin(self, incoming: Incoming, actor: Actor, reason: str = "") -> int:
        """Reserve the number of the next revision; see ``revisions.begin``."""
        try:
            return await self.ask(lambda connection: revisions.begin(connection, incoming.workflow, actor, reason))
        except BaseException:
            incoming.discard()
            raise

    async def deploy(self, number: int, incoming: Incoming, actor: Actor, tell: Reporter) -> Revision:
        """Let what came in be the newest revision and serve, or change nothing.

        Args:
            number: as ``begin`` gave it.
            incoming: the bundle; it is used up.
            actor: who deploys.
            tell: told what goes on.

        Raises:
            ConflictError: the lease was lost.
            BuildError: it does not build.
        """
        workflow = incoming.workflow
        try:
            async with self._renewed(workflow, number):
                package_file = await asyncio.to_thread(self._places.settle, incoming, number)
                files = len(incoming.manifest.files)
                what = Accepted(incoming.name, incoming.manifest.digest, incoming.folder, files, incoming.data)

                def accept(connection: Connection) -> Revision:
                    return revisions.accept(connection, workflow, number, actor, what)

                with near(package_file.parent):
                    return await self._replace(workflow, package_file, accept, tell)
        except BaseException as error:
            why = error.message if isinstance(error, CoflowsError) else "it was stopped"
            await asyncio.shield(self._give_up(incoming, number, why))
            raise

    async def _replace(
        self, workflow: str, package_file: Path, accept: Callable[[Connection], Revision], tell: Reporter
    ) -> Revision:
        there = self._services.workflows.get(workflow)
        engine = there or self.make_engine(package_file)
        try:
            async with contextlib.AsyncExitStack() as stack:
                with tell.step("build", "Building"):
                    candidate = await stack.enter_async_context(engine.candidate(package_file, tell.progress))
                    for found in candidate.diagnostics:
                        tell.log(str(found))
                with tell.step("serve", "Letting it serve"):
                    return await _finish(self._promote(engine, candidate, accept))
        except BaseException:
            if there is None:
                await asyncio.shield(engine.close(0))
            raise

    async def _promote(
        self, engine: Engine, candidate: Candidate, accept: Callable[[Connection], Revision]
    ) -> Revision:
        """Write down that a candidate is accepted, and let it serve: both, or neither."""
        revision = await self.ask(accept)
        before = self.revision_of(revision.workflow)
        self.served[revision.workflow.lower()] = revision
        await engine.promote(candidate, f"revision {revision.number}")
        if engine not in list(self._services.workflows):
            engine.open()
            await self.attend(engine)
        self.log_of(revision.workflow).add("deploy", f"revision {revision.number} serves, by {revision.by}")
        numbers = [known.number for known in (before, revision) if known is not None]
        await asyncio.to_thread(self._places.prune, revision.workflow, *numbers)
        return revision

    async def _give_up(self, incoming: Incoming, number: int, why: str) -> None:
        await asyncio.to_thread(self._places.discard, incoming, number)
        with contextlib.suppress(CoflowsError):  # it was accepted, or the database is away and the lease ends by itself
            await self.ask(lambda connection: revisions.fail(connection, incoming.workflow, number, why))

    @contextlib.asynccontextmanager
    async def _renewed(self, workflow: str, number: int) -> AsyncIterator[None]:
        """Keep the lease of a revision that is being built."""

        async def renew() -> None:
            while True:
                await asyncio.sleep(RENEW_SECONDS)
                with contextlib.suppress(CoflowsError):  # the next attempt comes in time
                    await self.ask(lambda connection: revisions.renew(connection, workflow, number))

        task = asyncio.get_running_loop().create_task(renew())
        try:
            yield
        finally:
            task.cancel()

    async def bring(self, revision: Revision) -> Incoming:
        """Take the bundle of a revision out of the database.

        Raises:
            NotFoundError: it is not kept any more.
        """
        data = await self.ask(lambda connection: revisions.read_bundle(connection, revision.digest))
        return await asyncio.to_thread(self._places.take, data, revision.workflow, revision.folder)

    async def newest(self) -> list[Revision]:
        """Return of each Workflow what was last deployed or removed; nothing when that can't be seen."""
        if self._database is None or not await asyncio.to_thread(may_have_any, self._database.location):
            return []
        try:
            return await self.ask(revisions.newest)
        except CoflowsError as error:
            log.warning("it can't be seen what was deployed: %s", error)
            return []

    async def place(self, revision: Revision) -> Path:
        """Return the package.json of a revision, which is unpacked if it is not here.

        Raises:
            NotFoundError: its bundle is not kept any more.
        """
        package_file = await asyncio.to_thread(self._places.find, revision)
        if package_file is None:
            incoming = await self.bring(revision)
            package_file = await asyncio.to_thread(self._places.settle, incoming, revision.number)
        return package_file

    async def restart(self, workflow: str) -> None:
        """Let new hosts with the same Build take over; see ``Engine.restart``."""
        await self._services.engine(workflow).restart()
        self.log_of(workflow).add("restart", "new hosts serve")

    async def remove(self, workflow: str, actor: Actor) -> None:
        """Let a Workflow serve no more, here and on the other servers of the database.

        Raises:
            ConflictError: it was never deployed: it is what this server's folder holds.
            NotFoundError: there is no such Workflow.
        """
        workflow = self.spelled(workflow)
        engine = self._services.workflows.get(workflow)
        if self.revision_of(workflow) is None:
            self._services.engine(workflow)
            raise ConflictError("this Workflow was not deployed: it is what that server's own folder holds")
        await self.ask(lambda connection: revisions.remove(connection, workflow, actor))
        self.served.pop(workflow.lower(), None)
        if engine is not None:
            await self.shut(engine)
        await asyncio.to_thread(self._places.prune, workflow)

    async def close(self) -> None:
        """Let go of the database."""
        if self._database is not None:
            await asyncio.to_thread(self._database.close)


@contextlib.contextmanager
def near(folder: Path) -> Iterator[None]:
    """Name files in errors as the sender knows them: relative to the Workflow's folder."""
    try:
        yield
    except DiagnosticsError as error:
        raise type(error)(error.message, relative(error.diagnostics, folder), hint=error.hint) from None


def relative(diagnostics: Iterable[Diagnostic], folder: Path) -> tuple[Diagnostic, ...]:
    """Return the same findings with files relative to ``folder``."""
    prefix = f"{folder}{os.sep}"
    return tuple(msgspec.structs.replace(found, file=found.file.removeprefix(prefix)) for found in diagnostics)


async def _finish(work: Coroutine[Any, Any, T]) -> T:
    """Do ``work`` to its end, even when the caller is cancelled meanwhile: then it is too late."""
    task = asyncio.get_running_loop().create_task(work)
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    return task.result()
