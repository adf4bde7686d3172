"""Calls of functions over HTTP, in every form that the original's URLs ever had."""

from __future__ import annotations

import asyncio
import functools
import re
from collections.abc import AsyncIterator, Awaitable
from contextlib import aclosing
from urllib.parse import parse_qsl, urlencode

import msgspec
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError

from coflows_jupyter.access.permissions import AccessType, may_call, permission
from coflows_jupyter.engine import Engine
from coflows_jupyter.errors import CoflowsError, DeniedError, NotAcceptableError, NotFoundError, answer
from coflows_jupyter.host.protocol import ArgumentForm, Call, Result
from coflows_jupyter.queries.catalog import FunctionEntry
from coflows_jupyter.queries.results import MEDIA_TYPES, split_suffix
from coflows_jupyter.server import compression
from coflows_jupyter.server.base import BaseHandler, ClientGoneError

_FORM = "application/x-www-form-urlencoded"
# What browsers ask for whatever they open; from others it is a wish.
_PAGES = {"text/html", "image/svg+xml"}
# A result that is a page may run its own scripts, in an origin that is nobody's: no cookie, no storage, no request.
_PAGE_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline';"
    " img-src data: blob:; font-src data:; frame-ancestors 'self'"
)
# Who does not wait has more time; a function's own time-out counts all the same.
LATER_SECONDS = 3600.0
_DIGITS = re.compile(r"[0-9]{1,9}")
_POSITION = re.compile(r"p(?:\[(\d*)\])?")


