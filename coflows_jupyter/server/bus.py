"""Events of Workflows, handed on to Jupyter's event bus (for Lab) and to every open stream (for everybody else)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from coflows_jupyter.status import EngineEvent

if TYPE_CHECKING:
    from jupyter_events import EventLogger

SCHEMA_ID = "https://schemas.coflows.dev/workflow/v1"
SCHEMA_FILE = Path(__file__).parent / "schemas" / "workflow-v1.yaml"

_BACKLOG = 256

Stream = asyncio.Queue[tuple[int, EngineEvent] | None]


class Events:
    """Gives every event to Jupyter's bus and to each open stream."""

    def __init__(self) -> None:
        self.sequence = 0
        self._bus: EventLogger | None = None
        self._streams: set[Stream] = set()

    def connect(self, bus: EventLogger) -> None:
        """Pass events on to Jupyter's bus from now on."""
        bus.register_event_schema(SCHEMA_FILE)
        self._bus = bus

    def publish(self, event: EngineEvent) -> None:
        """Take one event; must be called on the event loop."""
        self.sequence += 1
        if self._bus is not None:
            self._bus.emit(schema_id=SCHEMA_ID, data=msgspec.to_builtins(event))
        for stream in list(self._streams):
            if stream.full():
                # A reader that does not keep up is better off starting anew than being told half.
                self._streams.discard(stream)
                stream.get_nowait()
                stream.put_nowait(None)
            else:
                stream.put_nowait((self.sequence, event))

    def open(self) -> Stream:
        """Return a queue of all events from now on; ``None`` in it ends it."""
        stream: Stream = asyncio.Queue(_BACKLOG)
        self._streams.add(stream)
        return stream

    def close(self, stream: Stream) -> None:
        """Put no more events into ``stream``."""
        self._streams.discard(stream)

    def close_all(self) -> None:
        """End every stream."""
        for stream in self._streams:
            if not stream.full():
                stream.put_nowait(None)
        self._streams.clear()
