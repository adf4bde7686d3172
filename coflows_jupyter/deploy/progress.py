"""What a long operation says while it goes on, and how it is stopped.

One ``Event`` is one line of NDJSON on the wire. Whoever works calls a ``Reporter``, on whatever thread; the command
line, the REST API and the sidebar show the same events.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Literal

import msgspec

from coflows_jupyter import errors
from coflows_jupyter.errors import CancelledError, CoflowsError, Diagnostic, DiagnosticsError, answer

State = Literal["started", "progress", "log", "done", "failed"]

CONTENT_TYPE = "application/x-ndjson"


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that happened in a long operation.

    Args:
        time: seconds since 1970.
        step: which part of the operation; empty for the whole. ``done`` or ``failed`` of the whole is the last event.
        state: what happened to the step; ``log`` is a line of output.
        text: a sentence, or the line.
        fraction: how much of the step is done, 0 to 1; ``None`` where nobody knows.
        data: what programs read: a result, or of a failure its ``Failure``.
    """

    time: float
    step: str
    state: State
    text: str = ""
    fraction: float | None = None
    data: Any = None

    @property
    def last(self) -> bool:
        """Whether the operation is over with this."""
        return not self.step and self.state in {"done", "failed"}


class Failure(msgspec.Struct, frozen=True, omit_defaults=True):
    """The ``data`` of an event ``failed``: the error's class, its hint and its places in files."""

    error: str
    hint: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()


Tell = Callable[[Event], None]

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Event)


def encode(event: Event) -> bytes:
    """Return the line of an event, with its line feed."""
    return _encoder.encode(event) + b"\n"


def decode(line: bytes | str) -> Event:
    """Return the event of a line.

    Raises:
        msgspec.MsgspecError: it is none.
    """
    return _decoder.decode(line)


def error_of(event: Event) -> CoflowsError:
    """Return the error that a ``failed`` event tells of, as whoever works raised it."""
    try:
        failure = msgspec.convert(event.data, Failure)
    except msgspec.ValidationError:
        return CoflowsError(event.text)
    kind = getattr(errors, failure.error, CoflowsError)
    if isinstance(kind, type) and issubclass(kind, DiagnosticsError):
        return kind(event.text, failure.diagnostics, hint=failure.hint)
    if kind in {errors.ArgumentsError, errors.ThrottledError, errors.FunctionError}:
        kind = CoflowsError
    error: CoflowsError = kind(event.text, hint=failure.hint)
    return error


class Reporter:
    """Tells of one operation, and knows whether it is to stop.

    Args:
        tell: takes the events, on the thread of whoever works.
    """

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._stop = threading.Event()
        self._step = ""
        self._result: tuple[str, Any] = ("", None)

    @contextlib.contextmanager
    def operation(self, text: str = "") -> Iterator[Reporter]:
        """Frame the whole operation: it ends with ``done`` or ``failed``, whatever happens.

        Args:
            text: what it is, for people.
        """
        with self._framed("", text):
            yield self

    @contextlib.contextmanager
    def step(self, name: str, text: str = "") -> Iterator[None]:
        """Frame one step, checking before it whether to stop.

        Args:
            name: short and stable, e.g. ``upload``.
            text: a sentence for people.

        Raises:
            CancelledError: the operation is to stop.
        """
        self.check()
        outer, self._step = self._step, name
        try:
            with self._framed(name, text):
                yield
        finally:
            self._step = outer

    @contextlib.contextmanager
    def _framed(self, step: str, text: str) -> Iterator[None]:
        self._result = ("", None)
        self._say(step, "started", text)
        try:
            yield
        except (KeyboardInterrupt, asyncio.CancelledError):
            self._fail(step, CancelledError("cancelled"))
            raise
        except Exception as error:
            self._fail(step, error)
            raise
        text, data = self._result
        self._result = ("", None)
        self._say(step, "done", text, data=data)

    def _fail(self, step: str, error: Exception) -> None:
        text = error.message if isinstance(error, CoflowsError) else answer(error).title
        diagnostics = error.diagnostics if isinstance(error, DiagnosticsError) else ()
        hint = error.hint if isinstance(error, CoflowsError) else ""
        kind = type(error).__name__ if isinstance(error, CoflowsError) else "CoflowsError"
        # Of a step the sentence is enough: the operation, which ends with it, says the rest.
        self._say(step, "failed", text, data=None if step else Failure(kind, hint, diagnostics))

    def result(self, text: str = "", data: object = None) -> None:
        """Say with what the innermost step, or the operation, ends if it does well."""
        self._result = (text, data)

    def progress(self, text: str = "", fraction: float | None = None) -> None:
        """Say how far the step is.

        Args:
            text: a sentence.
            fraction: 0 to 1.
        """
        self._say(self._step, "progress", text, fraction)

    def log(self, text: str, data: object = None) -> None:
        """Pass a line of output on.

        Args:
            text: the line.
            data: what programs read of it.
        """
        self._say(self._step, "log", text, data=data)

    def relay(self, event: Event) -> None:
        """Pass on what another computer says of a step."""
        self._tell(event)

    def _say(self, step: str, state: State, text: str, fraction: float | None = None, data: object = None) -> None:
        self._tell(Event(time.time(), step, state, text, fraction, data))

    # -- stopping ------------------------------------------------------------------------------------------------------

    def cancel(self) -> None:
        """Ask the operation to stop; from any thread."""
        self._stop.set()

    @property
    def cancelled(self) -> bool:
        """Whether it is to stop."""
        return self._stop.is_set()

    def check(self) -> None:
        """Go on, or not.

        Raises:
            CancelledError: the operation is to stop.
        """
        if self.cancelled:
            raise CancelledError("cancelled")

    def wait(self, seconds: float) -> None:
        """Sleep, on a thread of one's own.

        Args:
            seconds: how long.

        Raises:
            CancelledError: the operation is to stop.
        """
        self._stop.wait(seconds)
        self.check()


class Channel:
    """Brings events from whatever thread to those on the event loop who follow; it keeps them for those who come late.

    Attributes:
        reporter: what to give to whoever works.
        events: all of them so far.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self.reporter = Reporter(self._tell)
        self.events: list[Event] = []
        self._followers: set[asyncio.Event] = set()

    def _tell(self, event: Event) -> None:
        if threading.get_ident() == self._thread:
            self._take(event)
        else:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody follows any more
                self._loop.call_soon_threadsafe(self._take, event)

    def _take(self, event: Event) -> None:
        self.events.append(event)
        for follower in self._followers:
            follower.set()

    async def follow(self, after: int = 0) -> AsyncIterator[Event]:
        """Give all events, those that were first, until the last.

        Args:
            after: how many of them the caller has already.
        """
        news = asyncio.Event()
        self._followers.add(news)
        try:
            while True:
                while after < len(self.events):
                    event = self.events[after]
                    after += 1
                    yield event
                    if event.last:
                        return
                await news.wait()
                news.clear()
        finally:
            self._followers.discard(news)
