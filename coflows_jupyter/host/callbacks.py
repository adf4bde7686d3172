"""What an Agent's functions are offered, so that a host can call them like any other."""

from __future__ import annotations

import inspect
from datetime import datetime
from typing import Any

import msgspec

from coflows_jupyter.queries.arguments import Binder
from coflows_jupyter.runtimes.agent import Agent, Callback, UserFunction, fitting
from coflows_jupyter.runtimes.protocol import Function
from coflows_jupyter.runtimes.signature import describe


def _load(data: list[Any]) -> Any: ...


def _change(id: str, value: Any) -> Any: ...  # noqa: A002 - as an Agent's own functions call it


def _body(data: str) -> Any: ...


def _job(timestamp: datetime, type: str) -> Any: ...  # noqa: A002 - as above


_OFFERED: dict[Callback, UserFunction] = {
    "load": _load,
    "add": _change,
    "exchange": _change,
    "remove": _change,
    "body": _body,
    "job": _job,
}


def callbacks(agent: Agent) -> dict[Callback, tuple[Function, Binder]]:
    """Return an Agent's functions as a host calls them: with all that they are offered, by position."""
    return {name: _callable(name, function) for name, function in agent.functions.items()}


def _callable(callback: Callback, function: UserFunction) -> tuple[Function, Binder]:
    offered = _OFFERED[callback]
    signature = describe(offered, callback)
    binder = Binder(offered, signature)
    signature = msgspec.structs.replace(signature, is_async=inspect.iscoroutinefunction(function))
    return Function(signature, fitting(function)), binder
