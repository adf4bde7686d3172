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


def test_local_calls_are_in_the_same_history(coflows: Coflows, workflow: Path) -> None:
    """A call without a server leaves a row with its log and its error, through the door cli."""
    coflows("local", "query", "tools", "Loud")
    assert coflows("local", "query", "tools", "Fail").returncode == 1
    coflows("local", "query", "tools", "Add", "1", "2")
    runs = listed(coflows)
    assert [(run["function"], run["outcome"], run["door"], run["caller"]) for run in runs] == [
        ("Add", "succeeded", "cli", "local"),
        ("Fail", "failed", "cli", "local"),
        ("Loud", "succeeded", "cli", "local"),
    ]
    assert runs[0]["arguments"] == ["1", "2"]
    assert "from print" in coflows("runs", "log", runs[2]["id"]).stdout
    assert [run["function"] for run in listed(coflows, "--text", "no LUCK", "--since", "1h")] == ["Fail"]
    assert listed(coflows, "--door", "http") == []
    assert listed(coflows, "--caller", "somebody") == []
    wrong = coflows("runs", "list", "--since", "then")
    assert wrong.returncode == 2
    assert "2h" in wrong.stderr


def test_a_history_that_is_not_wanted_is_not_made(coflows: Coflows, workflow: Path) -> None:
    """With ``off`` nothing is written; with ``errors`` only what went wrong."""
    file = workflow / "coflows_config.json"
    before = json.loads(file.read_text())
    file.write_text(json.dumps(before | {"Runs": "off"}))
    coflows("local", "query", "tools", "Fail")
    assert not (workflow / "coflows.db").exists()
    file.write_text(json.dumps(before | {"Runs": {"Keep": "errors"}}))
    coflows("local", "query", "tools", "Add", "1", "2")
    coflows("local", "query", "tools", "Fail")
    assert [run["function"] for run in listed(coflows)] == ["Fail"]


def test_a_history_that_can_not_be_written_costs_no_result(coflows: Coflows, workflow: Path) -> None:
    """The result is there; what hinders the history is said beside it."""
    (workflow / "coflows.db").write_text("no database " * 1000)
    done = coflows("local", "query", "tools", "Add", "1", "2")
    assert (done.returncode, done.stdout) == (0, "3\n")
    assert "not in the history" in done.stderr


def test_follow_a_log(coflows: Coflows, workflow: Path, running_server: RunningServer) -> None:
    """The log comes until the run ends, and then how it ended; a run that was cut off by the server's end is lost."""
    text = "\n\ndef Slow() -> None:\n    import time\n    for i in range(3):\n        print('step', i)\n"
    with (workflow / "Queries" / "tools.py").open("a") as query:
        query.write(text + "        time.sleep(0.3)\n")
    server = running_server(workflow / "coflows_config.json")
    started = server.http.get(URL + "Slow", headers={"Prefer": "respond-async"})
    done = coflows("runs", "log", "--follow", started.json()["id"])
    assert done.stdout == "step 0\nstep 1\nstep 2\n"
    assert "succeeded" in done.stderr
    run = server.http.get(URL + "Sleep", headers={"Prefer": "respond-async"}).json()["id"]
    listed(coflows, "--outcome", "succeeded")  # the row is written when what was asked for later is read
    server.process.kill()
    server.process.wait()
    assert json.loads(coflows("runs", "show", run, "--json").stdout)["outcome"] == "lost"
