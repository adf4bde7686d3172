"""Encodes what a function returns into bytes, in the host.

A value has a form of its own (JSON for data, a picture or page for figures, bytes for bytes, lines of JSON for
generators, its content for a file) and others that a suffix or an Accept header may ask for; ``FORMS`` lists them.
"""

from __future__ import annotations

import dataclasses
import mimetypes
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Mapping
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any

from coflows_jupyter.errors import NotAcceptableError
from coflows_jupyter.jsonform import JsonText, to_json
from coflows_jupyter.queries.figures import HTML, PNG, SVG, figure_forms
from coflows_jupyter.queries.tables import is_frame, to_arrow, to_csv, to_html, to_text
from coflows_jupyter.response import Response

JSON, CSV, TEXT = "application/json", "text/csv", "text/plain"
NDJSON, EVENTS = "application/x-ndjson", "text/event-stream"
BYTES = "application/octet-stream"
ARROW = "application/vnd.apache.arrow.stream"

MEDIA_TYPES = {
    "json": JSON,
    "csv": CSV,
    "txt": TEXT,
    "html": HTML,
    "arrow": ARROW,
    "png": PNG,
    "svg": SVG,
    "ndjson": NDJSON,
    "sse": EVENTS,
}
"""What a suffix of the function's name asks for."""

_PIECE = 1 << 18


@dataclasses.dataclass(slots=True)
class Encoded:
    """A result as bytes.

    Args:
        content_type: media type.
        body: all of it, or its pieces as they come.
        status: HTTP status.
        headers: further headers.
    """

    content_type: str
    body: bytes | memoryview | Iterator[bytes] | AsyncIterator[bytes]
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


def split_suffix(name: str) -> tuple[str, str]:
    """Split a function's name from a suffix that names a format; returns the name and the media type, or empty text.

    Raises:
        NotAcceptableError: the suffix names no format.
    """
    function, dot, suffix = name.partition(".")
    if not dot:
        return function, ""
    if suffix.lower() not in MEDIA_TYPES:
        raise NotAcceptableError(f"there is no format .{suffix}", hint="there are: ." + ", .".join(MEDIA_TYPES))
    return function, MEDIA_TYPES[suffix.lower()]


def encode(value: Any, accept: str) -> Encoded:
    """Encode a function's result.

    Args:
        value: what it returned.
        accept: the wanted media type; empty for the value's own.

    Raises:
        NotAcceptableError: the value has no such form.
    """
    if isinstance(value, Response):
        return _encode_response(value, accept)
    if isinstance(value, JsonText):
        if accept in {"", JSON}:
            return Encoded(JSON, value.data)
        value = value.decoded()
    if accept in {"", JSON} and isinstance(value, int | float | str | list | dict | None):
        return Encoded(JSON, to_json(value))
    if isinstance(value, Path) and value.is_file():
        own = mimetypes.guess_type(value.name)[0] or BYTES
        if accept not in {"", own}:
            raise NotAcceptableError(f"there is no {accept} of this result; it is a file, and comes as {own}")
        return Encoded(own, _read(value))
    forms = _forms(value)
    kind = accept or next(iter(forms))
    if kind not in forms:
        raise NotAcceptableError(f"there is no {kind} of this result; it comes as {', '.join(forms)}")
    return Encoded(f"{kind}; charset=utf-8" if kind.startswith("text/") else kind, forms[kind](value))


def _encode_response(response: Response, accept: str) -> Encoded:
    chosen = response.content_type
    if chosen and isinstance(response.body, bytes | str):
        body = response.body.encode() if isinstance(response.body, str) else response.body
        encoded = Encoded(chosen, body)
    else:
        encoded = encode(response.body, chosen or accept)
    encoded.status = response.status
    encoded.headers = tuple(response.headers.items())
    return encoded


def _forms(value: Any) -> Mapping[str, Callable[[Any], Any]]:
    """Return the forms of a value by media type, its own first."""
    if isinstance(value, bytes | bytearray | memoryview):
        return _BYTES
    if isinstance(value, AsyncIterator):
        return _ASYNC_STREAM
    if isinstance(value, Iterator):
        return _STREAM
    if (figure := figure_forms(value)) is not None:
        return figure
    return _FRAME if is_frame(value) else _DATA


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


# -- streams -----------------------------------------------------------------------------------------------------------


def _lines(values: Iterator[Any]) -> Generator[bytes]:
    try:
        for value in values:
            yield to_json(value) + b"\n"
    finally:
        close = getattr(values, "close", None)
        if close is not None:
            close()


async def _lines_async(values: AsyncIterator[Any]) -> AsyncGenerator[bytes]:
    try:
        async for value in values:
            yield to_json(value) + b"\n"
    finally:
        close = getattr(values, "aclose", None)
        if close is not None:
            await close()


def _events(values: Iterator[Any]) -> Iterator[bytes]:
    with closing(_lines(values)) as lines:
        for line in lines:
            yield b"data: " + line + b"\n"


async def _events_async(values: AsyncIterator[Any]) -> AsyncIterator[bytes]:
    async with aclosing(_lines_async(values)) as lines:
        async for line in lines:
            yield b"data: " + line + b"\n"


def _array(values: Iterator[Any]) -> Iterator[bytes]:
    separator = b"["
    for line in _lines(values):
        yield separator + line[:-1]
        separator = b","
    yield b"[]" if separator == b"[" else b"]"


async def _array_async(values: AsyncIterator[Any]) -> AsyncIterator[bytes]:
    separator = b"["
    async for line in _lines_async(values):
        yield separator + line[:-1]
        separator = b","
    yield b"[]" if separator == b"[" else b"]"


_DATA: Mapping[str, Callable[[Any], Any]] = {JSON: to_json, CSV: to_csv, TEXT: to_text, HTML: to_html}
_FRAME: Mapping[str, Callable[[Any], Any]] = {**_DATA, ARROW: to_arrow}
_BYTES: Mapping[str, Callable[[Any], Any]] = {BYTES: bytes}
_STREAM: Mapping[str, Callable[[Any], Any]] = {NDJSON: _lines, JSON: _array, EVENTS: _events}
_ASYNC_STREAM: Mapping[str, Callable[[Any], Any]] = {
    NDJSON: _lines_async,
    JSON: _array_async,
    EVENTS: _events_async,
}

FORMS: tuple[tuple[str, str], ...] = (
    ("data: None, numbers, text, dates, lists, objects, arrays …", ", ".join(_DATA)),
    ("frames of pandas and polars", ", ".join(_FRAME)),
    ("Matplotlib figure", f"{PNG}, {SVG}, {HTML}"),
    ("Plotly or Altair figure", f"{HTML}, {JSON}, {PNG}, {SVG}"),
    ("generator, async generator", ", ".join(_STREAM)),
    ("bytes", BYTES),
    ("pathlib.Path of a file", "what its name says"),
    ("Response", "its content_type, else those of its body"),
)
"""Every kind of result and the media types that it comes as, its own first."""
