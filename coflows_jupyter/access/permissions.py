"""Permission levels, callers, and the one rule that decides a call."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Literal

import msgspec

Door = Literal["http", "cli", "notebook", "sidebar"]
Source = Literal["key", "lab", "local", "anonymous"]

PUBLIC_GROUP = "Public"


class AccessType(IntEnum):
    """Levels of permission in a group; the numbers are those of the original."""

    DENIED = -1
    VIEW = 0
    READ = 1
    WRITE = 2


class Grant(msgspec.Struct, frozen=True):
    """``<group id="…" permission="…"/>``: who holds ``level`` in ``group`` may call."""

    group: str
    level: int


class Caller(msgspec.Struct, frozen=True):
    """Who calls.

    Args:
        id: stable identifier, e.g. ``root`` or ``anonymous``.
        name: what to show.
        source: how the caller was recognised; ``local`` is the person at the command line.
        door: where the call came in.
        level: permission in every group but ``Public``.
    """

    id: str
    name: str
    source: Source
    door: Door
    level: int = AccessType.DENIED


ANONYMOUS = Caller("anonymous", "anonymous", "anonymous", "http")


def permission(caller: Caller, group: str) -> AccessType:
    """Return the level that ``caller`` holds in ``group``.

    Everybody may view ``Public``; all else follows the caller's own level.
    """
    level = AccessType(caller.level)
    return max(level, AccessType.VIEW) if group == PUBLIC_GROUP else level


def may_call(caller: Caller, workflow: str, grants: Iterable[Grant] | None, *, closed: bool) -> bool:
    """Decide whether ``caller`` may call a function.

    Args:
        caller: who calls.
        workflow: the Workflow's ID, which is also the ID of its group.
        grants: what the doc comment names; ``None`` when it names nothing, then Read on the Workflow is needed.
        closed: the documentation could not be read, so nobody may call.
    """
    if closed:
        return False
    if grants is None:
        return permission(caller, workflow) >= AccessType.READ
    # A grant of ``denied`` names nobody: the original let everybody pass there.
    return any(AccessType.DENIED < g.level <= permission(caller, g.group) for g in grants)
