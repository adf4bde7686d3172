"""The history of calls over REST."""

from __future__ import annotations

import threading
import time
from typing import Any

import httpx
import pytest

from tests.conftest import Server
from tests.server.conftest import WID

CALL = f"flow/query/{WID}/main/"


def run_of(server: Server, answer: httpx.Response) -> dict[str, Any]:
    """Return the run of an answer."""
    found: dict[str, Any] = server.http.get(f"coflows/api/runs/{answer.headers['x-run-id']}").json()
    return found


def test_a_call_leaves_a_row(server: Server) -> None:
    """Who, through which door, what, how long, how it ended, of which Build."""
    run = run_of(server, server.http.get(CALL + "Add?x=1&y=2", headers={"X-Coflows-Door": "sidebar"}))
    build = server.http.get(f"coflows/api/workflows/{WID}").json()["build"]["id"]
    assert 0 < run.pop("seconds") < 5
    assert run.pop("started").endswith("+00:00")
    assert run.pop("id")
    assert run == {
        "workflow": WID,
        "query": "main",
        "function": "Add",
        "door": "sidebar",
        "caller": "root",
        "arguments": {"x": "1", "y": "2"},
        "outcome": "succeeded",
        "status": 200,
        "error": "",
        "build": build,
        "result_bytes": 1,
        "progress": None,
        "kept": False,
        "kind": "query",
    }


@pytest.mark.parametrize(
    ("path", "outcome", "status"),
    [("Fail", "failed", 500), ("Add?x=one&y=2", "failed", 422), ("Loop", "timed_out", 504), ("Die", "crashed", 502)],
)
def test_what_goes_wrong_is_told_apart(server: Server, path: str, outcome: str, status: int) -> None:
    """The row says how a run ended and in which sentence, as its answer did."""
    answer = server.http.get(CALL + path)
    run = run_of(server, answer)
    assert (run["outcome"], run["status"]) == (outcome, status)
    assert run["error"] == answer.json()["detail"]
    server.wait_until("coflows/api/ready", 200)


def test_a_stream_ends_with_its_last_byte(server: Server) -> None:
    """The row of a stream counts all of its bytes."""
    answer = server.http.get(CALL + "Count?n=3")
    run = run_of(server, answer)
    assert (run["outcome"], run["result_bytes"]) == ("succeeded", len(answer.content))


def test_output_is_kept(server: Server) -> None:
    """What a run prints is its log, and nobody else's."""
    answer = server.http.get(CALL + "Print?text=hello")
    log = server.http.get(f"coflows/api/runs/{answer.headers['x-run-id']}/log")
    assert log.text == "hello\n"
    assert log.headers["content-type"].startswith("text/plain")


def test_secrets_are_in_no_row(server: Server) -> None:
    """Neither a doc comment's secret nor a SecretStr gets into the history, and such a run can't be repeated."""
    for path in ("Login?user=ann&password=hunter2", "Token?token=hunter2"):
        answer = server.http.get(CALL + path)
        assert answer.status_code == 200
        run = run_of(server, answer)
        assert "hunter2" not in str(run)
        again = server.http.post(f"coflows/api/runs/{run['id']}/rerun")
        assert again.status_code == 409
        assert "secrets" in again.json()["detail"]
        assert "(a secret)" in again.json()["hint"]
        assert f"POST a JSON object to {CALL}" in again.json()["hint"]


def test_secrets_are_masked_in_what_a_call_says(server: Server) -> None:
    """A secret that is printed in pieces, logged or raised is in neither the log, the row nor the answer."""
    answer = server.http.post(CALL + "Leak", json={"user": "ann", "password": "hunter2 & co"})
    run = run_of(server, answer)
    log = server.http.get(f"coflows/api/runs/{run['id']}/log").text
    assert log.splitlines() == ["ann ***", "WARNING vault: {'password': '***'}"]
    assert "hunter2" not in answer.text
    assert (run["error"], answer.json()["detail"]) == ("ValueError: *** is wrong",) * 2
    assert "*** is wrong" in answer.json()["traceback"]


def test_a_secret_that_does_not_fit_is_not_shown(server: Server) -> None:
    """The answer names the parameter, not its value; what a misspelt name was given may be a secret, too."""
    for arguments in ({"user": "ann", "password": "x", "pin": "hunter2"}, {"user": "ann", "pasword": "hunter2"}):
        answer = server.http.get(CALL + "Leak", params=arguments)
        assert answer.status_code == 422
        assert "hunter2" not in answer.text
        assert "***" in {field.get("value") for field in answer.json()["errors"]}


@pytest.mark.parametrize(
    ("path", "outcome", "status"),
    [("Nobody", "denied", 403), ("Nowhere", "refused", 404), ("Add.xyz?x=1&y=2", "refused", 406)],
)
def test_refused_calls_leave_a_row(server: Server, path: str, outcome: str, status: int) -> None:
    """Who was not let in, and who asked for what does not exist, is in the history and in the metrics."""
    run = run_of(server, server.http.get(CALL + path))
    assert (run["outcome"], run["status"], run["arguments"]) == (outcome, status, None)
    counted = [line for line in metrics(server).splitlines() if line.startswith("coflows_calls_total")]
    assert any(f'outcome="{outcome}"' in line for line in counted)
    again = server.http.post(f"coflows/api/runs/{run['id']}/rerun")
    assert again.status_code == 409


