"""Who may do what to an M set.

A group whose ID is that of the set decides, when there is one. Without, code of the Workflow may do everything, as in
the original, and who comes through a door may what they may on the Workflow.
"""

from __future__ import annotations

import msgspec

from coflows_jupyter.access.permissions import AccessType, Caller, permission


def level_at_door(caller: Caller, name: str, workflow: str, *, guarded: bool) -> AccessType:
    """Return what somebody may who comes from outside.

    Args:
        caller: who comes.
        name: the set's ID.
        workflow: ID of the Workflow whose set it is.
        guarded: whether there is a group for the set.
    """
    own = msgspec.structs.replace(caller, scopes=()) if caller.scopes else caller
    level = permission(own, name if guarded else workflow)
    if caller.scopes:
        targets = {("m", name), ("workflow", workflow)}
        named = (scope.level for scope in caller.scopes if (scope.kind, scope.target) in targets)
        level = min(level, max(named, default=AccessType.DENIED))
    return level


def level_in_code(caller: Caller | None, name: str, *, guarded: bool) -> AccessType:
    """Return what code of the Workflow may while it works for ``caller``; ``None`` when it works for nobody."""
    return permission(caller, name) if guarded and caller is not None else AccessType.WRITE
