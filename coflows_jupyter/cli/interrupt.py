"""Coroutines of commands, which Ctrl-C ends whenever it comes."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Awaitable, Iterator
from typing import TypeVar

T = TypeVar("T")


def run(work: Awaitable[T]) -> T:
    """Do ``work`` to its end on an event loop of its own.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed; ``work`` was cancelled.
    """

    async def heard() -> T:
        with _awake():
            return await work

    return asyncio.run(heard())


@contextlib.contextmanager
def _awake() -> Iterator[None]:
    """Let every signal wake the loop up.

    ``asyncio.run`` handles Ctrl-C, but the handler of a signal that comes to another thread, or right before the loop
    begins to wait, would only run when something else wakes it up.
    """
    if sys.platform == "win32":  # its loop wakes up by itself
        yield
        return
    reader, writer = socket.socketpair()
    with reader, writer:
        writer.setblocking(False)
        loop = asyncio.get_running_loop()
        loop.add_reader(reader, reader.recv, 4096)
        before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(before)
            loop.remove_reader(reader)
