"""One call on its way through a worker: its output, its progress, its stream, and what stops it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import itertools
import threading
import time
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

import msgspec

from coflows_jupyter.errors import CoflowsError
from coflows_jupyter.host.frames import WINDOW, Failure, Invoke, Output, Progress, SendReply
from coflows_jupyter.host.protocol import Took
from coflows_jupyter.queries.results import Encoded, encode
from coflows_jupyter.runtimes import capture, progress
from coflows_jupyter.runtimes.context import CallContext, enter
from coflows_jupyter.runtimes.interrupt import CallCancelled, Interrupt
from coflows_jupyter.runtimes.masking import MaskedText, Masker
from coflows_jupyter.runtimes.vault import Vault
from coflows_jupyter.runtimes.vault import enter as enter_vault

T = TypeVar("T")


class Window:
    """How many bytes of a stream may be on their way; the writer waits, the reader's credits reopen it."""

    def __init__(self) -> None:
        self._free = WINDOW
        self._closed = False
        self._changed = threading.Condition()

    def take(self, size: int) -> None:
        """Wait until something may be sent, and use ``size`` bytes of it up.

        Raises:
            CallCancelled: the window was closed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._free > 0 or self._closed)
            if self._closed:
                raise CallCancelled
            self._free -= size

    def give(self, size: int) -> None:
        """Let ``size`` more bytes be sent."""
        with self._changed:
            self._free += size
            self._changed.notify()

    def close(self) -> None:
        """Let nothing more be sent."""
        with self._changed:
            self._closed = True
            self._changed.notify()


class Running:
    """One call on its way through the worker."""

    def __init__(self, invoke: Invoke, send: SendReply, vault: Vault) -> None:
        self.invoke = invoke
        self._vault = vault
        self.interrupt = Interrupt()
        self.window: Window | None = None
        self.data = bytearray()
        self._laps: list[float] = []
        self._send = send
        self._output: capture.OutputBuffer | None = None
        self._progress: progress.Latest | None = None
        self.waits_for: concurrent.futures.Future[Any] | None = None
        self._cancelled = False
        self._context: CallContext | None = None
        self._masker: Masker | None = None
        self._masked: dict[tuple[str, int], MaskedText] = {}

    def hide(self, values: Iterable[str]) -> None:
        """Mask these in all that the call says from now on, but for its result."""
        if self._masker is None:
            self._masker = Masker()
        self._masker.add(values)

    def _maskers(self) -> list[Masker]:
        """Return what hides the Workflow's secrets, and what hides those of this call."""
        return [masker for masker in (self._vault.masker, self._masker) if masker]

    def _hidden(self, text: str) -> str:
        for masker in self._maskers():
            text = masker.mask(text)
        return text

    def failure(self, error: CoflowsError) -> Failure:
        """Make the frame that says how the call failed."""
        made = Failure.of(self.invoke.run_id, error)
        if not self._maskers():
            return made
        message, traceback, hint = map(self._hidden, (made.message, made.traceback, made.hint))
        return msgspec.structs.replace(made, message=message, traceback=traceback, hint=hint)

    def context(self) -> contextvars.Context:
        """Return a fresh context in which this is the current call."""
        call = self.invoke
        context = contextvars.Context()
        deadline = time.monotonic() + call.timeout
        about = call.run_id, call.caller, call.query, call.function, deadline
        self._context = CallContext(*about, self.write, self.report)
        context.run(enter, self._context)
        context.run(enter_vault, self._vault)
        return context

    def lap(self) -> None:
        """Note the time: before the arguments are made, before the function is called, after it, at the end."""
        self._laps.append(time.perf_counter())

    def encode(self, value: object) -> Encoded:
        """Encode what the function returned."""
        self.lap()
        encoded = encode(value, self.invoke.accept)
        self.lap()
        return encoded

    def took(self) -> Took:
        """Return where the time went."""
        return Took(*(end - start for start, end in itertools.pairwise(self._laps)))

    def write(self, stream: str, text: str) -> None:
        """Take what the call prints; most calls print nothing and so have no buffer."""
        if self._output is None:
            # Two threads may both get here: what the first one wrote stays in the buffer that it made, and is flushed.
            self._output = capture.OutputBuffer(self._emit)
        self._output.write(stream, text)

    def _emit(self, stream: str, text: str) -> None:
        for masker in self._maskers():
            text = self._masked.setdefault((stream, id(masker)), MaskedText(masker)).feed(text)
        if text:
            self._send(Output(self.invoke.run_id, stream, text), b"")

    def report(self, done: float, total: float, text: str) -> None:
        """Take how far the call is."""
        if self._progress is None:
            self._progress = progress.Latest(self._emit_progress)
        self._progress.report(done, total, text)

    def _emit_progress(self, done: float, total: float, text: str) -> None:
        self._send(Progress(self.invoke.run_id, done, total, self._hidden(text)), b"")

    def flush(self) -> None:
        """Send what is held back: nothing more is expected."""
        if self._output is not None:
            self._output.flush()
        for stream in {stream for stream, _ in self._masked}:
            text = ""
            for masker in self._maskers():
                masked = self._masked.get((stream, id(masker)))
                # What the one held back, the other has not seen yet.
                text = masked.feed(text) + masked.end() if masked else masker.mask(text)
            if text:
                self._send(Output(self.invoke.run_id, stream, text), b"")
        if self._progress is not None:
            self._progress.flush()

    def open_window(self) -> None:
        """Begin to stream."""
        self.window = Window()
        if self._cancelled:
            self.window.close()

    def cancel(self) -> None:
        """Stop what the call is doing."""
        self._cancelled = True
        if self.window is not None:
            self.window.close()
        self.interrupt.cancel()
        if self._context is not None:
            self._context.stop()
        if self.waits_for is not None:
            self.waits_for.cancel()

    def wait(self, coroutine: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop) -> concurrent.futures.Future[T]:
        """Start ``coroutine`` on ``loop``, in the current context, in such a way that ``cancel`` reaches it."""
        future = self.waits_for = asyncio.run_coroutine_threadsafe(coroutine, loop)
        if self._cancelled:
            future.cancel()
        return future
