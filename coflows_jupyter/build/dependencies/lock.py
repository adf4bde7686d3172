"""``coflows.lock``: what the Pips and the NuGets of package.json mean, with hashes; it belongs into version control.

The first part is a requirements file as uv writes it; the second has a comment for each package of .NET::

    # nugets: 31f0c6a5e2b94d17
    # Newtonsoft.Json 13.0.3 sha512:HrC5BXdl00IP9zeV+0Z848…
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

LOCK_NAME = "coflows.lock"

_PIPS = "# What the Pips of package.json mean, written by coflows; keep it in version control.\n# pips: "
_NUGETS = "# What the NuGets of package.json mean, written by coflows; keep it in version control.\n# nugets: "


def digest(wanted: Iterable[str]) -> str:
    """Return what tells one list of requirements from another."""
    return hashlib.sha256("\n".join(wanted).encode()).hexdigest()[:16]


def read_pips(folder: Path) -> str:
    """Return the part of the Pips, empty when there is none."""
    return _read(folder)[0]


def read_nugets(folder: Path) -> str:
    """Return the part of the NuGets, empty when there is none."""
    return _read(folder)[1]


def write_pips(folder: Path, wanted: str, text: str) -> None:
    """Replace the part of the Pips.

    Args:
        folder: the Workflow's.
        wanted: the digest of the Pips.
        text: what they mean, as a requirements file.
    """
    _write(folder, f"{_PIPS}{wanted}\n{text}", read_nugets(folder))


def write_nugets(folder: Path, wanted: str, lines: Iterable[str]) -> None:
    """Replace the part of the NuGets.

    Args:
        folder: the Workflow's.
        wanted: the digest of the NuGets.
        lines: what they mean, a package each.
    """
    _write(folder, read_pips(folder), "".join([f"{_NUGETS}{wanted}\n", *(f"# {line}\n" for line in lines)]))


def is_for_pips(part: str, wanted: str) -> bool:
    """Whether a part was made of the Pips with this digest."""
    return part.startswith(f"{_PIPS}{wanted}\n")


def nuget_lines(part: str, wanted: str) -> list[str]:
    """Return the lines of a part that was made of the NuGets with this digest, none of any other."""
    head = f"{_NUGETS}{wanted}\n"
    return [line.removeprefix("# ") for line in part[len(head) :].splitlines()] if part.startswith(head) else []


def _read(folder: Path) -> tuple[str, str]:
    try:
        text = (folder / LOCK_NAME).read_text(encoding="utf-8")
    except FileNotFoundError:
        return "", ""
    pips, mark, nugets = text.partition(_NUGETS)
    return pips.rstrip("\n") + "\n" if mark and pips else pips, mark + nugets


def _write(folder: Path, *parts: str) -> None:
    partial = folder / f".{LOCK_NAME}.{os.getpid()}"
    try:
        partial.write_text("\n".join(part for part in parts if part), encoding="utf-8")
        partial.replace(folder / LOCK_NAME)
    finally:
        partial.unlink(missing_ok=True)