class CallHandler(BaseHandler):
    """What all forms share: find the function, ask whether the caller may call it, call, copy the result."""

    def find(self, workflow: str, query: str, function: str) -> tuple[Engine, FunctionEntry]:
        """Find a function that the caller may call.

        Raises:
            NotFoundError, NotReadyError: about the name, for those who may view the Workflow.
            DeniedError: the caller may not call it, or may not even know whether it exists.
        """
        try:
            engine, entry = self.services.workflows.find(workflow, query, function)
        except NotFoundError:
            if permission(self.caller, self.services.group(workflow)) < AccessType.VIEW:
                raise self._denied(workflow) from None
            raise
        if not may_call(self.caller, engine.id, query, function, entry.grants, closed=entry.closed):
            raise self._denied(workflow, entry)
        return engine, entry

    def _denied(self, workflow: str, entry: FunctionEntry | None = None) -> DeniedError:
        if self.refusal:
            return DeniedError(self.refusal)
        if (
            entry is not None
            and entry.closed
            and permission(self.caller, self.services.group(workflow)) >= AccessType.VIEW
        ):
            return DeniedError("nobody may call it: its doc comment can't be read", hint="a build says what is wrong")
        if self.caller.source == "anonymous":
            return DeniedError("a key is needed", hint="send it in the x-api-key header; `coflows key show` prints it")
        return DeniedError("you may not call this function")

    async def call(self, workflow: str, query: str, name: str, form: ArgumentForm, data: bytes) -> None:
        """Call a function and answer with its result.

        Args:
            workflow: the Workflow's ID.
            query: the Query's ID.
            name: the function's name, perhaps with a suffix that names a format.
            form: what ``data`` is.
            data: the raw arguments.
        """
        timing = self.timing
        timing.known()
        try:
            function, accept = wanted(name, self.request.headers.get("Accept", ""))
            engine, entry = self.find(workflow, query, function)
        except (DeniedError, NotFoundError, NotAcceptableError) as error:
            self._note_refusal(workflow, query, name, error)
            raise
        patience = self._patience()
        timeout = entry.timeout or (engine.config.host.timeout if patience is None else LATER_SECONDS)
        caller = self.caller.inside(engine.id, query, function)
        call = Call(self.run_id, query, function, form, data, accept, caller, timeout)
        self._headers["X-Run-Id"] = self.run_id
        if patience is None:
            timing.sent()
            result = await self.until_gone(engine.call(call))
            self._headers["Server-Timing"] = timing.line(result.took)
            await self.respond(result)
        else:
            engine.call_later(call)
            self._headers["Server-Timing"] = timing.line()
            await self._respond_within(patience, engine)

    def _note_refusal(self, workflow: str, query: str, name: str, error: CoflowsError) -> None:
        engine = self.services.workflows.get(workflow)
        if engine is not None:
            denied = isinstance(error, DeniedError)
            status = 401 if denied and not self.is_known else answer(error).status
            call = Call(self.run_id, query, name.partition(".")[0], "query", b"", "", self.caller, 0)
            engine.runs.refuse(call, engine.id, engine.catalog, error, status)

    def _patience(self) -> float | None:
        """How long the caller waits for the result before it wants a run to ask for (RFC 7240); ``None``: till the end.

        Who is unknown could not ask for the run, so the wish is passed over.
        """
        if "Prefer" not in self.request.headers:
            return None
        wishes = re.split(r"[\s,;]+", self.request.headers["Prefer"].lower())
        if "respond-async" not in wishes or self.caller.source == "anonymous":
            return None
        found = next((wish[5:] for wish in wishes if wish.startswith("wait=")), "")
        return min(float(found), LATER_SECONDS) if _DIGITS.fullmatch(found) else 0.0

    async def _respond_within(self, patience: float, engine: Engine) -> None:
        """Answer with the result of a run when it is there in time, else with where the run is."""
        try:
            if patience:
                await self.until_gone(asyncio.wait_for(engine.runs.settled(self.run_id), patience))
        except TimeoutError:
            pass
        except ClientGoneError:
            # Who left before the answer does not know of the run, and waits for nothing.
            await engine.cancel(self.run_id)
            raise
        later = engine.runs.results.get(self.run_id)
        if later is None or later.run is not None:
            await self._say_where(engine)
        else:
            await self.respond(later.outcome())

    async def _say_where(self, engine: Engine) -> None:
        found = await engine.runs.find(self.run_id)
        assert found is not None
        self.set_status(202)
        self.set_header("Location", f"{self.base_url}coflows/api/runs/{self.run_id}")
        self.set_header("Preference-Applied", "respond-async")
        self.write_json(msgspec.json.encode(found[0]))

    async def respond(self, result: Result) -> None:
        """Answer with a result."""
        headers = self._headers
        headers["Content-Type"] = result.content_type
        if result.content_type.startswith("text/html"):
            headers["Content-Security-Policy"] = _PAGE_POLICY
        for header, value in result.headers:
            self.set_header(header, value)
        if result.status != 200:  # noqa: PLR2004 — OK, which the status is already
            self.set_status(result.status)
        packed = compression.applies(result.length, self.request.headers.get("Accept-Encoding", ""), headers)
        body = result.body
        if not isinstance(body, bytes):
            await self._stream(body, result.length, compression.Packer() if packed else None)
        elif not packed:
            self.finish(body)
        elif len(body) < compression.OFF_LOOP:
            self.finish(compression.pack(body))
        else:
            self.finish(await asyncio.to_thread(compression.pack, body))

    async def _stream(self, body: AsyncIterator[bytes], length: int | None, packer: compression.Packer | None) -> None:
        """Copy a body chunk by chunk, never faster than the client reads."""
        if length is not None and packer is None:
            self.set_header("Content-Length", length)
        try:
            async with aclosing(body) as chunks:  # type: ignore[type-var]  # hosts give async generators
                await self.until_gone(self._copy(chunks, packer))
        except (ClientGoneError, StreamClosedError):
            return
        except Exception:
            if not self._headers_written:
                raise
            # The status is sent already. A body that breaks off is the only sign of failure left.
            self.log.warning("run %s failed while its result was sent", self.run_id, exc_info=True)
            self.detach().close()

    async def _copy(self, chunks: AsyncIterator[bytes], packer: compression.Packer | None) -> None:
        async for chunk in chunks:
            if packer is not None:
                chunk = await asyncio.to_thread(packer.take, chunk)  # noqa: PLW2901
            self.write(chunk)
            await self.flush()
        if packer is not None:
            self.write(packer.end())


