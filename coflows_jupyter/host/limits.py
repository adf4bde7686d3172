"""What a host may take of the machine, for as long as it lives."""

from __future__ import annotations

import math
import os
import random
import sys
from pathlib import Path

from coflows_jupyter.build.model import Limits


def restrict(limits: Limits) -> None:
    """Hold this process to ``limits``; where the system has no means for that, nothing happens.

    Memory is what a process can write to (``RLIMIT_DATA``, Linux 4.7 and later) and not address space, of which
    virtual machines reserve far more than they use. An allocation above the limit fails, so the call that asked for it
    ends with ``MemoryError`` and the others go on. Cores are chosen at random, so that hosts spread.
    """
    if sys.platform != "linux":
        return
    if limits.memory:
        import resource

        most = _writable() + limits.memory
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (most if hard < 0 else min(most, hard), hard))
    here = sorted(os.sched_getaffinity(0))
    wanted = math.ceil(limits.cores)
    if 0 < wanted < len(here):
        chosen = random.sample(here, wanted)
        for thread in Path("/proc/self/task").iterdir():
            os.sched_setaffinity(int(thread.name), chosen)


def _writable() -> int:
    """Bytes of memory that this process can write to now."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmData:"))
