"""``Permissions`` of package.json, kept in the Workflow's group."""

from __future__ import annotations

import asyncio
import logging

from coflows_jupyter.access.directory import Directory
from coflows_jupyter.access.groups import apply_package
from coflows_jupyter.engine import Engine
from coflows_jupyter.errors import CoflowsError

log = logging.getLogger(__name__)


class Membership:
    """Lets a Workflow's group be what its package says.

    Args:
        directory: where groups are.
        engine: the Workflow.
    """

    def __init__(self, directory: Directory, engine: Engine) -> None:
        self._directory = directory
        self._engine = engine
        self._applied: tuple[str, dict[str, int]] | None = None
        self._task: asyncio.Task[None] | None = None

    def follow(self) -> None:
        """Apply what the package says now, and again whenever it says something else."""
        # Whenever the database answered: what failed is tried again then, and a build is noticed at once, nearly.
        self._directory.listen(self._begin)
        self._begin()

    def _begin(self) -> None:
        package = self._engine.package
        if package is None or not package.id:
            return
        wanted = package.id, {entry.id: entry.permission for entry in package.permissions}
        if wanted != self._applied:
            self._applied = wanted
            self._task = asyncio.get_running_loop().create_task(self._apply(*wanted))

    async def _apply(self, workflow: str, levels: dict[str, int]) -> None:
        name = self._engine.name
        try:
            await self._directory.do(lambda connection: apply_package(connection, workflow, name, levels))
        except CoflowsError as error:
            self._applied = None
            log.warning("%s: Permissions of package.json are not applied: %s", name, error)
