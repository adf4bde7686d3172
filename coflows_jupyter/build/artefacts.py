"""What compilers make, kept by what it was made of: nothing is compiled twice, whoever asks and however long ago."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import msgspec

from coflows_jupyter.build.compilers.requests import Finding, Reply

_UNUSED_SECONDS = 90 * 86_400.0
_KEY = re.compile(r"[0-9a-f]{32}")
_DONE = "findings.json"  # comes last, so what lies beside it is whole


class Artefacts:
    """A folder of artefacts, one folder each.

    Args:
        folder: where they are.
        on_make: called before something is made.
    """

    def __init__(self, folder: Path, on_make: Callable[[], None] = lambda: None) -> None:
        self.folder = folder
        self._on_make = on_make

    def get(self, content: object, make: Callable[[Path, str], Reply]) -> tuple[Path | None, tuple[Finding, ...]]:
        """Return the folder of an artefact and what its compiler said; ``None`` when it can't be made.

        Args:
            content: all that it is made of, in a form that MessagePack has.
            make: puts it into a folder that has this key, if it is not there yet.
        """
        key = hashlib.sha256(msgspec.msgpack.encode(content)).hexdigest()[:32]
        folder = self.folder / key
        done = folder / _DONE
        with contextlib.suppress(FileNotFoundError):
            findings = msgspec.json.decode(done.read_bytes(), type=tuple[Finding, ...])
            os.utime(folder)
            return folder, findings
        self._on_make()
        _prune(self.folder)
        folder.mkdir(parents=True, exist_ok=True)
        reply = make(folder, key)
        if not reply.ok:
            shutil.rmtree(folder, ignore_errors=True)
            return None, reply.findings
        partial = done.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
        partial.write_bytes(msgspec.json.encode(reply.findings))
        partial.replace(done)
        return folder, reply.findings


def artefact_folder(name: str) -> Path:
    """Return this user's folder for one family of languages."""
    from platformdirs import user_cache_path

    return user_cache_path("coflows") / name


def file_keys(paths: Sequence[str]) -> list[str]:
    """Return what tells one version of each file from another, without reading it."""
    keys = []
    for path in paths:
        about = os.stat(path)  # noqa: PTH116  (a hundred files, and a Path each would take as long as the call)
        keys.append(f"{path}\0{about.st_size}\0{about.st_mtime_ns}")
    return keys


@cache
def _prune(folder: Path) -> None:
    """Remove what nobody asked for in a long time, once for a process."""
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if _KEY.fullmatch(path.name) and time.time() - path.stat().st_mtime > _UNUSED_SECONDS:
                shutil.rmtree(path, ignore_errors=True)
