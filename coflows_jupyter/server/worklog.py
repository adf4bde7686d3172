"""What a Workflow did and printed lately, for those who may write its code."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator

from coflows_jupyter.deploy.progress import Event
from coflows_jupyter.status import EngineEvent

LINES = 2000

run_log = logging.getLogger("coflows.run")


class WorkLog:
    """The latest lines of one Workflow; also what its runs print, which goes to the server's log too."""

    def __init__(self) -> None:
        self._lines: deque[Event] = deque(maxlen=LINES)
        self._number = 0
        self._news = asyncio.Event()

    def output(self, run_id: str, stream: str, text: str) -> None:
        """Take what a run printed."""
        for line in text.splitlines():
            run_log.info("%s %s: %s", run_id, stream, line)
            self.add(run_id, line)

    def event(self, event: EngineEvent) -> None:
        """Take what happened to the Workflow."""
        if event.message and event.kind in {"state", "build"}:
            self.add(event.state, event.message)

    def add(self, step: str, line: str) -> None:
        """Take a line.

        Args:
            step: who says it.
            line: what.
        """
        self._lines.append(Event(time.time(), step, "log", line))
        self._number += 1
        self._news.set()
        self._news = asyncio.Event()

    def tail(self, count: int) -> list[Event]:
        """Return the latest lines."""
        return list(self._lines)[-count:] if count > 0 else []

    async def follow(self) -> AsyncIterator[Event]:
        """Give every line from now on; who reads too slowly misses some."""
        seen = self._number
        while True:
            news, number = self._news, self._number
            for event in self.tail(number - seen):
                yield event
            seen = number
            if self._number == number:
                await news.wait()
