"""``coflows runs``: the same history with a server and without one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cli.conftest import Coflows
from tests.conftest import RunningServer

URL = "flow/query/5b0c1d6e-9a36-4a0c-8a7a-3c8f6a2f1d11/tools/"


def listed(coflows: Coflows, *options: str) -> list[dict[str, Any]]:
    """Return the runs that the command lists."""
    done = coflows("runs", "list", "--json", *options)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["runs"]
    return found


def test_history_with_and_without_a_server(coflows: Coflows, workflow: Path, running_server: RunningServer) -> None:
    """List, show and log say the same while the server runs and after it ended; cancel and rerun need it."""
    server = running_server(workflow / "coflows_config.json")
    server.http.get(URL + "Add?x=1&y=2").raise_for_status()
    server.http.get(URL + "Loud").raise_for_status()
    assert server.http.get(URL + "Fail").status_code == 500

    runs = listed(coflows)
    assert [run["function"] for run in runs] == ["Fail", "Loud", "Add"]
    assert [run["function"] for run in listed(coflows, "--outcome", "failed")] == ["Fail"]
    assert "from print" in coflows("runs", "log", runs[1]["id"]).stdout
    again = coflows("runs", "rerun", runs[2]["id"])
    assert again.stdout.strip() == "3"
    assert listed(coflows, "--limit", "1")[0]["door"] == "cli"
    assert json.loads(coflows("runs", "cancel", runs[0]["id"], "--json").stdout)["outcome"] == "failed"

    before = listed(coflows)
    server.stop()
    assert listed(coflows) == before
    assert listed(coflows, "--function", "Add", "--limit", "1")[0]["id"] == before[0]["id"]
    assert "from print" in coflows("runs", "log", runs[1]["id"]).stdout
    assert "ValueError: no luck" in coflows("runs", "show", runs[0]["id"]).stdout
    table = coflows("runs", "list").stdout
    assert "tools.Fail" in table
    assert "root@http" in table
    assert coflows("runs", "rerun", runs[2]["id"]).returncode == 3


def test_no_history_yet(coflows: Coflows) -> None:
    """Where no server ever ran, the command says so and makes no file."""
    done = coflows("runs", "list")
    assert done.returncode == 2
    assert "no history yet" in done.stderr


def test_unknown_run(coflows: Coflows, workflow: Path, running_server: RunningServer) -> None:
    """A run that is not there is a sentence, with and without a server."""
    server = running_server(workflow / "coflows_config.json")
    for _ in range(2):
        done = coflows("runs", "show", "nothing")
        assert (done.returncode, "there is no run 'nothing'" in done.stderr) == (2, True)
        if server.process.poll() is None:
            server.stop()
