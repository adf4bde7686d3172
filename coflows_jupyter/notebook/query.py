"""The ``query`` object of a notebook: ``query.pyapi.Add(1, 2)``."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from coflows_jupyter.errors import ArgumentsError, CoflowsError, FieldError, FunctionError, NotFoundError, nearest
from coflows_jupyter.notebook.client import Client, FunctionInfo, QueryInfo, QueryList, WorkflowInfo
from coflows_jupyter.notebook.run import Started
from coflows_jupyter.notebook.servers import find_server
from coflows_jupyter.notebook.signatures import make_doc, make_signature

T = TypeVar("T")

FRESH_SECONDS = 1.0


class Callee(Protocol):
    """What answers: a server by its ``Client``, or a Workflow opened in this process."""

    def workflows(self) -> tuple[WorkflowInfo, ...]:
        """See ``Client.workflows``."""

    def queries(self, workflow: str) -> QueryList:
        """See ``Client.queries``."""

    def call(self, url: str, arguments: object) -> Any:
        """See ``Client.call``."""


class Directory:
    """What can be asked, kept for a moment and read again when a Build changed it.

    Args:
        client: what answers; by default this kernel's server, looked for when it is first needed.
    """

    def __init__(self, client: Callee | None = None) -> None:
        self._client = client
        self._lists: dict[str, QueryList] = {}
        self._read = -math.inf

    @property
    def client(self) -> Callee:
        """What answers."""
        if self._client is None:
            self._client = Client(find_server())
        return self._client

    def queries(self, *, now: bool = False) -> dict[str, QueryInfo]:
        """Return the Queries by ID; one that several Workflows have is called ``WORKFLOW/QUERY`` instead.

        Args:
            now: ask the server even if that was done a moment ago.
        """
        if now or time.monotonic() - self._read > FRESH_SECONDS:
            self._lists = {
                workflow.id: self._list(workflow.id, workflow.build.id)
                for workflow in self.client.workflows()
                if workflow.build is not None
            }
            self._read = time.monotonic()
        found: dict[str, list[tuple[str, QueryInfo]]] = {}
        for workflow, listed in self._lists.items():
            for query in listed.queries:
                found.setdefault(query.id, []).append((workflow, query))
        return {
            query.id if len(same) == 1 else f"{workflow}/{query.id}": query
            for same in found.values()
            for workflow, query in same
        }

    def _list(self, workflow: str, build: str) -> QueryList:
        known = self._lists.get(workflow)
        return known if known is not None and known.build == build else self.client.queries(workflow)


class Queries:
    """All Queries that can be called: ``query.ID.FUNCTION(…)``, or ``query["ID"]`` where an ID is no Python name.

    Args:
        directory: what the server offers.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def __getattr__(self, name: str) -> Query:
        return _attribute(self.__getitem__, name)

    def __getitem__(self, name: str) -> Query:
        if name not in self._directory.queries() and name not in (found := self._directory.queries(now=True)):
            raise _unknown("Query", name, found)
        return Query(self._directory, name)

    def __dir__(self) -> list[str]:
        return [name for name in self._directory.queries() if name.isidentifier()]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._directory.queries())

    def __repr__(self) -> str:
        return f"Queries: {', '.join(self._directory.queries()) or 'none'}"


class Query:
    """One Query; its functions are its attributes.

    Args:
        directory: what the server offers.
        name: what ``directory`` calls it.
    """

    def __init__(self, directory: Directory, name: str) -> None:
        self._directory = directory
        self._name = name

    def _functions(self, *, now: bool = False) -> dict[str, FunctionInfo]:
        found = self._directory.queries(now=now).get(self._name)
        return {function.name: function for function in found.functions} if found else {}

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return _attribute(self.__getitem__, name)

    def __getitem__(self, name: str) -> Callable[..., Any]:
        found = self._functions()
        if name not in found and name not in (found := self._functions(now=True)):
            raise _unknown(f"function in {self._name}", name, found)
        return make_function(self._directory.client, found[name])

    def __dir__(self) -> list[str]:
        return [name for name in self._functions() if name.isidentifier()]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._functions())

    def __repr__(self) -> str:
        return "\n".join(f"{self._name}.{f.name}{make_signature(f.parameters)}" for f in self._functions().values())


def make_function(client: Callee, info: FunctionInfo) -> Callable[..., Any]:
    """Make a Python function that calls ``info`` and looks like it in help and completion."""

    def start(*args: Any, **kwargs: Any) -> Started:
        """Start a call and return its run, which has the result later."""
        if not isinstance(client, Client):
            raise CoflowsError("only a server can answer later")
        return Started(client, client.start(info.url, _arguments(info, args, kwargs)), info.name)

    def function(*args: Any, **kwargs: Any) -> Any:
        try:
            return client.call(info.url, _arguments(info, args, kwargs))
        except CoflowsError as error:
            if isinstance(error, FunctionError) and error.traceback:
                error.add_note(f"On the server:\n{error.traceback.rstrip()}")
            # Where in this package it was noticed tells a user nothing.
            raise error.with_traceback(None) from None

    function.__name__ = function.__qualname__ = info.name
    function.__doc__ = make_doc(info.description, info.parameters, info.returns)
    function.start = start  # type: ignore[attr-defined]  # what notebooks call
    function.__signature__ = make_signature(info.parameters)  # type: ignore[attr-defined]  # what inspect looks for
    return function


def _arguments(info: FunctionInfo, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any] | dict[str, Any]:
    """Name the arguments: an array may mean the value of a function's only parameter.

    Only what goes to a variadic parameter has no name.
    """
    if not kwargs and any(parameter.kind == "var_positional" for parameter in info.parameters):
        return list(args)
    names = [parameter.name for parameter in info.parameters if parameter.kind == "positional"]
    if len(args) > len(names):
        raise ArgumentsError(f"{info.name} takes {len(names)} arguments by position, not {len(args)}")
    named = dict(zip(names, args, strict=False))
    if twice := [FieldError(name, "given by position and by name") for name in kwargs if name in named]:
        raise ArgumentsError(f"{info.name} got an argument twice: {twice[0].field}", twice)
    return named | kwargs


def _attribute(get: Callable[[str], T], name: str) -> T:
    # Probes of IPython and others: asking the server about them would be slow and pointless.
    if name.startswith("_"):
        raise AttributeError(name)
    try:
        return get(name)
    except NotFoundError as error:
        raise AttributeError(f"{error}: {error.hint}") from None


def _unknown(kind: str, name: str, names: Iterable[str]) -> NotFoundError:
    near = nearest(name, names)
    hint = f"did you mean {near}?" if near else f"there are: {', '.join(names) or 'none'}"
    return NotFoundError(f"there is no {kind} {name!r}", hint=hint)
