"""Lets the revisions of the database serve: at the start, and when another server of it was deployed to."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from coflows_jupyter.deploy.revisions import Revision
from coflows_jupyter.engine import Engine
from coflows_jupyter.errors import CoflowsError
from coflows_jupyter.server.deployments import Deployments
from coflows_jupyter.server.services import Services
from coflows_jupyter.workflow.package import read_package

log = logging.getLogger(__name__)


class Following:
    """Keeps what serves at what the database says.

    Args:
        deployments: what changes it.
        services: what handlers share.
    """

    def __init__(self, deployments: Deployments, services: Services) -> None:
        self._deployments = deployments
        self._services = services
        self._version = -1
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def open(self, own: Engine | None) -> None:
        """Let the newest revisions serve, and the Workflow of the configuration where there is none of it.

        Args:
            own: what serves that Workflow from its folder; ``None`` for a server that begins empty.
        """
        try:
            await self._open(own)
        finally:
            self._services.workflows.opening = False
        self._services.directory.listen(self._notice)

    async def _open(self, own: Engine | None) -> None:
        if own is not None:
            await self._deployments.attend(own)
            if own.watching:
                # The folder counts, and whoever works in it waits for the first build.
                await own.start()
        found = {revision.workflow.lower(): revision for revision in await self._deployments.newest()}
        engines = [] if own is None else await self._open_own(own, found)
        for revision in found.values():
            if revision.state == "accepted":
                try:
                    engines.append(await self._reopen(revision))
                except CoflowsError as error:
                    _complain(revision, error)
        self._services.workflows.opening = False
        await asyncio.gather(*(engine.start(initial=False) for engine in engines))

    async def _open_own(self, own: Engine, found: dict[str, Revision]) -> list[Engine]:
        """Decide what the Workflow of the configuration is; return its engine if it is to start from a revision."""
        mine = found.pop(await asyncio.to_thread(_id_of, own.config.workflow), None) if found else None
        if own.watching:
            return []
        if found and not own.config.workflow.is_file():
            await self._deployments.shut(own)
            return []
        if mine is None or mine.state != "accepted":
            await own.start()
            return []
        own.config = own.config.model_copy(update={"workflow": await self._deployments.place(mine)})
        self._deployments.served[mine.workflow.lower()] = mine
        return [own]

    async def _reopen(self, revision: Revision) -> Engine:
        engine = self._deployments.make_engine(await self._deployments.place(revision))
        engine.id, engine.name = revision.workflow, revision.name
        self._deployments.served[revision.workflow.lower()] = revision
        await self._deployments.attend(engine)
        return engine

    def _notice(self) -> None:
        """Look whether another server of the database was deployed to; called when people may have changed."""
        version = self._services.directory.snapshot.version
        idle = self._task is None or self._task.done()
        if version != self._version and idle and not self._closed:
            self._version = version
            self._task = asyncio.get_running_loop().create_task(self._look())

    async def _look(self) -> None:
        for revision in await self._deployments.newest():
            try:
                await self._follow(revision)
            except CoflowsError as error:
                _complain(revision, error)

    async def _follow(self, revision: Revision) -> None:
        """Do as another server did."""
        workflow = revision.workflow
        engine = self._services.workflows.get(workflow)
        known = self._deployments.revision_of(workflow)
        if known is not None and known.number >= revision.number:
            return
        if workflow.lower() in self._deployments.busy:
            self._version = -1  # look again soon
            return
        if engine is not None and engine.watching:
            return
        if revision.state == "removed":
            if known is not None:
                self._deployments.served.pop(workflow.lower())
                if engine is not None:
                    await self._deployments.shut(engine)
            return
        self._deployments.busy.add(workflow.lower())
        try:
            if engine is None:
                await (await self._reopen(revision)).start(initial=False)
            else:
                # Whether it loads or not: this one is not tried again.
                self._deployments.served[workflow.lower()] = revision
                async with engine.candidate(await self._deployments.place(revision), lambda _step: None) as candidate:
                    await engine.promote(candidate, "")
            self._deployments.log_of(workflow).add("deploy", f"revision {revision.number} serves, by {revision.by}")
        finally:
            self._deployments.busy.discard(workflow.lower())

    async def close(self) -> None:
        """Follow no more."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])


def _complain(revision: Revision, error: CoflowsError) -> None:
    log.error("revision %d of %s does not serve here: %s", revision.number, revision.name, error)


def _id_of(package_file: Path) -> str:
    """Return the ID of what a folder holds as it is looked up, empty when it can't be read."""
    try:
        return read_package(package_file).id.lower()
    except CoflowsError:
        return ""
