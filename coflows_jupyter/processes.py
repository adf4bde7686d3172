"""Processes of this computer."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def lives(pid: int) -> bool:
    """Whether a process with this ID runs, as far as the system tells."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        # It is somebody else's, or the system does not tell.
        return True
    return True


def identify(pid: int) -> str:
    """Return what tells a process from all others: computer, ID and, where the system says it, its start."""
    try:
        # The name in parentheses may hold anything; the start is the 20th field after it.
        start = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        start = ""
    return f"{platform.node()} {pid} {start}"


def is_running(identity: str) -> bool:
    """Whether the process that ``identify`` told of is still there; one of another computer counts as gone."""
    node, _, rest = identity.rpartition(" ")[0].rpartition(" ")
    return bool(node) and rest.isdigit() and lives(int(rest)) and identify(int(rest)) == identity


def has_ended(identity: str) -> bool:
    """Whether the process that ``identify`` told of was one of this computer, and is there no more."""
    return identity.startswith(f"{platform.node()} ") and not is_running(identity)
