"""Real servers on one PostgreSQL."""

from __future__ import annotations

import json
import secrets
import socket
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import RunningServer, Server
from tests.postgres import PostgresServer

SEEN_SECONDS = 20.0


@pytest.fixture
def own_server(postgres_server: PostgresServer) -> Iterator[PostgresServer]:
    """Return the server to stop and start; it runs again afterwards."""
    yield postgres_server
    postgres_server.stop()
    postgres_server.start()


def runs(server: Server) -> set[str]:
    """Return the IDs of all runs that a server knows."""
    return {run["id"] for run in server.http.get("coflows/api/runs?limit=1000").json()["runs"]}


def await_run(server: Server, run_id: str) -> None:
    """Wait until a server knows a run."""
    deadline = time.monotonic() + SEEN_SECONDS
    while run_id not in runs(server):
        assert time.monotonic() < deadline, f"the run {run_id} does not come up"
        time.sleep(0.05)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def test_two_servers_share_a_database_that_restarts(
    sample: Path, running_server: RunningServer, own_server: PostgresServer, postgres_url: str, free_port: int
) -> None:
    """Both make the schema at once, each sees the other's runs, and calls go on while the database is away."""
    config = sample / "coflows_config.json"
    text = config.read_text()
    text = text.replace('"mnt/database.db"', f'"{postgres_url}"').replace('"Type": "sqlite"', '"Type": "postgres"')
    config.write_text(text)
    assert postgres_url in text
    servers = [running_server(config, port=port, ready=False) for port in (free_port, _free_port())]
    one, other = (server.wait_until("coflows/api/ready", 200) for server in servers)
    call = f"flow/query/{one.http.get('coflows/api/workflows').json()['workflows'][0]['id']}/pyapi/Add?x=1&y=2"
    first = one.http.get(call)
    assert first.json() == 3
    await_run(other, first.headers["x-run-id"])

    own_server.stop()
    during = other.http.get(call)
    assert during.json() == 3
    own_server.start()
    await_run(one, during.headers["x-run-id"])


AGENT = """
    from coflows_jupyter import M, agent

    @agent(listens="prices", name="reactor")
    def react(change):
        M.Base("seen").add({"id": change.id, "kind": change.kind})
"""
QUERY = """
    from coflows_jupyter import M

    def add(n: int) -> str:
        return M.Base("prices").add({"n": n})
"""


def listening(folder: Path, url: str) -> Path:
    """Write a Workflow whose Agent listens to an M set, and return its configuration."""
    folder.mkdir()
    for name, text in (("a.py", AGENT), ("q.py", QUERY)):
        (folder / name).write_text(textwrap.dedent(text))
    package = {
        "ID": "wid",
        "Name": "Flow",
        "Queries": [{"Name": "q", "Content": "q.py", "ID": "q"}],
        "Agents": [{"Name": "a.py", "Content": "a.py", "Exe": "pkg"}],
    }
    (folder / "package.json").write_text(json.dumps(package))
    config = folder / "coflows_config.json"
    server = {"Host": "localhost", "SecretKey": secrets.token_hex(16)}
    database = {"Type": "postgres", "Connection": url}
    config.write_text(json.dumps({"Workflow": "package.json", "Server": server, "Database": database}))
    return config


def events(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Read the data of server-sent events."""
    for line in lines:
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


def test_two_servers_see_each_others_sets(
    tmp_path: Path, running_server: RunningServer, postgres_url: str, free_port: int
) -> None:
    """What functions of one server add, streams of the other tell; their Agent hears each change once."""
    config = listening(tmp_path / "flow", postgres_url)
    servers = [running_server(config, port=port, ready=False) for port in (free_port, _free_port())]
    one, other = (server.wait_until("coflows/api/ready", 200) for server in servers)
    number = 0
    with other.http.stream("GET", "coflows/api/m-changes/prices", headers={"Accept": "text/event-stream"}) as stream:
        told = events(stream.iter_lines())
        next(told)  # ready
        for server in (one, other, one):
            number += 1
            entry = server.http.get(f"flow/query/wid/q/add?n={number}").json()
            change = next(told)
            assert (change["entry"], change["value"]) == (entry, {"n": number})
    deadline = time.monotonic() + SEEN_SECONDS
    while one.http.get("coflows/api/m/seen?limit=0").json()["count"] < number:
        assert time.monotonic() < deadline, "the Agent does not hear of every change"
        time.sleep(0.05)
    runs = other.http.get("coflows/api/workflows/wid/agent-runs?limit=100").json()["runs"]
    assert len([run for run in runs if run["cause"] == "set"]) == number
    assert postgres_url.rpartition("@")[2] not in one.log.read_text()
