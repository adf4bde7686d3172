"""A Build loaded beside what serves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from coflows_jupyter.agents.service import Agents
from coflows_jupyter.build.assemble import assemble
from coflows_jupyter.build.model import part
from coflows_jupyter.build.prepare import Preparer
from coflows_jupyter.errors import BuildError, Diagnostic
from coflows_jupyter.host.pool import Pool, Prepared
from coflows_jupyter.host.protocol import Loaded
from coflows_jupyter.workflow.package import Package


class Candidate:
    """A Build in hosts of its own, which takes over as a whole or leaves no trace.

    Args:
        package_file: absolute path of its package.json.

    Attributes:
        package: its package.json, once it is loaded.
        diagnostics: every finding.
        started: when it came, in seconds of ``time.perf_counter``.
    """

    package: Package

    def __init__(self, package_file: Path) -> None:
        self.package_file = package_file
        self.diagnostics: tuple[Diagnostic, ...] = ()
        self.started = time.perf_counter()
        self._prepared: list[Prepared] = []
        self._agents: Prepared | None = None

    async def load(self, preparer: Preparer, pool: Pool, agents: Agents | None, tell: Callable[[str], None]) -> None:
        """Read and compile it; load its Queries, then its Agents.

        Args:
            preparer: brings what it depends on.
            pool: where its Queries are to serve.
            agents: where its Agents are to run; ``None`` leaves them out.
            tell: told on the event loop what goes on.

        Raises:
            BuildError: not all of it can be loaded.
            CrashedError: a host ended meanwhile.
        """
        tell("reading sources")
        loop = asyncio.get_running_loop()

        def tell_soon(step: str) -> None:
            loop.call_soon_threadsafe(tell, step)

        assembled = await asyncio.to_thread(assemble, self.package_file)
        self.package = assembled.package
        build, found, complete = await asyncio.to_thread(preparer.prepare, assembled, tell_soon)
        self.diagnostics = (*assembled.diagnostics, *found)
        if complete:
            tell("loading")
            self._take(await pool.prepare(part(build, "query")))
            self._agents = await agents.prepare(build) if agents is not None else None
            if self._agents is not None:
                self._take(self._agents)
            complete = all(prepared.loaded.complete for prepared in self._prepared)
        if not complete or any(found.severity == "error" for found in self.diagnostics):
            raise BuildError("the Workflow does not build", self.diagnostics)

    def _take(self, prepared: Prepared) -> None:
        self._prepared.append(prepared)
        self.diagnostics = tuple(dict.fromkeys((*self.diagnostics, *prepared.loaded.diagnostics)))

    def promote(self) -> Loaded:
        """Let Queries take over."""
        queries = self._prepared.pop(0)
        queries.commit()
        return queries.loaded

    async def promote_agents(self, agents: Agents, deployment: str) -> None:
        """Let Agents take over; see ``Agents.commit``."""
        if self._agents is not None:
            self._prepared.remove(self._agents)
            await agents.commit(self.package.id, self._agents, deployment)
        agents.settled = True

    def discard(self) -> None:
        """End what did not take over."""
        for prepared in self._prepared:
            prepared.discard()
        self._prepared.clear()
