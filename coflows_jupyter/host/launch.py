"""Starting host processes, also before there is an event loop."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import dataclass

from coflows_jupyter.build.model import Build
from coflows_jupyter.host.frames import Load, pack

# What a host must not inherit: keys of the server, and its own configuration text with every secret in it.
_PRIVATE = ("COFLOWS_KEY", "JUPYTER_TOKEN", "JUPYTER_TOKEN_FILE", "coflows_config")


def launch(folder: str) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start a host process; return it and our end of its socket pair.

    On Linux the host ends with the thread that calls this, so that thread must live as long as the server.

    Args:
        folder: the working directory.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "coflows_jupyter.host.child", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            cwd=folder,
            env={k: v for k, v in os.environ.items() if k not in _PRIVATE},
            stdin=subprocess.DEVNULL,
            stdout=2,  # a host's own output is the server's log, never its standard output
            start_new_session=True,  # Ctrl-C at the server's terminal is the server's to handle
        )
    return process, ours


@dataclass(frozen=True)
class EarlyHost:
    """A host that loads its Build while the server is still starting; a pool adopts it."""

    build: Build
    process: subprocess.Popen[bytes]
    connection: socket.socket


def launch_early(build: Build, folder: str) -> EarlyHost:
    """Start a host on the main thread and let it load ``build`` at once."""
    process, connection = launch(folder)
    connection.sendall(pack(Load(build)))
    return EarlyHost(build, process, connection)
