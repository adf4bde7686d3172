"""Directories of Pips: those in use stay, those that nobody wants go."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from coflows_jupyter.build.dependencies import usage

pytest.importorskip("fcntl", reason="nothing is removed where nothing can be held")

LONG_AGO = time.time() - (usage.UNUSED_DAYS + 1) * 86_400


def make(cache: Path, letter: str, used: float | None) -> Path:
    """Make a directory that was last used then."""
    directory = cache / (letter * 32)
    (directory / "package").mkdir(parents=True)
    if used is not None:
        stamp = directory.with_suffix(".used")
        stamp.touch()
        os.utime(stamp, (used, used))
    return directory


def test_only_what_is_unused_goes(tmp_path: Path) -> None:
    """What is old goes with its stamp; what was used lately, or by a version without stamps, stays for its time."""
    old, young, unknown = make(tmp_path, "a", LONG_AGO), make(tmp_path, "b", time.time()), make(tmp_path, "c", None)
    other = tmp_path / "something else"
    other.mkdir()
    (tmp_path / f"{'d' * 32}.unused").mkdir()
    assert usage.prune(tmp_path) == [old]
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == sorted(
        [young.name, unknown.name, other.name]
    )
    assert not old.with_suffix(".used").exists()


def test_what_a_process_uses_stays(tmp_path: Path) -> None:
    """However long ago it began; when the process ends, even by being killed, it may go."""
    directory = make(tmp_path, "a", None)
    code = (
        "import sys, pathlib; from coflows_jupyter.build.dependencies.usage import hold; "
        f"hold(pathlib.Path({str(directory)!r})); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        os.utime(directory.with_suffix(".used"), (LONG_AGO, LONG_AGO))
        assert usage.prune(tmp_path) == []
        process.kill()
    assert usage.prune(tmp_path) == [directory]


def test_using_is_noted(tmp_path: Path) -> None:
    """Each use counts anew, and this process does not remove what it uses itself."""
    directory = make(tmp_path, "a", LONG_AGO)
    usage.hold(directory)
    assert time.time() - directory.with_suffix(".used").stat().st_mtime < 60
    os.utime(directory.with_suffix(".used"), (LONG_AGO, LONG_AGO))
    assert usage.prune(tmp_path) == []
