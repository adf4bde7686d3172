"""Time, as the scheduler sees it: nothing else in ``agents/`` asks for it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Protocol


class Clock(Protocol):
    """What time it is, and waiting for it to pass."""

    def now(self) -> int:
        """Return microseconds since 1970 in UTC."""

    def steady(self) -> float:
        """Return seconds since some moment, which nobody sets."""

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """Return when ``event`` is set or so many seconds have passed."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> int:
        """Return microseconds since 1970 in UTC."""
        return time.time_ns() // 1000

    def steady(self) -> float:
        """Return seconds since some moment, which nobody sets."""
        return time.monotonic()

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """Return when ``event`` is set or so many seconds have passed."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), seconds)
