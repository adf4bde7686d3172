"""Starting host processes; imports nothing of ours, so that a host can be started before anything else is."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

# What a host must not inherit: keys of the server, and its own configuration text with every secret in it.
_PRIVATE = ("COFLOWS_KEY", "JUPYTER_TOKEN", "JUPYTER_TOKEN_FILE", "coflows_config")


def environment() -> dict[str, str]:
    """Return the environment of a process that may run a stranger's code."""
    return {name: value for name, value in os.environ.items() if name not in _PRIVATE}


def launch() -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start an empty host; return its process and our end of its socket pair.

    On Linux the host ends with the thread that calls this, so that thread must live as long as the server.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "coflows_jupyter.host.child", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=2,  # a host's own output is the server's log, never its standard output
            start_new_session=True,  # Ctrl-C at the server's terminal is the server's to handle
        )
    return process, ours
