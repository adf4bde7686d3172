"""``coflows m``: the same sets with a server and without one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Coflows
from tests.conftest import RunningServer


@pytest.mark.parametrize("served", [False, True])
def test_entries(coflows: Coflows, workflow: Path, running_server: RunningServer, *, served: bool) -> None:
    """Every verb works, whoever has the database open."""
    if served:
        running_server(workflow / "coflows_config.json")

    def ask(*words: str) -> Any:
        done = coflows("m", *words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    entry = ask("add", "prices", '{"name": "a", "price": 1}')["entry"]
    assert ask("add", "prices", '{"price": 1, "name": "a"}') == {"entry": entry, "added": False}
    ask("set", "prices", "own", "-5")
    ask("set", "prices", "word", "text")
    assert ask("list") == {"sets": [{"id": "prices", "entries": 3}]}
    assert ask("get", "prices", "own") == -5
    assert ask("get", "prices", "--where", "price__gte=1")[0]["value"] == {"name": "a", "price": 1}
    table = coflows("m", "get", "prices").stdout
    assert "price" in table
    assert entry in table
    ask("remove", "prices", "own")
    assert [change["op"] for change in ask("history", "prices", "own")["changes"]] == ["add", "remove"]
    assert coflows("m", "get", "prices", "own").returncode == 2
    assert coflows("m", "remove", "prices").returncode == 2
    file = workflow / "prices.ndjson"
    assert coflows("m", "export", "prices", str(file)).returncode == 0
    ask("remove", "prices", "--all")
    assert "no M sets" in coflows("m", "list").stdout
    assert ask("import", "prices", str(file)) == {"imported": 2, "there": 0}
    assert coflows("m", "export", "prices").stdout == file.read_text()


def test_mistakes(coflows: Coflows, workflow: Path) -> None:
    """A file that can't be read is named, with the line."""
    file = workflow / "bad.ndjson"
    file.write_text('{"value": 1}\n{"values": 2}\n')
    done = coflows("m", "import", "prices", str(file))
    assert done.returncode == 2
    assert "bad.ndjson:2:" in done.stderr
    assert coflows("m", "import", "prices", "missing.ndjson").returncode == 2
    assert "no M sets" in coflows("m", "list").stdout
    assert "did you mean 'gt'?" in coflows("m", "get", "prices", "--where", "price__gti=1").stderr


def test_watch(coflows: Coflows, workflow: Path, running_server: RunningServer) -> None:
    """Changes are printed as they happen."""
    running_server(workflow / "coflows_config.json")
    assert coflows("m", "add", "prices", "1").returncode == 0
    command = [sys.executable, "-m", "coflows_jupyter", "m", "watch", "prices", "--after", "0"]
    with subprocess.Popen(command, cwd=workflow, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["value"] == 1
        assert coflows("m", "set", "prices", "own", "2").returncode == 0
        assert json.loads(process.stdout.readline())["entry"] == "own"
        process.terminate()
