"""gzip for answers that are text, have a known size, and are asked for compressed.

Streams stay as they are: each of their pieces is to be read when it was made.
"""

from __future__ import annotations

import functools
import gzip
import zlib
from collections.abc import MutableMapping

LEAST = 2048
"""Bytes below which an answer fits into the first packets anyway."""

OFF_LOOP = 16 * 1024
"""Bytes above which compressing takes too long for an event loop: some tenths of a millisecond."""

# The fastest level. The others win a tenth of the size for three times the time.
_LEVEL = 1
_TEXTS = frozenset(
    {
        "application/json",
        "application/javascript",
        "application/yaml",
        "application/xml",
        "application/x-ndjson",
        "image/svg+xml",
    }
)
# Headers that speak of the very bytes of the body: who set one has decided.
_OF_BYTES = ("Content-Encoding", "Content-Length", "Content-Range", "ETag")


def applies(size: int | None, asked: str, headers: MutableMapping[str, str]) -> bool:
    """Decide whether an answer is compressed, and say so in its headers.

    Args:
        size: bytes of the body; ``None`` for a stream.
        asked: the request's Accept-Encoding.
        headers: of the answer; Content-Encoding and Vary are set.
    """
    if size is None or size < LEAST or not _is_text(headers["Content-Type"]):
        return False
    if any(name in headers for name in _OF_BYTES) or "no-transform" in headers.get("Cache-Control", ""):
        return False
    vary(headers, "Accept-Encoding")
    if not _takes_gzip(asked):
        return False
    headers["Content-Encoding"] = "gzip"
    return True


def vary(headers: MutableMapping[str, str], name: str) -> None:
    """Say that an answer depends on a header of the request."""
    headers["Vary"] = f"{headers['Vary']}, {name}" if "Vary" in headers else name


def pack(body: bytes) -> bytes:
    """Compress a whole body."""
    return gzip.compress(body, _LEVEL, mtime=0)


class Packer:
    """Compresses a body piece by piece."""

    def __init__(self) -> None:
        self._packer = zlib.compressobj(_LEVEL, wbits=zlib.MAX_WBITS | 16)

    def take(self, piece: bytes) -> bytes:
        """Return what is ready after ``piece``, perhaps nothing."""
        return self._packer.compress(piece)

    def end(self) -> bytes:
        """Return what is left."""
        return self._packer.flush()


@functools.lru_cache(maxsize=256)
def _is_text(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind in _TEXTS or kind.endswith("+json") or (kind.startswith("text/") and kind != "text/event-stream")


@functools.lru_cache(maxsize=256)
def _takes_gzip(accept_encoding: str) -> bool:
    """Read an Accept-Encoding header (RFC 9110, 12.5.3)."""
    wishes = {}
    for item in accept_encoding.lower().split(","):
        coding, _, quality = (part.strip() for part in item.partition(";"))
        wishes[coding] = quality.replace(" ", "").rstrip("0.") != "q="
    return wishes.get("gzip", wishes.get("*", False))
