"""What a bundle says of its files, how large it may be, and how its files may be called."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable
from typing import Literal

import msgspec

from coflows_jupyter.config import FILE_NAMES as CONFIGS

MANIFEST = "coflows-manifest.json"

# A file of this many bytes may deflate as well as it can: there is no harm in it.
BOMB_SLACK = 64 * 1024

_MIB = 1024 * 1024
# Names of devices, which no file of Windows can have whatever its ending; compared in small letters.
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{kind}{n}" for kind in ("com", "lpt") for n in "0123456789¹²³")})
_NOT_IN_NAMES = frozenset('\\:*?"<>|')


class Limits(msgspec.Struct, frozen=True):
    """How large a bundle may be.

    Args:
        packed: bytes of the zip.
        total: bytes of all its files together.
        file: bytes of one.
        files: how many.
        path: bytes of a path in UTF-8.
        ratio: how many times larger a file may be than what is packed of it.
    """

    packed: int = 64 * _MIB
    total: int = 256 * _MIB
    file: int = 64 * _MIB
    files: int = 4000
    path: int = 240
    ratio: int = 200


LIMITS = Limits()


class Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a file holds: its size in bytes and its SHA-256 in hex."""

    size: int
    sha256: str

    @classmethod
    def of(cls, content: bytes) -> Content:
        """Describe these bytes."""
        return cls(len(content), hashlib.sha256(content).hexdigest())


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is in a bundle, by path."""

    format: Literal[1]
    files: dict[str, Content]

    @property
    def digest(self) -> str:
        """What the bundle is called by: SHA-256 of the manifest in hex."""
        return hashlib.sha256(self.encode()).hexdigest()

    def encode(self) -> bytes:
        """Return its one text."""
        return msgspec.json.encode(self, order="sorted")


def complaint(path: str, limits: Limits = LIMITS) -> str:
    """Return why a path can't be in a bundle, empty when it can.

    What one system takes for an ordinary name, another takes for a device, a stream or a way out of the folder; a path
    of a bundle is harmless on all of them.
    """
    if not path or len(path.encode(errors="surrogateescape")) > limits.path:
        return f"a path has 1 to {limits.path} bytes"
    if path.lower() in {MANIFEST, *CONFIGS}:
        return "this name is reserved"
    return next((wrong for part in path.split("/") if (wrong := _complaint_of_part(part))), "")


def _complaint_of_part(part: str) -> str:
    if part in {"", ".", ".."}:
        return "it leads elsewhere"
    if part.strip() != part or part.endswith("."):
        return "a name doesn't end in a space or dot, nor begin with a space"
    if any(character in _NOT_IN_NAMES or unicodedata.category(character) in {"Cc", "Cs"} for character in part):
        return "a name has none of \\ : * ? \" < > | and nothing that can't be printed"
    if part.partition(".")[0].rstrip().lower() in _DEVICES:
        return "this is the name of a device"
    return ""


def clash(paths: Iterable[str]) -> str:
    """Return a path that stands in the way of another on some disk, empty when there is none.

    Many disks know no large and small letters, or one spelling of an accent only; none knows a file that is a folder.
    """
    seen: set[str] = set()
    parents: dict[str, str] = {}
    for path in paths:
        key = unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
        if key in seen:
            return path
        seen.add(key)
        while key := key.rpartition("/")[0]:
            parents[key] = path
    return next((parents[key] for key in seen if key in parents), "")
