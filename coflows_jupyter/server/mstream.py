"""The stream of what happens to an M set: server-sent events, a WebSocket, or one page at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import msgspec
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from coflows_jupyter.access.permissions import AccessType
from coflows_jupyter.errors import ArgumentsError, DeniedError, FieldError
from coflows_jupyter.mset.model import Logged, Page, event
from coflows_jupyter.server.base import ClientGoneError
from coflows_jupyter.server.models import MPage
from coflows_jupyter.server.msets import MHandler

HEARTBEAT_SECONDS = 15.0

BACKLOG = 16 * 2**20
"""Bytes that may wait for a slow reader; one that lets more come together is cut off, and resumes where it was."""

_OVERHEAD = 500  # bytes of a change beside its value


class _Backlog:
    """Pages on their way from the store's thread to one reader."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._pages: asyncio.Queue[Page] = asyncio.Queue()
        self._reader: asyncio.Task[Any] | None = asyncio.current_task()
        self._waiting = 0

    def put(self, page: Page) -> None:
        """Take a page, on whatever thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the server stops
            self._loop.call_soon_threadsafe(self._put, page)

    def _put(self, page: Page) -> None:
        if self._reader is None:
            return
        self._waiting += sum(map(_size, page.changes))
        self._pages.put_nowait(page)
        if self._waiting > BACKLOG:
            # It may be waiting for its client to read, so that it would not look at a mark in the queue.
            self._reader.cancel(_TOO_SLOW)
            self._reader = None

    def written(self, logged: Logged) -> None:
        """Take note that the reader has a change."""
        self._waiting -= _size(logged)

    async def get(self) -> Page | None:
        """Return the next page; ``None`` when none came for a while."""
        try:
            return await asyncio.wait_for(self._pages.get(), HEARTBEAT_SECONDS)
        except TimeoutError:
            return None


def _size(logged: Logged) -> int:
    return len(logged.value) + _OVERHEAD


_TOO_SLOW = "the reader does not keep up"


class MChangesHandler(WebSocketHandler, MHandler):
    """``GET /coflows/api/m-changes/SET``."""

    async def get(self, *args: str, **kwargs: str) -> None:
        """Stream changes after ``after`` or ``Last-Event-ID``, by default from now on; a page of them as JSON."""
        name = kwargs["name"]
        self._name = name
        await self.work(name, AccessType.READ, lambda _: None)
        if self.request.headers.get("Upgrade", "").lower() == "websocket":
            await super().get(*args, **kwargs)
        elif "text/event-stream" in self.request.headers.get("Accept", ""):
            await self._stream_events()
        else:
            page = await self.work(name, AccessType.READ, lambda store: store.changes(name, self._after(0)))
            self.write_json(msgspec.json.encode(_answer(page)))

    def _after(self, default: int) -> int:
        text = self.options_of().get("after") or self.request.headers.get("Last-Event-ID", "")
        try:
            return int(text) if text else default
        except ValueError:
            raise ArgumentsError("after is no whole number", [FieldError("after", "is no number", text)]) from None

    # -- server-sent events --------------------------------------------------------------------------------------------

    async def _stream_events(self) -> None:
        self.set_header("Content-Type", "text/event-stream")
        with contextlib.suppress(ClientGoneError, DeniedError, StreamClosedError, WebSocketClosedError):
            await self.until_gone(self._follow(self._write_event, self._write_heartbeat))

    async def _write_event(self, kind: str, seq: int, data: bytes) -> None:
        self.write(b"id: %d\nevent: %s\ndata: %s\n\n" % (seq, kind.encode(), data))
        await self.flush()

    async def _write_heartbeat(self) -> None:
        # A comment: proxies close what is silent, and a write is the only way to notice that a reader left.
        self.write(b":\n\n")
        await self.flush()

    async def _follow(self, write: Any, beat: Any) -> None:
        """Write every change, until the reader leaves, is too slow, or may not read any more."""
        name, store = self._name, self.engine_of().m.store
        backlog = _Backlog()
        after = self._after(-1)
        if after < 0:
            after = (await asyncio.to_thread(store.changes, name, -1)).seq
        await write("ready", after, b"{}")
        # What there was before is read as the reader goes; only what comes from now on can be too much for it.
        while (page := await self._page(after)).seq != after or page.reset:
            await self._write_page(write, page)
            after = page.seq
        stop = await asyncio.to_thread(store.subscribe, name, after, backlog.put)
        try:
            while not self.gone:
                arrived = await backlog.get()
                # Asked again each time: a group may have been made, or somebody taken out of it.
                await self.work(name, AccessType.READ, lambda _: None)
                if arrived is None:
                    await beat()
                else:
                    await self._write_page(write, arrived, backlog.written)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if _TOO_SLOW not in error.args or task is None:
                raise
            task.uncancel()
            self.close_slow()
        finally:
            stop()

    async def _page(self, after: int) -> Page:
        name = self._name
        return await self.work(name, AccessType.READ, lambda store: store.changes(name, after))

    @staticmethod
    async def _write_page(write: Any, page: Page, written: Callable[[Logged], None] = lambda _: None) -> None:
        if page.reset:
            await write("reset", page.seq, b"{}")
        for logged in page.changes:
            await write(logged.op, logged.seq, msgspec.json.encode(event(logged)))
            written(logged)

    def close_slow(self) -> None:
        """Cut off a reader that does not keep up; what it has not read is still in the log."""
        connection = self.request.connection
        stream = getattr(connection, "stream", None)
        if stream is not None:
            stream.close()

    # -- WebSocket -----------------------------------------------------------------------------------------------------

    def open(self, *_args: str, **_kwargs: str) -> None:
        """Begin to send changes: one JSON document each, with ``op`` ``ready`` first."""
        self._pump = asyncio.get_running_loop().create_task(self._send_all())

    async def _send_all(self) -> None:
        with contextlib.suppress(ClientGoneError, DeniedError, StreamClosedError, WebSocketClosedError):
            await self.until_gone(self._follow(self._send, self._beat))
        self.close()

    async def _send(self, kind: str, seq: int, data: bytes) -> None:
        document = data if data != b"{}" else msgspec.json.encode({"op": kind, "seq": seq})
        await self.write_message(document)

    async def _beat(self) -> None:
        self.ping()

    def on_message(self, message: str | bytes) -> None:
        """Ignore what a client says: changes are made over HTTP."""

    def on_connection_close(self) -> None:
        """Stop working for a client that left."""
        MHandler.on_connection_close(self)
        super().on_connection_close()


def _answer(page: Page) -> MPage:
    return MPage([event(logged) for logged in page.changes], page.seq, page.reset)
