"""``user()`` and ``permission(group)``: what user code may know of whoever called it."""

from __future__ import annotations

from typing import NamedTuple

from coflows_jupyter.access.permissions import AccessType, Caller
from coflows_jupyter.access.permissions import permission as held
from coflows_jupyter.runtimes.context import current

# Outside of a call, e.g. in a notebook, code is its author's.
_AUTHOR = Caller("local", "local", "local", "notebook", AccessType.WRITE)


class User(NamedTuple):
    """Who called.

    Args:
        id: of the account; ``root`` for the server's own key, ``anonymous`` for who presented nothing.
        email: the person's address, empty where there is none.
        first_name: the person's.
        last_name: the person's.
        name: what to show.
        key: ID of the key that was presented, if it was a person's.
    """

    id: str
    email: str
    first_name: str
    last_name: str
    name: str
    key: str


def _caller() -> Caller:
    call = current()
    return _AUTHOR if call is None else call.caller


def user() -> User:
    """Return who called the function that runs."""
    caller = _caller()
    key = caller.key if caller.source == "key" else ""
    return User(caller.id, caller.email, caller.first_name, caller.last_name, caller.name, key)


def permission(group: str) -> AccessType:
    """Return what the caller may in a group, a number from -1 (denied) to 2 (write).

    Args:
        group: its ID; a Workflow's ID, ``$WID$``, is its group's.
    """
    return held(_caller(), group)