def test_a_flood_of_strangers_is_counted_and_not_kept(server: Server) -> None:
    """The rows of calls without a key are few; the metrics have all of them, under no name that strangers choose."""
    denied = "coflows/api/runs?outcome=denied&caller=anonymous&limit=1000"
    before = len(server.http.get(denied).json()["runs"])
    with httpx.Client(base_url=server.url) as stranger:
        for number in range(60):
            assert stranger.get(CALL + f"Unheard{number}").status_code == 401
    rows = server.http.get(denied).json()["runs"]
    assert 1 <= len(rows) <= before + 25
    text = metrics(server)
    assert "Unheard" not in text
    line = next(x for x in text.splitlines() if 'function="",outcome="denied"' in x)
    assert float(line.rpartition(" ")[2]) >= 60


def metrics(server: Server) -> str:
    """Return what Prometheus sees."""
    return server.http.get("metrics", headers={"Authorization": f"token {server.key}"}).text


def test_filters_that_make_no_sense(server: Server) -> None:
    """A time that can't be read is an error that says how to write it."""
    answer = server.http.get("coflows/api/runs?since=yesterday")
    assert answer.status_code == 422
    assert "2h" in answer.json()["detail"]
    assert server.http.get("coflows/api/runs?since=1h&door=http&text=Add&limit=1").status_code == 200


def test_list_filters(server: Server) -> None:
    """Runs are listed with the latest first, by Query, function and outcome, page by page."""
    for number in range(4):
        server.http.get(CALL + f"Show?a={number}")
    server.http.get(CALL + "Fail")
    listed = server.http.get("coflows/api/runs", params={"function": "Show", "limit": 2}).json()["runs"]
    assert [run["arguments"] for run in listed] == [{"a": "3"}, {"a": "2"}]
    older = {"function": "Show", "limit": 2, "before": listed[-1]["id"]}
    assert [r["arguments"] for r in server.http.get("coflows/api/runs", params=older).json()["runs"]] == [
        {"a": "1"},
        {"a": "0"},
    ]
    failed = server.http.get("coflows/api/runs?outcome=failed&query=main&limit=1").json()["runs"]
    assert [run["function"] for run in failed] == ["Fail"]
    third = server.http.get("coflows/api/runs", params={"text": "A=3", "workflow": WID}).json()["runs"]
    assert [run["arguments"] for run in third] == [{"a": "3"}]
    assert server.http.get("coflows/api/runs?workflow=another").json()["runs"] == []
    assert server.http.get("coflows/api/runs?limit=many").status_code == 422
    assert server.http.get("coflows/api/runs?wat=1").status_code == 422


def test_events_say_that_there_are_other_runs(server: Server) -> None:
    """Who shows runs need not ask again and again: that one began or ended is told, after it can be seen."""
    with server.http.stream("GET", "coflows/api/events") as stream:
        lines = stream.iter_lines()
        assert "event: state" in next(line for line in lines if line.startswith("event"))
        run_id = server.http.get(CALL + "Add?x=1&y=2").headers["x-run-id"]

        def is_seen() -> bool:
            (latest,) = server.http.get("coflows/api/runs?limit=1").json()["runs"]
            return bool(latest["id"] == run_id)

        # An event may still be about earlier runs.
        assert any(line == "event: runs" and is_seen() for line in lines)


def test_a_running_call_is_seen_and_cancelled(server: Server) -> None:
    """A call that goes on is in the list; cancelling it ends it and answers its caller."""
    answers: list[httpx.Response] = []
    headers = {"x-api-key": server.key}
    caller = threading.Thread(target=lambda: answers.append(httpx.get(server.url + CALL + "Sleep", headers=headers)))
    caller.start()
    deadline = time.monotonic() + 10
    running: list[dict[str, Any]] = []
    while not running and time.monotonic() < deadline:
        running = server.http.get("coflows/api/runs?outcome=running&function=Sleep").json()["runs"]
    assert running[0]["outcome"] == "running"
    server.http.post(f"coflows/api/runs/{running[0]['id']}/cancel").raise_for_status()
    caller.join(10)
    assert answers[0].status_code == 499
    run = run_of(server, answers[0])
    assert (run["outcome"], run["id"]) == ("cancelled", running[0]["id"])
    # What has ended stays as it is.
    assert server.http.post(f"coflows/api/runs/{run['id']}/cancel").json()["outcome"] == "cancelled"


@pytest.mark.parametrize("form", ["json", "array", "query", "position"])
def test_run_again(server: Server, form: str) -> None:
    """The same arguments in the same form give the same answer, as a run of its own."""
    url = CALL + "Add"
    first = {
        "json": lambda: server.http.post(url, json={"x": 1, "y": 2}),
        "array": lambda: server.http.post(url, json=[1, 2]),
        "query": lambda: server.http.get(url + "?x=1&y=2"),
        "position": lambda: server.http.get(url + "?p[1]=2&p[0]=1"),
    }[form]()
    again = server.http.post(f"coflows/api/runs/{first.headers['x-run-id']}/rerun")
    assert again.json() == first.json() == 3
    assert again.headers["x-run-id"] != first.headers["x-run-id"]


def test_large_arguments_are_not_kept(server: Server) -> None:
    """Such a run is in the history, and can't be repeated from there."""
    answer = server.http.post(CALL + "Length", json={"data": "x" * 100_000})
    assert run_of(server, answer)["arguments"] is None
    again = server.http.post(f"coflows/api/runs/{answer.headers['x-run-id']}/rerun")
    assert again.status_code == 409
    assert "16 KB" in again.json()["detail"]
    assert "anew with data" in again.json()["hint"]