class QueryHandler(CallHandler):
    """``/flow/query/WID/QID/FUNC``: arguments in the query string or the body; what follows FUNC is ignored."""

    def get(self, workflow: str, query: str, function: str) -> Awaitable[None]:
        """Call with the arguments of the query string."""
        return self.call(workflow, query, function, "query", self.query.encode())

    def post(self, workflow: str, query: str, function: str) -> Awaitable[None]:
        """Call with the arguments of the body: a JSON object by name, a JSON array by position, or a form."""
        body = self.request.body
        if not body:
            return self.get(workflow, query, function)
        kind = self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind.startswith("multipart/"):
            raise HTTPError(415, "send the arguments as JSON or as an URL-encoded form")
        # curl calls everything a form that it is not told about, so a JSON text goes by its looks.
        form: ArgumentForm = "query" if kind == _FORM and body.lstrip()[:1] not in {b"{", b"["} else "json"
        return self.call(workflow, query, function, form, body)

    def head(self, workflow: str, query: str, function: str) -> None:  # type: ignore[override]
        """Answer whether the caller may call the function, without calling it."""
        self.find(workflow, query, wanted(function, "")[0])


class LegacyHandler(CallHandler):
    """``getquery`` and ``getwb``: everything in the query string, arguments as ``p[0]=…&p[1]=…``."""

    def _names(self, parameters: dict[str, str]) -> tuple[str, str, str]:
        workflow = parameters.get("wid") or parameters.get("workbook", "")
        return workflow, parameters.get("qid") or parameters.get("id", ""), parameters.get("name", "")

    def get(self) -> Awaitable[None]:
        """Call with the values of ``p`` in the order of their indices."""
        pairs = parse_qsl(self.query, keep_blank_values=True)
        return self.call(*self._names(dict(pairs)), "query", positional(pairs))

    def head(self) -> None:  # type: ignore[override]
        """Answer whether the caller may call the function, without calling it."""
        workflow, query, name = self._names(dict(parse_qsl(self.query)))
        self.find(workflow, query, wanted(name, "")[0])


def positional(pairs: list[tuple[str, str]]) -> bytes:
    """Return the query string of a call by position: the values of ``p``, ``p[]`` and ``p[i]`` ordered by index."""
    values = []
    for place, (name, value) in enumerate(pairs):
        if found := _POSITION.fullmatch(name):
            values.append((int(found[1]) if found[1] else place, value))
    values.sort(key=lambda item: item[0])
    return urlencode([(f"p[{index}]", value) for index, (_, value) in enumerate(values)]).encode()


@functools.lru_cache(maxsize=1024)
def wanted(name: str, accept: str) -> tuple[str, str]:
    """Split a function's name from a suffix, and choose the media type of the answer.

    Args:
        name: as the URL has it, e.g. ``Add`` or ``Add.csv``.
        accept: the Accept header.

    Returns:
        The name, and the media type; empty means the default for the value.

    Raises:
        NotAcceptableError: the suffix names no format.
    """
    function, kind = split_suffix(name)
    return function, kind or negotiate(accept)


def negotiate(accept: str) -> str:
    """Choose a media type by an Accept header.

    A wildcard leaves the choice to the value. So do browsers, which ask for pages: their list ends in one.
    """
    ranges = []
    for position, item in enumerate(accept.split(",")):
        kind, *parameters = (part.strip() for part in item.split(";"))
        quality = next((q[2:] for q in parameters if q.startswith("q=")), "1")
        try:
            ranges.append((-float(quality), position, kind.lower()))
        except ValueError:
            continue
    kinds = [kind for _, _, kind in sorted(ranges)]
    known = set(MEDIA_TYPES.values()) - (_PAGES if "*/*" in kinds else set())
    for kind in kinds:
        if kind in known:
            return kind
        if kind.endswith("/*") or not kind:
            return ""
    # A single exotic wish: the host knows whether the value has this form.
    return min(ranges)[2] if ranges else ""
