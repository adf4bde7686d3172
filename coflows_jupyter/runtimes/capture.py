"""Sends what user code prints and logs to the call it was printed for.

``sys.stdout`` and ``sys.stderr`` become routers that look the current call up in a context variable. Asyncio tasks
inherit context variables by themselves; threads and executors do not before Python 3.14, so ``install`` makes them.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import contextvars
import functools
import itertools
import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Protocol, TextIO

from coflows_jupyter.runtimes.context import current
from coflows_jupyter.runtimes.vault import hide

FLUSH_SECONDS = 0.05
LIMIT = 1024 * 1024


class OutputBuffer:
    """Collects one call's output until a background thread, or the call's end, passes it on.

    ``write`` runs inside user code, which an interrupt may end at any bytecode, so it takes no lock and sends nothing.

    Args:
        emit: takes the stream's name and a text; it may block.
    """

    def __init__(self, emit: Callable[[str, str], None]) -> None:
        self._emit = emit
        self._pieces: deque[tuple[str, str]] = deque()
        self._waiting = 0
        self._lock = threading.Lock()

    def write(self, stream: str, text: str) -> None:
        """Take ``text`` that was printed to ``stream``; waits while more than ``LIMIT`` characters are unsent."""
        self._pieces.append((stream, text))
        self._waiting += len(text)
        _flusher.watch(self)
        while self._waiting > LIMIT:
            time.sleep(FLUSH_SECONDS / 10)

    def flush(self) -> None:
        """Send what was written so far, in order; must not run inside user code."""
        with self._lock:
            pieces = [self._pieces.popleft() for _ in range(len(self._pieces))]
            self._waiting = 0
            for stream, group in itertools.groupby(pieces, key=lambda piece: piece[0]):
                self._emit(stream, "".join(text for _, text in group))


class Flushable(Protocol):
    """What holds something back for a moment."""

    def flush(self) -> None:
        """Pass on what is held back."""


class _Flusher:
    """One thread, started when first needed, that flushes buffers a moment after they were written to."""

    def __init__(self) -> None:
        self._written: SimpleQueue[Flushable] = SimpleQueue()

    def watch(self, buffer: Flushable) -> None:
        self._written.put(buffer)

    def start(self) -> None:
        threading.Thread(target=self._run, name="coflows-output", daemon=True).start()

    def _run(self) -> None:
        while True:
            buffers = {self._written.get()}
            time.sleep(FLUSH_SECONDS)
            while not self._written.empty():
                buffers.add(self._written.get())
            for buffer in buffers:
                with contextlib.suppress(Exception):  # a reader that is gone must not silence the other calls
                    buffer.flush()


_flusher = _Flusher()


def watch(buffer: Flushable) -> None:
    """Flush ``buffer`` in a moment; may be called inside user code."""
    _flusher.watch(buffer)


class _Router:
    """A text stream that writes to the current call, or to the real stream outside of one."""

    def __init__(self, name: str, real: TextIO) -> None:
        self._name = name
        self._real = real

    def write(self, text: Any) -> int:
        call = current()
        if not isinstance(text, str):  # the real stream knows what to say about bytes
            return self._real.write(text)
        if call is None:
            # What user code prints while it is imported ends up in the server's log.
            self._real.write(hide(text))
            return len(text)
        call.output(self._name, text)
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def isatty(self) -> bool:
        return current() is None and self._real.isatty()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class _LogHandler(logging.Handler):
    """Sends log records made during a call to that call."""

    def emit(self, record: logging.LogRecord) -> None:
        call = current()
        if call is not None:
            call.output("log", self.format(record) + "\n")


_thread_start = threading.Thread.start
_executor_submit = concurrent.futures.ThreadPoolExecutor.submit


def _start_inheriting(thread: threading.Thread) -> None:
    if current() is not None:
        run = functools.partial(contextvars.copy_context().run, thread.run)
        thread.run = run  # type: ignore[method-assign]  # only this thread's
    _thread_start(thread)


def _submit_inheriting(
    executor: concurrent.futures.ThreadPoolExecutor, run: Callable[..., Any], /, *args: Any, **kwargs: Any
) -> concurrent.futures.Future[Any]:
    # Outside of calls too: the thread that takes it may have been started by a call.
    return _executor_submit(executor, contextvars.copy_context().run, run, *args, **kwargs)


def install() -> None:
    """Route this process's output by call; what is routed already stays so."""
    for name in ("stdout", "stderr"):
        if not isinstance(getattr(sys, name), _Router):
            setattr(sys, name, _Router(name, getattr(sys, name)))
    if threading.Thread.start is not _start_inheriting:
        _flusher.start()
        handler = _LogHandler()
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        logging.getLogger().addHandler(handler)
        threading.Thread.start = _start_inheriting  # type: ignore[method-assign,assignment]
        concurrent.futures.ThreadPoolExecutor.submit = _submit_inheriting  # type: ignore[method-assign,assignment]
