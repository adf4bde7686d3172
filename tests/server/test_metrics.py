"""What `/metrics` counts, and who may read it."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from coflows_jupyter.host.worker import THREADS
from tests.conftest import RunningServer, Server
from tests.server.conftest import WID, make_workflow
from tests.server.test_queries import wait_for


def read(server: Server) -> dict[tuple[str, ...], float]:
    """Return our samples by name and label values, in the labels' alphabetical order."""
    answer = httpx.get(f"{server.url}metrics", headers={"Authorization": f"token {server.key}"}, trust_env=False)
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name.startswith("coflows_")
    }


def test_calls_are_counted(server: Server) -> None:
    """Each call is counted once, by what came of it and its door; a stream when its last byte is taken."""
    before = read(server)
    url = f"flow/query/{WID}/main"
    assert server.http.get(f"{url}/Add?x=1&y=2").status_code == 200
    assert server.http.get(f"{url}/Add?x=1&y=2", headers={"X-Coflows-Door": "sidebar"}).status_code == 200
    assert server.http.get(f"{url}/Fail").status_code == 500
    assert server.http.get(f"{url}/Count").status_code == 200
    after = read(server)

    def more(*key: str) -> float:
        return after.get(key, 0) - before.get(key, 0)

    calls = "coflows_calls_total"  # door, function, outcome, query, workflow
    assert more(calls, "http", "Add", "succeeded", "main", WID) == 1
    assert more(calls, "sidebar", "Add", "succeeded", "main", WID) == 1
    assert more(calls, "http", "Fail", "failed", "main", WID) == 1
    assert more(calls, "http", "Count", "succeeded", "main", WID) == 1
    seconds = "coflows_call_duration_seconds"
    assert more(f"{seconds}_count", "Add", "main", WID) == 2
    assert more(f"{seconds}_bucket", "Add", "+Inf", "main", WID) == 2
    assert 0 < more(f"{seconds}_sum", "Add", "main", WID) < 60
    assert after["coflows_hosts", "serving", WID] == 1
    assert after["coflows_calls_in_flight", WID] == 0
    assert after["coflows_runs_dropped_total", WID] == 0
    assert ("coflows_host_crashes_total", WID) in after


def test_a_queue_shows(server: Server) -> None:
    """Calls beyond the threads of a host wait, and are counted; with the last of them the count is 0 again."""
    url, flying, waiting = f"flow/query/{WID}/main", ("coflows_calls_in_flight", WID), ("coflows_calls_waiting", WID)
    with ThreadPoolExecutor(THREADS + 3) as pool:
        calls = [pool.submit(server.http.get, f"{url}/Sleep?seconds=3") for _ in range(THREADS + 3)]
        wait_for(lambda: read(server)[flying] == THREADS + 3)
        assert read(server)[waiting] == 3
    assert {call.result().status_code for call in calls} == {200}
    assert read(server)[waiting] == 0


def test_strangers_do_not_read_them(server: Server, weak_server: Server) -> None:
    """With and without Lab a key is needed; a server without Lab answers at the same address."""
    for each in (server, weak_server):
        for headers in ({}, {"Authorization": "token wrong"}):
            assert httpx.get(f"{each.url}metrics", headers=headers, trust_env=False).status_code in {401, 403}
    answer = weak_server.http.get("metrics")
    assert answer.status_code == 200
    assert "coflows_hosts" in answer.text


def test_an_operator_may_open_them(tmp_path: Path, running_server: RunningServer) -> None:
    """Jupyter's own setting holds where our handler answers, too."""
    config = make_workflow(tmp_path / "workflow")
    launch = (sys.executable, "-c", "from coflows_jupyter.app import main; main()")
    server = running_server(config, "--ServerApp.authenticate_prometheus=False", command=launch)
    assert httpx.get(f"{server.url}metrics", trust_env=False).status_code == 200
