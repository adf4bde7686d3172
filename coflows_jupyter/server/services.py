"""What handlers share: the Workflows, the keys and the events of one server."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from pathlib import Path

from coflows_jupyter.access.keys import KeyRing
from coflows_jupyter.engine import Engine
from coflows_jupyter.errors import NotFoundError
from coflows_jupyter.server.bus import Events
from coflows_jupyter.workflows import Workflows


@dataclass
class Services:
    """What handlers share.

    Args:
        keys: the keys that open our routes.
        root: folder that Lab shows, ``None`` when there is no Lab.
        workflows: every Workflow that is open.
        events: what happens to them.
        origins: sites whose pages may read our answers.
        idle: why no Workflow is open; empty when one is.
    """

    keys: KeyRing
    root: Path | None = None
    workflows: Workflows = field(default_factory=Workflows)
    events: Events = field(default_factory=Events)
    origins: frozenset[str] = frozenset()
    idle: str = ""

    def open(self, engine: Engine) -> None:
        """Let ``engine`` be found and heard."""
        self.workflows.add(engine)
        engine.subscribe(self.events.publish)

    def engine(self, workflow: str) -> Engine:
        """Return an open Workflow.

        Raises:
            NotFoundError: there is none with this ID.
        """
        engine = self.workflows.get(workflow)
        if engine is None:
            raise NotFoundError(f"there is no Workflow {workflow!r}", hint=self.idle)
        return engine

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
