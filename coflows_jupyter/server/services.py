"""What handlers share: the Workflows, the keys and the events of one server."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from coflows_jupyter.access.directory import Directory
from coflows_jupyter.access.keys import KeyRing
from coflows_jupyter.access.passwords import Doorkeeper
from coflows_jupyter.deploy.certificates.keeper import Keeper
from coflows_jupyter.deploy.certificates.status import ELSEWHERE, CertificateStatus
from coflows_jupyter.engine import Engine
from coflows_jupyter.errors import NotFoundError
from coflows_jupyter.server.bus import Events
from coflows_jupyter.status import EngineEvent
from coflows_jupyter.workflows import Workflows

if TYPE_CHECKING:
    from coflows_jupyter.server.base import BaseHandler
    from coflows_jupyter.server.deployments import Deployments


@dataclass
class Services:
    """What handlers share.

    Args:
        keys: the keys of this run.
        directory: the people, and their keys.
        root: folder that Lab shows, ``None`` when there is no Lab.
        workflows: every Workflow that is open.
        events: what happens to them.
        origins: sites whose pages may read our answers.
        idle: why no Workflow is open; empty when one is.
        doorkeeper: checks passwords.
        keeper: looks after the certificate, ``None`` where the server speaks plain HTTP or is not ours to configure.
        unencrypted: what there is to say where there is no ``keeper``.
        deployments: changes what is served; ``None`` where that can't be changed.
    """

    keys: KeyRing
    directory: Directory = field(default_factory=Directory)
    root: Path | None = None
    workflows: Workflows = field(default_factory=Workflows)
    events: Events = field(default_factory=Events)
    origins: frozenset[str] = frozenset()
    idle: str = ""
    doorkeeper: Doorkeeper = field(default_factory=Doorkeeper)
    keeper: Keeper | None = None
    unencrypted: CertificateStatus = ELSEWHERE
    deployments: Deployments | None = None
    _attended: set[BaseHandler] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.directory.listen(self._look)

    def open(self, engine: Engine) -> None:
        """Let ``engine`` be found and heard."""
        self.workflows.add(engine)
        engine.subscribe(self.events.publish)

    async def shut(self, engine: Engine) -> None:
        """Let ``engine`` be found no more, give its calls a moment and end it."""
        self.workflows.remove(engine)
        await engine.close()
        self.events.publish(EngineEvent(engine.id, "state", "stopped", "removed"))

    def attend(self, handler: BaseHandler) -> None:
        """Dismiss ``handler`` as soon as its caller may no more what they might when they came."""
        if handler.caller.key:
            self._attended.add(handler)

    def leave(self, handler: BaseHandler) -> None:
        """Look after ``handler`` no longer."""
        self._attended.discard(handler)

    def _look(self) -> None:
        for handler in [h for h in self._attended if self.directory.current(h.caller) != h.caller]:
            handler.dismiss()

    def holds(self, candidate: str) -> bool:
        """Whether ``candidate`` is a key, so must not be passed on."""
        return self.keys.holds(candidate) or self.directory.holds(candidate)

    def group(self, workflow: str) -> str:
        """Return the ID of a Workflow's group as groups spell it: Workflows themselves are found in any case."""
        engine = self.workflows.get(workflow) if workflow else None
        return engine.id if engine else workflow

    def engine(self, workflow: str) -> Engine:
        """Return an open Workflow.

        Raises:
            NotFoundError: there is none with this ID.
        """
        engine = self.workflows.get(workflow)
        if engine is None:
            raise NotFoundError(f"there is no Workflow {workflow!r}", hint=self.idle)
        return engine

    @property
    def certificate(self) -> CertificateStatus:
        """How the server proves who it is."""
        return self.keeper.status if self.keeper else self.unencrypted

    def announce(self) -> None:
        """Let whoever shows the state of a Workflow ask for it again."""
        for engine in self.workflows:
            self.events.publish(EngineEvent(engine.id, "state", engine.state))

    def reasons(self) -> list[str]:
        """Say why not every Workflow serves; empty when all do."""
        engines = list(self.workflows)
        if not engines:
            return [self.idle or "no Workflow is open yet"]
        return [reason for engine in engines for reason in engine.reasons()]

    def lab_path(self, path: str | Path) -> str | None:
        """Return ``path`` as Lab's file browser names it, ``None`` when Lab does not show it."""
        if self.root is None or not str(path):
            return None
        try:
            relative = Path(path).relative_to(self.root).as_posix()
        except ValueError:
            return None
        return "" if relative == "." else relative

    def file_of(self, lab_path: str) -> Path:
        """Return the absolute path of what Lab's file browser names ``lab_path``.

        Raises:
            NotFoundError: there is no Lab, or the path leads out of what it shows.
        """
        with contextlib.suppress(OSError, ValueError):  # a link to itself, a null character
            if self.root is not None:
                path = Path(os.path.normpath(self.root / lab_path.lstrip("/")))
                if Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.root)):
                    return path
        raise NotFoundError(f"Lab shows no {lab_path!r}")
