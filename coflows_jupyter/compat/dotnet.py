"""What code in C#, F# and Visual Basic asks of the Python side of its process: M sets, and who may what.

``runtimes/bridge/Kernel.cs`` has the other side, in the original's words. Whoever asks is the call that runs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from coflows_jupyter.compat.kernel import User, UserData
from coflows_jupyter.mset.m import M


def answer(what: str, arguments: list[Any]) -> Any:
    """Return the answer to a question.

    Args:
        what: names it, ``M.Add`` and the like.
        arguments: plain JSON.
    """
    return _ANSWERS[what](*arguments)


def _of_set(name: str) -> Callable[..., Any]:
    def ask(identity: str, *arguments: Any) -> Any:
        return getattr(M.Base(identity), name)(*arguments)

    return ask


def _person(data: UserData) -> dict[str, str]:
    return dataclasses.asdict(data)


_SET_METHODS = ("Add", "AddID", "Exchange", "ExchangeID", "Remove", "RemoveID", "Delete")
_ANSWERS: Mapping[str, Callable[..., Any]] = {
    **{f"M.{name}": _of_set(name) for name in _SET_METHODS},
    "M.KeyValues": lambda identity: [list(entry) for entry in M.Base(identity).KeyValues()],
    "User.GetContextUser": lambda: _person(User.GetContextUser()),
    "User.ContextUserBySecret": lambda secret: _person(User.ContextUserBySecret(secret)),
    "User.PermissionContext": User.PermissionContext,
}
