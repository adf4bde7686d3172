"""The stream of what happens to an M set: server-sent events, a WebSocket, or one page at a time."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import msgspec
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from coflows_jupyter.access.permissions import AccessType
from coflows_jupyter.errors import ArgumentsError, DeniedError, FieldError
from coflows_jupyter.mset.model import Page, event
from coflows_jupyter.server.base import ClientGoneError
from coflows_jupyter.server.models import MPage
from coflows_jupyter.server.msets import MHandler

HEARTBEAT_SECONDS = 15.0

STUCK_SECONDS = 60.0
"""How long one write may take; a reader that reads nothing is cut off then, and goes on where it was."""

_PAGE = 100


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
        async with asyncio.timeout(STUCK_SECONDS):
            await self.flush()

    async def _write_heartbeat(self) -> None:
        # A comment: proxies close what is silent, and a write is the only way to notice that a reader left.
        self.write(b":\n\n")
        async with asyncio.timeout(STUCK_SECONDS):
            await self.flush()

    async def _follow(self, write: Any, beat: Any) -> None:
        """Write every change, until the reader leaves, takes nothing, or may not read any more.

        The log is the buffer: a page is read when the one before is on its way, however slow the reader is.
        """
        name, store, loop = self._name, self.engine_of().m.store, asyncio.get_running_loop()
        wake = asyncio.Event()

        def listen(_page: Page) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: the server stops
                loop.call_soon_threadsafe(wake.set)

        after = self._after(-1)
        if after < 0:
            after = (await asyncio.to_thread(store.changes, name, -1)).seq
        stop = await asyncio.to_thread(store.subscribe, name, after, listen)
        try:
            await write("ready", after, b"{}")
            while not self.gone:
                wake.clear()
                page = await self._page(after)
                await self._write_page(write, page)
                if page.seq == after and not page.reset:
                    await self._rest(wake, beat)
                after = page.seq
        except TimeoutError:
            self._cut_off()
        finally:
            stop()

    async def _page(self, after: int) -> Page:
        # It asks each time whether the caller may read: a group may have been made, or somebody taken out of it.
        name = self._name
        return await self.work(name, AccessType.READ, lambda store: store.changes(name, after, _PAGE))

    @staticmethod
    async def _write_page(write: Any, page: Page) -> None:
        if page.reset:
            await write("reset", page.seq, b"{}")
        for logged in page.changes:
            await write(logged.op, logged.seq, msgspec.json.encode(event(logged)))

    @staticmethod
    async def _rest(wake: asyncio.Event, beat: Any) -> None:
        try:
            await asyncio.wait_for(wake.wait(), HEARTBEAT_SECONDS)
        except TimeoutError:
            await beat()

    def _cut_off(self) -> None:
        stream = getattr(self.request.connection, "stream", None)
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
        async with asyncio.timeout(STUCK_SECONDS):
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
