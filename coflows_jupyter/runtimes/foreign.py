"""What bridges to other languages have in common: how a call went, and streams that are read a value at a time."""

from __future__ import annotations

import contextvars
import itertools
import os
import sys
from collections.abc import Callable, Iterator
from contextvars import Context
from enum import IntEnum
from pathlib import Path
from typing import Any, Protocol, TypeVar

import orjson

from coflows_jupyter.errors import ArgumentsError, FieldError, NotAcceptableError
from coflows_jupyter.jsonform import JsonText
from coflows_jupyter.runtimes.context import current
from coflows_jupyter.runtimes.interrupt import CallCancelled
from coflows_jupyter.runtimes.protocol import ForeignError, Refusal

T = TypeVar("T")


class Outcome(IntEnum):
    """How a call went; every bridge has the same order."""

    JSON = 0
    BYTES = 1
    FILE = 2
    STREAM = 3
    FAILED = 4
    MISFIT = 5
    NO_FORM = 6
    CANCELLED = 7
    END = 8
    NUMBERS = 9


class Calls:
    """The calls that go on, by number, so that code of another language speaks in their name on whatever thread."""

    def __init__(self) -> None:
        self._contexts: dict[int, Context] = {}
        self._numbers = itertools.count(1)

    def begin(self) -> int:
        """Return the number of a call that is about to be made from here."""
        number = next(self._numbers)
        if current() is not None:
            self._contexts[number] = contextvars.copy_context()
        return number

    def end(self, number: int) -> None:
        """Forget a call."""
        self._contexts.pop(number, None)

    def within(self, number: int, work: Callable[..., T], *args: Any) -> T:
        """Do something in the name of a call."""
        context = self._contexts.get(number)
        return work(*args) if context is None else context.copy().run(work, *args)

    def printed(self, number: int, stream: int, text: str) -> None:
        """Take what a call prints; 0 is the output, 1 the one for errors."""
        self.within(number, getattr(sys, "stderr" if stream else "stdout").write, text)


class Streams(Protocol):
    """The side of a bridge that streams are read from."""

    def following(self, stream: int) -> Any:
        """Return the next value, ``StopIteration`` itself at the end."""

    def close(self, stream: int) -> None:
        """End a stream, whether it was read to its end or not."""


class Stream(Iterator[Any]):
    """A stream of another language's."""

    def __init__(self, streams: Streams, number: int) -> None:
        self._streams = streams
        self._number = number

    def __next__(self) -> Any:
        value = self._streams.following(self._number)
        if value is StopIteration:
            raise StopIteration
        return value

    def close(self) -> None:
        """End it."""
        self._streams.close(self._number)


def value_of(outcome: int, body: bytes, streams: Streams) -> Any:
    """Return what a function returned, or raise why it did not.

    Args:
        outcome: an ``Outcome``.
        body: what the bridge says about it.
        streams: where a stream is read from.
    """
    if outcome == Outcome.JSON:
        return JsonText(body)
    if outcome == Outcome.BYTES:
        return body
    if outcome == Outcome.FILE:
        return Path(os.fsdecode(body))
    if outcome == Outcome.STREAM:
        return Stream(streams, int(body))
    if outcome == Outcome.NUMBERS:
        return _numbers(body)
    if outcome == Outcome.END:
        return StopIteration
    raise _error(outcome, body)


def _numbers(body: bytes) -> Any:
    try:
        import numpy as np
    except ImportError:
        return memoryview(body).cast("d").tolist()
    return np.frombuffer(body)


def _error(outcome: int, body: bytes) -> BaseException:
    if outcome == Outcome.CANCELLED:
        return CallCancelled()
    if outcome == Outcome.MISFIT:
        field, message = orjson.loads(body)
        return Refusal(ArgumentsError(f"{field} {message}", [FieldError(field, message)]))
    if outcome == Outcome.NO_FORM:
        return Refusal(NotAcceptableError(body.decode()))
    line, trace = orjson.loads(body)
    return ForeignError(line, trace)
