"""The stream of events, for clients without Lab."""

from __future__ import annotations

import asyncio

import msgspec
from tornado.iostream import StreamClosedError

from coflows_jupyter.access.permissions import AccessType, permission
from coflows_jupyter.errors import DeniedError
from coflows_jupyter.server.base import BaseHandler, ClientGoneError
from coflows_jupyter.server.bus import Stream
from coflows_jupyter.status import EngineEvent

HEARTBEAT_SECONDS = 15.0


class EventsHandler(BaseHandler):
    """``GET /coflows/api/events``: the state of each Workflow, then every event as it happens."""

    async def get(self) -> None:
        """Stream events until the reader leaves or the server stops."""
        self.set_header("Content-Type", "text/event-stream")
        events = self.services.events
        stream = events.open()
        try:
            await self.flush()  # who listens knows at once that it may
            for engine in self.services.workflows:
                await self._send(events.sequence, EngineEvent(engine.id, "state", engine.state))
            await self.until_gone(self._follow(stream))
        except (ClientGoneError, DeniedError, StreamClosedError):
            pass
        finally:
            events.close(stream)

    async def _follow(self, stream: Stream) -> None:
        while not self.gone:
            try:
                item = await asyncio.wait_for(stream.get(), HEARTBEAT_SECONDS)
            except TimeoutError:
                # A comment: proxies close what is silent, and a write is the only way to notice that a reader left.
                self.write(b":\n\n")
                await self.flush()
                continue
            if item is None:
                return
            await self._send(*item)

    async def _send(self, sequence: int, event: EngineEvent) -> None:
        if permission(self.caller, event.workflow) >= AccessType.VIEW:
            data = msgspec.json.encode(event)
            self.write(b"id: %d\nevent: %s\ndata: %s\n\n" % (sequence, event.kind.encode(), data))
            await self.flush()
