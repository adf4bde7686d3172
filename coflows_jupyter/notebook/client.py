"""A client of a running server."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import msgspec

from coflows_jupyter import errors
from coflows_jupyter.access.permissions import Caller, Door
from coflows_jupyter.errors import (
    ArgumentsError,
    CoflowsError,
    FieldError,
    FunctionError,
    NotAcceptableError,
    UnreachableError,
)
from coflows_jupyter.jsonform import to_json
from coflows_jupyter.runs.model import Filter, RunModel
from coflows_jupyter.runtimes.protocol import Parameter
from coflows_jupyter.server.runfile import RunFile
from coflows_jupyter.status import BuildReport

CONNECT_SECONDS = 5.0
_NONE: Mapping[str, str] = {}
_URN = "urn:coflows:error:"


class FunctionInfo(msgspec.Struct, frozen=True):
    """A function as the server describes it."""

    name: str
    url: str
    description: str = ""
    returns: str = ""
    parameters: tuple[Parameter, ...] = ()


class QueryInfo(msgspec.Struct, frozen=True):
    """A Query as the server describes it."""

    id: str
    functions: tuple[FunctionInfo, ...] = ()


class QueryList(msgspec.Struct, frozen=True):
    """All Queries of a Workflow, and the Build that they belong to."""

    build: str
    queries: tuple[QueryInfo, ...] = ()


class BuildInfo(msgspec.Struct, frozen=True):
    """The part of a Workflow's build status that tells whether something changed."""

    id: str


class WorkflowInfo(msgspec.Struct, frozen=True):
    """The part of a Workflow's status that a client needs."""

    id: str
    folder: str = ""
    config: str = ""
    build: BuildInfo | None = None


class _Me(msgspec.Struct, frozen=True):
    id: str
    name: str
    level: int
    email: str
    first_name: str
    last_name: str
    groups: dict[str, int]


class _WorkflowList(msgspec.Struct, frozen=True):
    workflows: tuple[WorkflowInfo, ...]


class _Problem(msgspec.Struct, frozen=True):
    """RFC 9457 problem details, as our routes give them."""

    type: str = "about:blank"
    title: str = ""
    detail: str = ""
    hint: str = ""
    errors: tuple[FieldError, ...] = ()
    traceback: str = ""


class _RunList(msgspec.Struct, frozen=True):
    runs: list[RunModel]


