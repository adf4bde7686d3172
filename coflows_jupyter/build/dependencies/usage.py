"""Which directories of Pips are in use, so that those that nobody wants any more can go.

Each directory has a file beside it. Whoever imports from the directory holds a shared lock on that file until its
process ends, however it ends, and leaves the time in it. What nobody holds and nobody wanted for ``UNUSED_DAYS`` is
removed under an exclusive lock.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from pathlib import Path

# On Windows nothing can be held, so nothing is removed.
HOLDS = os.name == "posix"
if HOLDS:
    import fcntl

UNUSED_DAYS = 30.0

_NAME = re.compile(r"[0-9a-f]{32}")
_held: dict[Path, int] = {}


def hold(directory: Path) -> None:
    """Keep ``directory`` from being removed until this process ends; call it before looking whether it is there."""
    stamp = _stamp(directory)
    try:
        if directory not in _held:
            if not directory.is_dir():
                return
            _held[directory] = os.open(stamp, os.O_RDWR | os.O_CREAT, 0o600)
            if HOLDS:
                fcntl.flock(_held[directory], fcntl.LOCK_SH)
            if not directory.is_dir():  # it was removed while this waited
                os.close(_held.pop(directory))
                return
        os.utime(stamp)
    except OSError:
        # A cache that can only be read is nobody's to clean up either.
        return


def prune(cache: Path) -> list[Path]:
    """Remove the directories in ``cache`` that nobody uses; returns them."""
    if not HOLDS:
        return []
    found = [path for path in cache.iterdir() if _NAME.fullmatch(path.name) and path not in _held]
    gone = [directory for directory in found if _claim(directory)]
    for directory in gone:
        shutil.rmtree(_aside(directory), ignore_errors=True)
    # Of a process that was killed meanwhile.
    for left in cache.glob("*.unused"):
        shutil.rmtree(left, ignore_errors=True)
    return gone


def _claim(directory: Path) -> bool:
    """Put a directory aside if it is unused; in one step, for others may be about to use it."""
    try:
        file = os.open(_stamp(directory), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if time.time() - os.fstat(file).st_mtime < UNUSED_DAYS * 86_400:
            return False
        directory.rename(_aside(directory))
        _stamp(directory).unlink()
    except OSError:
        return False
    finally:
        os.close(file)
    return True


def _stamp(directory: Path) -> Path:
    return directory.with_suffix(".used")


def _aside(directory: Path) -> Path:
    return directory.with_suffix(".unused")
