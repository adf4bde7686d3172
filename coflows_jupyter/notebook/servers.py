"""Finds the servers of this user that run on this computer, and the one that this kernel belongs to."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
from jupyter_core.paths import jupyter_runtime_dir

from coflows_jupyter.errors import UnreachableError
from coflows_jupyter.processes import lives
from coflows_jupyter.server.runfile import RunFile

# Tells the kernel of a job, which no server started, whose it is.
SERVER_PID = "COFLOWS_SERVER_PID"


def running_servers() -> Iterator[RunFile]:
    """Give the servers that run, the latest first."""
    for file in sorted(Path(jupyter_runtime_dir()).glob("coflows-*.json"), key=_changed, reverse=True):
        try:
            server = msgspec.json.decode(file.read_bytes(), type=RunFile)
        except (OSError, msgspec.MsgspecError):
            # The server is starting or ending at this moment.
            continue
        if lives(server.pid):
            yield server


def find_server(environ: Mapping[str, str] = os.environ) -> RunFile:
    """Find the server that started this kernel, else the latest that runs.

    Args:
        environ: environment variables; a server sets COFLOWS_URL and COFLOWS_KEY for its kernels and terminals.

    Raises:
        UnreachableError: there is none.
    """
    if environ.get("COFLOWS_URL") and environ.get("COFLOWS_KEY"):
        return RunFile(environ["COFLOWS_URL"], environ["COFLOWS_KEY"], "", 0)
    servers = list(running_servers())
    parent = environ.get(SERVER_PID) or environ.get("JPY_PARENT_PID", "")
    found = next((server for server in servers if str(server.pid) == parent), next(iter(servers), None))
    if found is None:
        raise UnreachableError("no CoFlows server runs here", hint="start one with: coflows server")
    return found


def _changed(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0