class Client:
    """Talks to one server.

    Args:
        server: where it is and what opens it.
        door: what to call ourselves in the history.
    """

    def __init__(self, server: RunFile, door: Door = "notebook") -> None:
        self._http = httpx.Client(
            base_url=server.url,
            # On the way within a computer, compression costs more time than it wins.
            headers={"x-api-key": server.key, "X-Coflows-Door": door, "Accept-Encoding": "identity"},
            # The server ends a call at its deadline; a limit here could only be a second, shorter truth.
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
            # The server is on this computer: no proxy lies between.
            trust_env=False,
        )

    def workflows(self) -> tuple[WorkflowInfo, ...]:
        """Return the Workflows that the server has open."""
        return msgspec.json.decode(self._get("coflows/api/workflows"), type=_WorkflowList).workflows

    def me(self) -> Caller:
        """Return who the key that we present speaks for."""
        me = msgspec.json.decode(self._get("coflows/api/me"), type=_Me)
        return Caller(
            me.id, me.name, "key", "notebook", me.level, me.email, me.first_name, me.last_name, groups=me.groups
        )

    def queries(self, workflow: str) -> QueryList:
        """Return a Workflow's Queries with their functions."""
        path = f"coflows/api/workflows/{quote(workflow, safe='')}/queries"
        return msgspec.json.decode(self._get(path), type=QueryList)

    def build(self, workflow: str) -> BuildReport:
        """Build a Workflow and return the outcome."""
        path = f"coflows/api/workflows/{quote(workflow, safe='')}/build"
        response = self._send(self._http.build_request("POST", path))
        return msgspec.json.decode(response.read(), type=BuildReport)

    @property
    def url(self) -> str:
        """The server's base URL, with a slash at the end."""
        return str(self._http.base_url)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Return what a route of the native REST API answers.

        Args:
            method: GET, POST, …
            path: below the base URL.
            body: what to send as JSON, ``None`` for nothing.
        """
        content = None if body is None else msgspec.json.encode(body)
        headers = {"Content-Type": "application/json"} if content else {}
        return _value(self._send(self._http.build_request(method, path, content=content, headers=headers)))

    def _get(self, path: str) -> bytes:
        response = self._send(self._http.build_request("GET", path))
        return response.read()

    def call(self, url: str, arguments: object) -> Any:
        """Call a function; every error is the one that the function's server gave.

        Args:
            url: of the function, relative to the server's.
            arguments: an object by name or an array by position; values may be whatever a function may return.

        Returns:
            Plain Python values for JSON, an iterator for a stream, else text or bytes.
        """
        return _value(self._post(url, arguments, {}))

    def start(self, url: str, arguments: object) -> str:
        """Start a call without waiting for its result; see ``call``.

        Returns:
            The ID of its run.
        """
        response = self._post(url, arguments, {"Prefer": "respond-async"})
        response.read()
        return response.headers["X-Run-Id"]

    def _post(self, url: str, arguments: object, headers: Mapping[str, str]) -> httpx.Response:
        try:
            body = to_json(arguments)
        except NotAcceptableError as error:
            raise ArgumentsError(f"an argument can't be sent: {error}") from None
        headers = {"Content-Type": "application/json", **headers}
        return self._send(self._http.build_request("POST", url, content=body, headers=headers))

    # -- runs ----------------------------------------------------------------------------------------------------------

    def runs(self, wanted: Filter) -> list[RunModel]:
        """Return runs, the latest first."""
        query = urlencode({name: value for name, value in msgspec.structs.asdict(wanted).items() if value})
        return msgspec.json.decode(self._get(f"coflows/api/runs?{query}"), type=_RunList).runs

    def run(self, run_id: str) -> RunModel:
        """Return a run."""
        return msgspec.json.decode(self._get(_path(run_id)), type=RunModel)

    def run_log(self, run_id: str) -> str:
        """Return what a run printed and logged."""
        return self._get(_path(run_id, "log")).decode()

    def events(self, run_id: str) -> Iterator[tuple[str, Any]]:
        """Give what happens in a run until it ends: ``log``, ``progress`` and last ``end``, each with its data."""
        kind = ""
        with contextlib.closing(self._send(self._http.build_request("GET", _path(run_id, "events")))) as response:
            for line in response.iter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    kind = value
                elif name == "data":
                    yield kind, msgspec.json.decode(value)

    def result(self, run_id: str) -> Any:
        """Return the result of a run that was started and has ended; see ``call``."""
        return _value(self._send(self._http.build_request("GET", _path(run_id, "result"))))

    def cancel(self, run_id: str) -> RunModel:
        """Ask a run to stop."""
        response = self._send(self._http.build_request("POST", _path(run_id, "cancel")))
        return msgspec.json.decode(response.read(), type=RunModel)

    def rerun(self, run_id: str) -> Any:
        """Call a run's function again with the same arguments; see ``call``."""
        return _value(self._send(self._http.build_request("POST", _path(run_id, "rerun"))))

    def request(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] = _NONE) -> httpx.Response:
        """Send a request; the answer's body is still to be read, and closed.

        Args:
            method: of HTTP.
            path: relative to the server's URL.
            body: a JSON document, or nothing.
            headers: further ones.

        Raises:
            CoflowsError: the one that the server answered with.
            UnreachableError: it did not answer.
        """
        kind = {"Content-Type": "application/json"} if body else {}
        return self._send(self._http.build_request(method, path, content=body, headers={**kind, **headers}))

    def _send(self, request: httpx.Request) -> httpx.Response:
        try:
            response = self._http.send(request, stream=True)
            if response.is_error:
                response.read()
        except httpx.TransportError as error:
            message = f"the server at {self._http.base_url} does not answer: {error}"
            raise UnreachableError(message, hint="does it still run?") from None
        if response.is_error:
            raise _error(response)
        return response


def _path(run_id: str, part: str = "") -> str:
    return f"coflows/api/runs/{quote(run_id, safe='')}" + (f"/{part}" if part else "")


def _value(response: httpx.Response) -> Any:
    """Return what a function gave back: plain Python values for JSON, an iterator for a stream, else text or bytes."""
    media_type = response.headers.get("Content-Type", "").partition(";")[0]
    if media_type == "application/x-ndjson":
        return _records(response)
    content = response.read()
    if media_type == "application/json":
        return msgspec.json.decode(content)
    return response.text if media_type.startswith("text/") else content


def _records(response: httpx.Response) -> Iterator[Any]:
    with contextlib.closing(response):
        for line in response.iter_lines():
            if line:
                yield msgspec.json.decode(line)


def _error(response: httpx.Response) -> CoflowsError:
    """Make the error that the server had."""
    try:
        problem = msgspec.json.decode(response.content, type=_Problem)
    except msgspec.MsgspecError:
        return UnreachableError(f"{response.url} answered {response.status_code} {response.reason_phrase}")
    name = "".join(part.title() for part in problem.type.removeprefix(_URN).split("-")) + "Error"
    kind = getattr(errors, name, CoflowsError)
    message = problem.detail or problem.title
    if kind is ArgumentsError:
        details = [f"{field.field}: {field.message}" for field in problem.errors]
        return ArgumentsError("; ".join([message, *details]), problem.errors)
    if kind is FunctionError:
        return FunctionError(message, traceback=problem.traceback)
    error: CoflowsError = kind(message, hint=problem.hint)
    return error
