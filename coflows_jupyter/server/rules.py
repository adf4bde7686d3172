"""What a caller needs for a route, and the one place that decides it."""

from __future__ import annotations

from enum import Enum

from coflows_jupyter.access.permissions import ADMINISTRATORS, AccessType, Caller, permission
from coflows_jupyter.errors import DeniedError


class Rule(Enum):
    """What one method of a route asks for.

    * ``PUBLIC``: nothing; the answer holds nothing about a Workflow.
    * ``FUNCTION``: what the function's doc comment asks for; the handler decides with ``may_call``.
    * ``IDENTIFIED``: to be known; the handler shows each Workflow to those who may view it.
    * ``VIEW``, ``READ``, ``WRITE``: that permission on the Workflow, or in the group, that the URL names.
    * ``ADMINISTRATOR``: Write in the group Administrator.
    """

    PUBLIC = "public"
    FUNCTION = "function"
    IDENTIFIED = "identified"
    VIEW = "view"
    READ = "read"
    WRITE = "write"
    ADMINISTRATOR = "administrator"


_LEVELS = {Rule.VIEW: AccessType.VIEW, Rule.READ: AccessType.READ, Rule.WRITE: AccessType.WRITE}


def enforce(rule: Rule, caller: Caller, group: str) -> None:
    """Let ``caller`` pass or not.

    Args:
        rule: what the route asks for.
        caller: who calls.
        group: ID of the Workflow or the group that the URL names, empty when it names none.

    Raises:
        DeniedError: the caller lacks what the rule asks for.
    """
    if rule is Rule.PUBLIC or rule is Rule.FUNCTION:
        return
    if caller.source == "anonymous":
        raise DeniedError("a key is needed", hint="send it in the x-api-key header; `coflows key show` prints it")
    if rule is Rule.ADMINISTRATOR and permission(caller, ADMINISTRATORS) < AccessType.WRITE:
        raise DeniedError(f"this needs Write in the group {ADMINISTRATORS}")
    level = _LEVELS.get(rule)
    if level is not None and permission(caller, group) < level:
        raise DeniedError(f"this needs {level.name.title()} on the Workflow or in the group")
