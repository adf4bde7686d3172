"""Calls that respond later: a run to ask for instead of a result to wait for."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Server
from tests.server.conftest import WID

CALL = f"flow/query/{WID}/main/"
LATER = {"Prefer": "respond-async"}


def start(server: Server, path: str) -> str:
    """Start a call that responds later; return the URL of its run."""
    answer = server.http.get(CALL + path, headers=LATER)
    assert answer.status_code == 202, answer.text
    assert answer.headers["preference-applied"] == "respond-async"
    location: str = answer.headers["location"]
    assert location.endswith(f"/coflows/api/runs/{answer.headers['x-run-id']}")
    assert answer.json()["id"] == answer.headers["x-run-id"]
    return location


def follow(server: Server, run: str) -> list[tuple[str, Any]]:
    """Return everything that a run's event stream says until it ends."""
    found = []
    with server.http.stream("GET", f"{run}/events") as stream:
        kind = ""
        for line in stream.iter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                kind = value
            elif name == "data":
                found.append((kind, json.loads(value)))
    return found


@pytest.mark.parametrize("form", ["GET", "POST", "legacy"])
def test_the_result_is_fetched_later(server: Server, form: str) -> None:
    """Every form of a call answers at once with a run, which gives the encoded result as the call would have."""
    answer = {
        "GET": lambda: server.http.get(CALL + "Add?x=1&y=2", headers=LATER),
        "POST": lambda: server.http.post(CALL + "Add", json={"x": 1, "y": 2}, headers=LATER),
        "legacy": lambda: server.http.get(f"flow/getquery?wid={WID}&qid=main&name=Add&p[0]=1&p[1]=2", headers=LATER),
    }[form]()
    assert answer.status_code == 202
    run = answer.headers["location"]
    assert follow(server, run)[-1][1]["outcome"] == "succeeded"
    for _ in range(2):
        result = server.http.get(f"{run}/result")
        assert (result.status_code, result.json()) == (200, 3)
        assert result.headers["content-type"] == "application/json"
        assert result.headers["x-run-id"] == answer.headers["x-run-id"]
    found = server.http.get(run).json()
    assert (found["outcome"], found["kept"], found["result_bytes"]) == ("succeeded", True, 1)


def test_a_format_that_was_asked_for_is_kept(server: Server) -> None:
    """The result is encoded when the call is made, not when it is fetched."""
    run = start(server, "Table.csv")
    follow(server, run)
    assert server.http.get(f"{run}/result").text.splitlines()[0] == "a,b"


@pytest.mark.parametrize(("path", "size"), [("Big?size=3000000", 3_000_000), ("Count?n=1000", None)])
def test_large_results_and_streams(server: Server, path: str, size: int | None) -> None:
    """A result of any size or form comes back byte by byte the same."""
    run = start(server, path)
    follow(server, run)
    result = server.http.get(f"{run}/result", headers={"Accept-Encoding": "identity"})
    assert result.content == server.http.get(CALL + path).content
    assert size in {None, int(result.headers["content-length"])}


def test_a_run_that_goes_on(server: Server, tmp_path: Path) -> None:
    """Until the end the result is 202; the call goes on whoever listens, and can be cancelled."""
    run = start(server, "Sleep?seconds=30")
    result = server.http.get(f"{run}/result")
    assert (result.status_code, result.json()["outcome"]) == (202, "running")
    assert "retry-after" in result.headers
    server.http.post(f"{run}/cancel").raise_for_status()
    kind, end = follow(server, run)[-1]
    assert (kind, end["outcome"]) == ("end", "cancelled")
    assert server.http.get(f"{run}/result").status_code == 499


def test_errors_are_results_too(server: Server) -> None:
    """The result of a call that failed is the problem that the call would have answered."""
    for path, status in (("Fail", 500), ("Add?x=one&y=2", 422), ("Loop", 504)):
        run = start(server, path)
        follow(server, run)
        result = server.http.get(f"{run}/result")
        assert result.status_code == status
        assert result.headers["content-type"] == "application/problem+json"
        assert not server.http.get(run).json()["kept"]


def test_what_can_be_said_at_once_is(server: Server) -> None:
    """Whether there is such a function and whether one may call it is not answered later."""
    assert server.http.get(CALL + "Missing", headers=LATER).status_code == 404
    assert server.http.get(CALL + "Nobody", headers=LATER).status_code == 403


