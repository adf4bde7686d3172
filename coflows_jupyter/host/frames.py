"""The messages between a host and the server, and their form on a socket.

On the wire a frame is two little-endian 32-bit lengths, a MessagePack header (a tagged array) and a raw body. Bodies
are cut into pieces of ``PIECE`` bytes, so neither side ever copies or waits for a large one as a whole.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import TypeAlias

import msgspec

from coflows_jupyter import errors
from coflows_jupyter.access.permissions import Caller
from coflows_jupyter.build.model import Build
from coflows_jupyter.database.location import Location
from coflows_jupyter.errors import CoflowsError, FieldError
from coflows_jupyter.host.protocol import ArgumentForm, Call, Loaded, Took
from coflows_jupyter.runtimes.jvmmodel import Jvm
from coflows_jupyter.runtimes.netmodel import Net

PIECE = 256 * 1024
WINDOW = 1024 * 1024

Body: TypeAlias = "bytes | memoryview"


class Warm(msgspec.Struct, tag=1, array_like=True, frozen=True):
    """To the host: import these modules and start what a Build like this one runs on; loading it is quick then."""

    modules: tuple[str, ...]
    paths: tuple[str, ...]
    net: Net | None = None
    jvm: Jvm | None = None


class Load(msgspec.Struct, tag=2, array_like=True, frozen=True):
    """To the host: load this Build.

    Args:
        build: the Build.
        database: where its M sets are; ``None`` when there is no database for them.
    """

    build: Build
    database: Location | None = None


class Invoke(msgspec.Struct, tag=3, array_like=True, frozen=True):
    """To the host: run a function. ``size`` bytes of arguments follow, the first piece as body."""

    run_id: str
    query: str
    function: str
    form: ArgumentForm
    accept: str
    caller: Caller
    timeout: float
    size: int

    @classmethod
    def of(cls, call: Call) -> Invoke:
        """Make the header of ``call``."""
        return cls(
            call.run_id,
            call.query,
            call.function,
            call.form,
            call.accept,
            call.caller,
            call.timeout,
            len(call.data),
        )

    def call(self, data: bytes) -> Call:
        """Put header and arguments together again."""
        return Call(self.run_id, self.query, self.function, self.form, data, self.accept, self.caller, self.timeout)


class Data(msgspec.Struct, tag=4, array_like=True, frozen=True):
    """To the host: a further piece of arguments, as body."""

    run_id: str


class Credit(msgspec.Struct, tag=5, array_like=True, frozen=True):
    """To the host: the reader took ``size`` bytes of the result."""

    run_id: str
    size: int


class Cancel(msgspec.Struct, tag=6, array_like=True, frozen=True):
    """To the host: stop this run."""

    run_id: str


class Tell(msgspec.Struct, tag=7, array_like=True, frozen=True):
    """To the host: the answer to question ``number``, the secret's text as body, or why there is none."""

    number: int
    problem: str = ""


class Ready(msgspec.Struct, tag=20, array_like=True, frozen=True):
    """From the host: it is up, or has warmed."""


class LoadDone(msgspec.Struct, tag=21, array_like=True, frozen=True):
    """From the host: the outcome of ``Load`` and the names of third-party modules now imported."""

    loaded: Loaded
    modules: tuple[str, ...]


class Head(msgspec.Struct, tag=22, array_like=True, frozen=True):
    """From the host: a result begins; the whole body is with it unless ``streamed``."""

    run_id: str
    status: int
    content_type: str
    headers: tuple[tuple[str, str], ...]
    took: Took
    streamed: bool = False
    length: int | None = None


class Chunk(msgspec.Struct, tag=23, array_like=True, frozen=True):
    """From the host: a piece of a streamed result, as body."""

    run_id: str


class Failure(msgspec.Struct, tag=24, array_like=True, frozen=True):
    """From the host: a run ended with an error; ``kind`` is the error's class."""

    run_id: str
    kind: str
    message: str
    hint: str = ""
    fields: tuple[FieldError, ...] = ()
    traceback: str = ""

    @classmethod
    def of(cls, run_id: str, error: CoflowsError) -> Failure:
        """Make the frame that carries ``error``."""
        return cls(
            run_id,
            type(error).__name__,
            error.message,
            error.hint,
            getattr(error, "fields", ()),
            getattr(error, "traceback", ""),
        )

    def error(self) -> CoflowsError:
        """Make the error again."""
        kind = getattr(errors, self.kind)
        error: CoflowsError
        if kind is errors.ArgumentsError:
            error = errors.ArgumentsError(self.message, self.fields)
        elif kind is errors.FunctionError:
            error = errors.FunctionError(self.message, traceback=self.traceback)
        else:
            error = kind(self.message)
        error.hint = self.hint
        return error


class End(msgspec.Struct, tag=25, array_like=True, frozen=True):
    """From the host: a streamed result is complete."""

    run_id: str


class Output(msgspec.Struct, tag=26, array_like=True, frozen=True):
    """From the host: a run printed or logged something."""

    run_id: str
    stream: str
    text: str


class Progress(msgspec.Struct, tag=27, array_like=True, frozen=True):
    """From the host: how far a run is; ``total`` is 0 when nobody knows."""

    run_id: str
    done: float
    total: float
    text: str


class Ask(msgspec.Struct, tag=28, array_like=True, frozen=True):
    """From the host: what is the text of the Workflow's secret ``name``?"""

    number: int
    name: str


Request: TypeAlias = Warm | Load | Invoke | Data | Credit | Cancel | Tell
Reply: TypeAlias = Ready | LoadDone | Head | Chunk | Failure | End | Output | Progress | Ask
Frame: TypeAlias = Request | Reply

SendReply = Callable[[Reply, Body], None]

_LENGTHS = struct.Struct("<II")
_encoder = msgspec.msgpack.Encoder()
decode_request = msgspec.msgpack.Decoder(Request).decode
decode_reply = msgspec.msgpack.Decoder(Reply).decode


def pack(frame: Frame, body_size: int = 0) -> bytes:
    """Return a frame's lengths and header; ``body_size`` bytes of body must follow on the wire."""
    header = _encoder.encode(frame)
    return _LENGTHS.pack(len(header), body_size) + header


class Unpacker:
    """Cuts a byte stream into ``(header, body)`` pairs."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes | memoryview) -> Iterator[tuple[memoryview | bytes, bytes]]:
        """Take bytes as they came and yield every frame that is complete."""
        buffer = self._buffer
        buffer += data
        start, end = 0, len(buffer)
        with memoryview(buffer) as view:
            while end - start >= _LENGTHS.size:
                header_size, body_size = _LENGTHS.unpack_from(view, start)
                header_start = start + _LENGTHS.size
                body_start = header_start + header_size
                if end < body_start + body_size:
                    break
                start = body_start + body_size
                yield bytes(view[header_start:body_start]), bytes(view[body_start:start])
        del buffer[:start]


def pieces(data: Body) -> Iterator[memoryview]:
    """Cut ``data`` into pieces of at most ``PIECE`` bytes."""
    view = memoryview(data)
    for start in range(0, len(view), PIECE):
        yield view[start : start + PIECE]
