"""Permission levels, callers, and the one rule that decides a call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Literal

import msgspec

Door = Literal["http", "cli", "notebook", "sidebar", "agent"]
Source = Literal["key", "lab", "session", "local", "anonymous"]

PUBLIC_GROUP = "Public"
ADMINISTRATORS = "Administrator"
ROOT = "root"


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


class Scope(msgspec.Struct, frozen=True, array_like=True):
    """One thing that a limited key is good for; what no scope names is denied.

    Args:
        kind: what ``target`` names.
        target: ``WID``, ``WID/QID``, ``WID/QID/FUNCTION`` or the ID of an M set.
        write: whether the key may all that its user may there; without, Read at most.
    """

    kind: Literal["workflow", "query", "function", "m"]
    target: str
    write: bool = False

    @property
    def level(self) -> AccessType:
        """The highest level that the scope leaves."""
        return AccessType.WRITE if self.write else AccessType.READ


class Caller(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """Who calls.

    Args:
        id: stable identifier, e.g. ``root``, ``anonymous`` or the e-mail address of a person.
        name: what to show.
        source: how the caller was recognised; ``session`` is a person who logged in with a password, ``local`` the
            person at the command line.
        door: where the call came in.
        level: permission in every group but ``Public``.
        email: the person's address.
        first_name: the person's.
        last_name: the person's.
        groups: further permission, by the group's ID; those who are not in it are denied.
        scopes: what the key is limited to; empty is no limit. It concerns doors and never crosses to hosts.
        key: what could be revoked: ID of a person's key, or the number of their session; empty for others.
    """

    id: str
    name: str
    source: Source
    door: Door
    level: int = AccessType.DENIED
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    groups: Mapping[str, int] = {}
    scopes: tuple[Scope, ...] = ()
    key: str = ""

    def covers(self, workflow: str, query: str, function: str) -> bool:
        """Whether the key's scopes, if it has any, name this function."""
        return not self.scopes or self._limit(workflow, query, function) > AccessType.DENIED

    def inside(self, workflow: str, query: str, function: str) -> Caller:
        """Return the caller as a function of this Workflow sees it: its user, as far as the key's scopes leave."""
        if not self.scopes:
            return self
        limit = self._limit(workflow, query, function)
        return msgspec.structs.replace(
            self,
            level=min(self.level, limit),
            groups={group: min(level, limit) for group, level in self.groups.items()},
            scopes=(),
        )

    def _limit(self, workflow: str, query: str, function: str) -> AccessType:
        targets = {"workflow": workflow, "query": f"{workflow}/{query}", "function": f"{workflow}/{query}/{function}"}
        found = [scope.level for scope in self.scopes if targets.get(scope.kind) == scope.target]
        return max(found, default=AccessType.DENIED)


ANONYMOUS = Caller("anonymous", "anonymous", "anonymous", "http")


def permission(caller: Caller, group: str) -> AccessType:
    """Return the level that ``caller`` holds in ``group``.

    Everybody may view ``Public``. Levels were worked out when the caller was recognised (``directory.py``).
    """
    level = max(caller.level, caller.groups.get(group, AccessType.DENIED))
    if caller.scopes:
        named = (scope.level for scope in caller.scopes if scope.target == group and scope.kind in {"workflow", "m"})
        level = min(level, max(named, default=AccessType.DENIED))
    return AccessType(max(level, AccessType.VIEW) if group == PUBLIC_GROUP else level)


def may_call(
    caller: Caller, workflow: str, query: str, function: str, grants: Iterable[Grant] | None, *, closed: bool
) -> bool:
    """Decide whether ``caller`` may call a function.

    Args:
        caller: who calls.
        workflow: the Workflow's ID, which is also the ID of its group.
        query: the Query's ID.
        function: the function's name.
        grants: what the doc comment names; ``None`` when it names nothing, then Read on the Workflow is needed.
        closed: the documentation could not be read, so nobody may call.
    """
    if closed:
        return False
    caller = caller.inside(workflow, query, function)
    if grants is None:
        return permission(caller, workflow) >= AccessType.READ
    # A grant of ``denied`` names nobody: the original let everybody pass there.
    return any(AccessType.DENIED < g.level <= permission(caller, g.group) for g in grants)