def test_the_call_outlives_its_client(server: Server, tmp_path: Path) -> None:
    """A client that left, also from the event stream, ends nothing."""
    file = tmp_path / "done"
    with httpx.Client(base_url=server.url, headers={"x-api-key": server.key, **LATER}) as client:
        run = client.get(CALL + "Touch", params={"path": str(file), "seconds": 0.5}).headers["location"]
        with client.stream("GET", f"{run}/events"):
            pass
    assert follow(server, run)[-1][1]["outcome"] == "succeeded"
    assert file.exists()


def test_events_tell_the_log_as_it_comes(server: Server, tmp_path: Path) -> None:
    """A line is told while the run goes on; who comes later gets it as well."""
    go = tmp_path / "go"
    run = start(server, f"Talk?path={go}")
    with server.http.stream("GET", f"{run}/events") as stream:
        lines = stream.iter_lines()
        assert next(lines) == "event: log"
        assert json.loads(next(lines).removeprefix("data: ")) == {"stream": "stdout", "text": "first\n"}
        assert server.http.get(run).json()["outcome"] == "running"
        go.touch()
        rest = list(lines)
    assert "event: end" in rest
    for _ in range(2):
        text = "".join(data["text"] for kind, data in follow(server, run) if kind == "log")
        assert text == "first\nsecond\n"


def test_results_of_ordinary_calls_are_not_kept(server: Server) -> None:
    """Only a call that asked for it can be asked for its result."""
    run = server.http.get(CALL + "Add?x=1&y=2").headers["x-run-id"]
    answer = server.http.get(f"coflows/api/runs/{run}/result")
    assert answer.status_code == 404
    assert "not kept" in answer.json()["detail"]


def test_who_is_unknown_waits(anonymous: httpx.Client) -> None:
    """A public function answers at once to those who could not ask for the run."""
    answer = anonymous.get(CALL + "Hello", headers=LATER)
    assert (answer.status_code, answer.json()) == (200, "hello you")
    assert "preference-applied" not in answer.headers


def test_a_long_call_has_more_time_than_one_that_is_waited_for(server: Server) -> None:
    """Nobody waits, so the configuration's time-out does not count; a function's own does."""
    started = time.monotonic()
    run = start(server, "Loop")
    assert follow(server, run)[-1][1]["outcome"] == "timed_out"
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(("bar", "expected"), [(False, (2, 4, "halfway")), (True, (4, 4, "steps"))])
def test_progress_is_told_while_the_run_goes_on(
    server: Server, tmp_path: Path, bar: bool, expected: tuple[float, float, str]
) -> None:
    """By the event stream and by the run itself, from our function and from tqdm, of which the log has nothing."""
    done, total, text = expected
    wanted = {"done": done, "total": total, "text": text}
    go = tmp_path / "go"
    run = start(server, f"Steps?path={go}&bar={bar}")
    with server.http.stream("GET", f"{run}/events") as stream:
        lines = stream.iter_lines()
        assert any(line.startswith("data: ") and json.loads(line[6:]) == wanted for line in lines)
        assert server.http.get(run).json()["progress"] == wanted
        go.touch()
        assert "event: end" in list(lines)
    assert server.http.get(f"{run}/log").text == ""


def test_a_short_call_is_answered_when_it_is_waited_for(server: Server) -> None:
    """``wait`` gives the result, or the problem, of what ends in time, and the run of what does not."""
    patient = {"Prefer": "respond-async, wait=10"}
    answer = server.http.get(CALL + "Add?x=1&y=2", headers=patient)
    assert (answer.status_code, answer.json()) == (200, 3)
    assert server.http.get(f"coflows/api/runs/{answer.headers['x-run-id']}/result").json() == 3
    assert server.http.get(CALL + "Add?x=one&y=2", headers=patient).status_code == 422
    started = time.monotonic()
    answer = server.http.get(CALL + "Sleep?seconds=30", headers={"Prefer": "wait=1, respond-async"})
    assert (answer.status_code, answer.json()["outcome"]) == (202, "running")
    assert time.monotonic() - started < 10
    server.http.post(f"{answer.headers['location']}/cancel").raise_for_status()


def test_who_leaves_before_the_answer_ends_the_call(server: Server) -> None:
    """Nobody knows of a run whose 202 was not sent yet, so it ends with its connection."""
    with pytest.raises(httpx.ReadTimeout):
        server.http.get(CALL + "Sleep?seconds=31", headers={"Prefer": "respond-async, wait=60"}, timeout=0.5)
    deadline = time.monotonic() + 10
    outcome = "running"
    while outcome == "running" and time.monotonic() < deadline:
        runs = server.http.get("coflows/api/runs?function=Sleep&text=31").json()["runs"]
        outcome = runs[0]["outcome"]
    assert outcome == "cancelled"
