"""The seam between the server and the place where user code runs."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import AsyncIterator
from typing import Literal, Protocol

import msgspec

from coflows_jupyter.access.permissions import Caller
from coflows_jupyter.build.model import Build
from coflows_jupyter.errors import Diagnostic
from coflows_jupyter.queries.catalog import Catalog

ArgumentForm = Literal["query", "json"]

_run_prefix = secrets.token_hex(5)
_run_numbers = itertools.count(1)


def new_run_id() -> str:
    """Return a fresh run ID: unique in the world, ascending within this process, safe in URLs and file names."""
    return f"{_run_prefix}-{next(_run_numbers):x}"


class Call(msgspec.Struct, frozen=True):
    """One call of a function, as it came in: nothing is decoded before the host.

    Args:
        run_id: names the run everywhere, in answers and logs.
        query: the Query's ID.
        function: the function's name.
        form: ``query`` for a URL query string or form body, ``json`` for a JSON document.
        data: the raw arguments in that form; keys of callers are already taken out.
        accept: wanted media type; empty means the default for the value (JSON for data).
        caller: who calls.
        timeout: seconds until the deadline.
    """

    run_id: str
    query: str
    function: str
    form: ArgumentForm
    data: bytes
    accept: str
    caller: Caller
    timeout: float


class Took(msgspec.Struct, array_like=True, frozen=True):
    """Where the host's time for a call went, in seconds.

    Args:
        bind: making the function's arguments.
        run: the function; of a stream, until it gave its generator.
        encode: making bytes of what it returned; of a stream, nothing.
    """

    bind: float = 0.0
    run: float = 0.0
    encode: float = 0.0


_NOTHING = Took()


class Result:
    """What a call gives back.

    Attributes:
        status: HTTP status, 200 for an ordinary result.
        content_type: media type of ``body``.
        headers: further headers.
        body: the whole body, or chunks that are asked for as the reader goes (large results and streams).
        length: size in bytes when it is known before the end, else ``None``.
        took: where the host's time went.
    """

    __slots__ = ("body", "content_type", "headers", "length", "status", "took")

    def __init__(
        self,
        status: int,
        content_type: str,
        body: bytes | AsyncIterator[bytes],
        headers: tuple[tuple[str, str], ...] = (),
        length: int | None = None,
        took: Took = _NOTHING,
    ) -> None:
        self.status = status
        self.content_type = content_type
        self.body = body
        self.headers = headers
        self.length = len(body) if isinstance(body, bytes) else length
        self.took = took


class Loaded(msgspec.Struct, frozen=True):
    """The outcome of loading a Build.

    Args:
        catalog: what can be called.
        diagnostics: every finding.
        complete: whether every unit was loaded; a unit whose documentation is unreadable is loaded, and closed.
    """

    catalog: Catalog
    diagnostics: tuple[Diagnostic, ...] = ()
    complete: bool = True

    @property
    def ok(self) -> bool:
        """Whether no finding is an error."""
        return not any(d.severity == "error" for d in self.diagnostics)


class Host(Protocol):
    """A place where user code runs; it loads one Build and never another."""

    async def load(self, build: Build) -> Loaded:
        """Load ``build``; findings about the user's code come back as diagnostics.

        Raises:
            CrashedError: the host ended while loading.
        """

    async def call(self, call: Call) -> Result:
        """Run a function and give its encoded result.

        A cancelled ``await`` cancels the call in the host too.

        Raises:
            NotFoundError, ArgumentsError, NotAcceptableError, FunctionError: about the call.
            BusyError, NotReadyError, CrashedError, TimedOutError, CancelledError: about the host.
        """

    async def cancel(self, run_id: str) -> None:
        """Ask a running call to stop; unknown IDs are ignored."""

    async def close(self, drain: float) -> None:
        """Take no new calls, wait ``drain`` seconds at most for those in flight, then end."""
