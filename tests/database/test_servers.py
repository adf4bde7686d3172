"""Real servers on one PostgreSQL."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

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
