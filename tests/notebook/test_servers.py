"""A kernel finds the server that it belongs to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from coflows_jupyter.errors import UnreachableError
from coflows_jupyter.notebook.servers import find_server, running_servers

Announce = Callable[[str, int, float], None]


@pytest.fixture
def announce(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Announce:
    """Return a function that writes the file of a server: its key, its process, when it started."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))

    def write(key: str, pid: int, started: float) -> None:
        file = tmp_path / f"coflows-{pid}.json"
        file.write_text(json.dumps({"url": "http://127.0.0.1:1/", "key": key, "config": "/c.json", "pid": pid}))
        os.utime(file, (started, started))

    return write


@pytest.fixture
def ended() -> int:
    """Return the ID of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_the_environment_wins(announce: Announce) -> None:
    """A server tells its kernels and terminals where it is."""
    announce("other", os.getpid(), 1)
    found = find_server({"COFLOWS_URL": "http://127.0.0.1:2/lab/", "COFLOWS_KEY": "mine"})
    assert (found.url, found.key) == ("http://127.0.0.1:2/lab/", "mine")


def test_the_parent_of_the_kernel_is_preferred(announce: Announce) -> None:
    """Of several servers it is the one that started this kernel, else the latest."""
    announce("parent", os.getpid(), 1)
    announce("latest", os.getppid(), 2)
    assert find_server({"JPY_PARENT_PID": str(os.getpid())}).key == "parent"
    assert find_server({}).key == "latest"


def test_files_of_ended_servers_count_for_nothing(announce: Announce, ended: int, tmp_path: Path) -> None:
    """A killed server leaves its file, a starting one half of it."""
    announce("dead", ended, 1)
    (tmp_path / "coflows-1.json").write_text('{"url": "http')
    assert list(running_servers()) == []
    with pytest.raises(UnreachableError, match="no CoFlows server runs here"):
        find_server({"JPY_PARENT_PID": str(ended)})
