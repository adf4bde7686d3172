"""What a Workflow says of itself, to every door."""

from __future__ import annotations

from typing import Literal

import msgspec

from coflows_jupyter.errors import Diagnostic
from coflows_jupyter.host.pool import HostStatus

EventKind = Literal["state", "build", "catalog", "host", "runs", "agents"]
State = Literal["starting", "building", "serving", "failed", "stopped"]
Mode = Literal["process", "embedded"]


class BuildReport(msgspec.Struct, frozen=True):
    """The outcome of a build.

    Args:
        ok: whether no finding is an error.
        build: ID of the Build that serves now, empty when none does.
        seconds: how long it took.
        diagnostics: every finding.
    """

    ok: bool
    build: str
    seconds: float
    diagnostics: tuple[Diagnostic, ...]


class BuildStatus(msgspec.Struct, frozen=True):
    """The last build as a status shows it; ``at`` is ISO 8601 in UTC."""

    id: str
    ok: bool
    seconds: float
    at: str


class EngineStatus(msgspec.Struct, frozen=True):
    """A Workflow as the sidebar, the REST API and the CLI show it."""

    id: str
    name: str
    folder: str
    config: str
    mode: Mode
    state: State
    build: BuildStatus | None
    hosts: list[HostStatus]
    diagnostics: tuple[Diagnostic, ...]
    reasons: list[str]
    watching: bool
    crashes: int
    waiting: int


class EngineEvent(msgspec.Struct, frozen=True):
    """Something about a Workflow changed; whoever cares asks for its status.

    Args:
        workflow: the Workflow's ID.
        kind: what changed.
        state: the engine's state now.
        message: a sentence for people.
        step: what a build is doing, empty outside of one.
        done: finished steps of the build.
        total: all steps of the build, 0 outside of one.
    """

    workflow: str
    kind: EventKind
    state: State
    message: str = ""
    step: str = ""
    done: int = 0
    total: int = 0
