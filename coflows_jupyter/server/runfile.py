"""How programs on the same machine find this server and its key.

The file lies in Jupyter's runtime folder and only its user can read it. So the effective key of a run, which may be a
random one, is in no log and on no command line, and ``coflows key show`` still knows it. ``notebook/client.py`` reads
these files.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import msgspec
from jupyter_core.paths import jupyter_runtime_dir


class RunFile(msgspec.Struct, frozen=True):
    """A running server.

    Args:
        url: base URL that answers on this machine, with a slash at the end.
        key: the key that opens it.
        config: absolute path of its config file, empty when the config came from the environment.
        pid: its process.
    """

    url: str
    key: str
    config: str
    pid: int


def write(run: RunFile) -> None:
    """Announce a server."""
    path = _path(run.pid)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(run))


def remove(pid: int) -> None:
    """Withdraw the announcement of a server; nothing happens when there is none."""
    with contextlib.suppress(OSError):
        _path(pid).unlink()


def _path(pid: int) -> Path:
    return Path(jupyter_runtime_dir()) / f"coflows-{pid}.json"
