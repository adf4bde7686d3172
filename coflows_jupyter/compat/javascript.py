"""What JavaScript asks of the Python side of its process; ``runtimes/prelude.js`` has the other side."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from coflows_jupyter.compat import dotnet
from coflows_jupyter.runtimes.progress import progress
from coflows_jupyter.runtimes.vault import secret


def answer(what: str, arguments: list[Any]) -> Any:
    """Return the answer to a question; whoever asks is the call that runs.

    Args:
        what: names it, ``python`` and the like.
        arguments: plain JSON.
    """
    asked = _ANSWERS.get(what)
    return asked(*arguments) if asked is not None else dotnet.answer(what, arguments)


def _python(name: str, arguments: list[Any]) -> Any:
    """Call a function of a module: ``Base.library.total``."""
    module, _, function = name.rpartition(".")
    if not module:
        raise ValueError(f"{name!r} names no function of a module; write it like 'Base.library.total'")
    value = getattr(importlib.import_module(module), function)(*arguments)
    if inspect.iscoroutine(value):
        value.close()
        raise TypeError(f"{name} is an async function, which JavaScript can't call")
    return value


_ANSWERS: Mapping[str, Callable[..., Any]] = {
    "python": _python,
    "secret": lambda name: str(secret(name)),
    "progress": progress,
}
