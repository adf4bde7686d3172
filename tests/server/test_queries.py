"""Calls of functions over HTTP: URL forms, arguments, formats, errors, streams."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coflows_jupyter.errors import NotAcceptableError
from coflows_jupyter.server.queries import negotiate, positional, wanted
from tests.conftest import Server
from tests.server.conftest import WID

QUERY = f"flow/query/{WID}/main"


def wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Return once ``condition`` holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@pytest.mark.parametrize(
    "address",
    [
        f"{QUERY}/Add?x=1&y=2",
        f"{QUERY}/Add?p[0]=1&p[1]=2",
        f"{QUERY}/Add?a=1&b=2",
        f"{QUERY}/Add/what/ever?x=1&y=2",
        f"Flow/Query/{WID}/main/Add?x=1&y=2",
        f"flow/query/{WID.upper()}/main/Add?x=1&y=2",
        f"flow/getquery?wid={WID}&qid=main&name=Add&p[0]=1&p[1]=2",
        f"flow/getquery?p[1]=2&p[0]=1&wid={WID}&qid=main&name=Add",
        f"m/getquery?wid={WID}&qid=main&name=Add&p=1&p=2",
        f"m/getwb?workbook={WID}&id=main&name=Add&p[0]=1&p[1]=2",
        f"flow/getwb?workbook={WID}&id=main&name=Add&p[0]=1&p[1]=2",
        f"M/GetWb?workbook={WID}&id=main&name=Add&p[0]=1&p[1]=2",
    ],
)
def test_every_form_of_url(server: Server, address: str) -> None:
    """All URLs that the original ever had call the same function."""
    answer = server.http.get(address)
    assert (answer.status_code, answer.json()) == (200, 3)
    assert answer.headers["content-type"].startswith("application/json")


def test_index_decides_the_position_in_the_oldest_forms(server: Server) -> None:
    """`p[1]` is the second argument, wherever it stands."""
    address = f"flow/getquery?p[10]=k&p[2]=c&wid={WID}&qid=main&name=Show&p[0]=a&p[1]=b"
    assert server.http.get(address).json() == ["a", "b", "c", "k"]


@pytest.mark.parametrize("body", [b'{"x": 1, "y": 2}', b"[1, 2]", b'{"x": "1", "y": "2"}'])
def test_post_takes_json_by_name_and_by_position(server: Server, body: bytes) -> None:
    """The body is an object or an array; curl's idea that all bodies are forms does no harm."""
    for kind in ("application/json", "application/x-www-form-urlencoded", ""):
        headers = {"Content-Type": kind} if kind else {}
        assert server.http.post(f"{QUERY}/Add", content=body, headers=headers).json() == 3


def test_post_takes_a_form(server: Server) -> None:
    """A form's fields are arguments, and a body may be missing."""
    assert server.http.post(f"{QUERY}/Add", data={"x": "1", "y": "2"}).json() == 3
    assert server.http.post(f"{QUERY}/Add?x=1&y=2").json() == 3


def test_multipart_is_refused(server: Server) -> None:
    """Uploads are no arguments; the answer says what is."""
    answer = server.http.post(f"{QUERY}/Add", files={"x": b"1"})
    assert answer.status_code == 415
    assert "JSON" in answer.json()["detail"]


def test_suffix_and_accept_choose_the_format(server: Server) -> None:
    """A table comes as JSON, and as CSV by suffix or by header."""
    assert server.http.get(f"{QUERY}/Table").json() == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]
    assert server.http.get(f"{QUERY}/Table.json").json()[1] == {"a": 3, "b": 4}
    for answer in (
        server.http.get(f"{QUERY}/Table.csv"),
        server.http.get(f"{QUERY}/Table", headers={"Accept": "text/csv"}),
    ):
        assert answer.headers["content-type"].startswith("text/csv")
        assert answer.text.split() == ["a,b", "1,2", "3,4"]


def test_unknown_suffix(server: Server) -> None:
    """A suffix that names no format is 406, and the answer lists those that do."""
    answer = server.http.get(f"{QUERY}/Table.exe")
    assert answer.status_code == 406
    assert ".csv" in answer.json()["hint"]


def test_errors_are_problem_documents(server: Server) -> None:
    """Every error is problem JSON with a run ID; wrong arguments have one entry per field."""
    answer = server.http.get(f"{QUERY}/Add?x=one&y=two")
    problem = answer.json()
    assert answer.status_code == problem["status"] == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-run-id"] == problem["run_id"]
    assert {error["field"] for error in problem["errors"]} == {"x", "y"}
    assert problem["type"] == "urn:coflows:error:arguments"


def test_failing_function(server: Server) -> None:
    """A function that raises is 500 with its message; the traceback is for callers with Write."""
    answer = server.http.get(f"{QUERY}/Fail")
    problem = answer.json()
    assert answer.status_code == 500
    assert "the secret of the user" in problem["detail"]
    assert "main.py" in problem["traceback"]
    assert problem["run_id"] in server.log.read_text()


def test_unknown_names_have_a_hint(server: Server) -> None:
    """A typing mistake is 404 with the nearest name."""
    answer = server.http.get(f"{QUERY}/Ad?x=1&y=2")
    assert answer.status_code == 404
    assert "Add" in answer.json()["hint"]


def test_endless_loop_is_504_and_others_succeed(server: Server) -> None:
    """The function's own deadline ends it; a call beside it is answered."""
    began = time.monotonic()
    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.append(server.http.get(f"{QUERY}/Loop").status_code))
    thread.start()
    assert server.http.get(f"{QUERY}/Add?x=1&y=2").json() == 3
    thread.join(20)
    assert answers == [504]
    assert time.monotonic() - began < 10


def test_eight_slow_calls_outlive_an_endless_one(server: Server) -> None:
    """Calls in flight beside `while True` are answered, whatever becomes of their host."""
    with ThreadPoolExecutor(9) as pool:
        slow = [pool.submit(server.http.get, f"{QUERY}/Sleep?seconds=1.5") for _ in range(8)]
        endless = pool.submit(server.http.get, f"{QUERY}/Loop")
    assert [(call.result().status_code, call.result().json()) for call in slow] == [(200, "slept")] * 8
    assert endless.result().status_code == 504


def test_stream_comes_as_it_is_made(server: Server) -> None:
    """A generator's items are lines, each sent before the next is made."""
    assert [json.loads(line) for line in server.http.get(f"{QUERY}/Count").text.splitlines()] == [
        {"i": 0},
        {"i": 1},
        {"i": 2},
    ]


def test_reader_that_leaves_ends_the_stream(server: Server, tmp_path: Path) -> None:
    """The generator is closed when its reader closes the connection."""
    mark = tmp_path / "closed"
    with server.http.stream("GET", f"{QUERY}/Forever", params={"path": str(mark)}) as answer:
        next(answer.iter_lines())
    wait_for(mark.exists)


def test_caller_that_leaves_cancels_the_call(server: Server) -> None:
    """A call whose client has gone is not in flight for long."""

    def in_flight() -> int:
        status = server.http.get(f"coflows/api/workflows/{WID}").json()
        return sum(host["in_flight"] for host in status["hosts"])

    with httpx.Client(timeout=0.5, trust_env=False) as client, pytest.raises(httpx.ReadTimeout):
        client.get(f"{server.url}{QUERY}/Sleep", headers={"x-api-key": server.key})
    wait_for(lambda: in_flight() == 0)


def test_large_bodies_pass(server: Server) -> None:
    """Megabytes go in and out, and health answers meanwhile."""
    size = 32 * 1024 * 1024
    with server.http.stream("GET", f"{QUERY}/Big?size={size}") as answer:
        assert answer.status_code == 200
        assert sum(len(chunk) for chunk in answer.iter_bytes()) == size
    assert server.http.post(f"{QUERY}/Length", json={"data": "x" * size}).json() == size


def test_answers_carry_no_state(server: Server) -> None:
    """Headers keep results out of caches and scripts out of them; nothing sets a cookie."""
    headers = server.http.get(f"{QUERY}/Add?x=1&y=2").headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"]
    assert headers["x-run-id"]
    assert "set-cookie" not in headers
    assert "etag" not in headers


def test_head_does_not_call(server: Server) -> None:
    """HEAD tells whether a call is allowed, without making it."""
    began = time.monotonic()
    assert server.http.head(f"{QUERY}/Sleep").status_code == 200
    assert server.http.head(f"{QUERY}/Missing").status_code == 404
    assert server.http.head(f"flow/getquery?wid={WID}&qid=main&name=Sleep").status_code == 200
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", ""),
        ("*/*", ""),
        ("application/json", "application/json"),
        ("text/csv;q=0.5, application/json", "application/json"),
        ("text/csv, application/json;q=0.5", "text/csv"),
        ("image/avif,image/webp,*/*;q=0.8", ""),
        ("application/*", ""),
        ("model/obj", "model/obj"),
        ("text/csv;q=nonsense, text/plain", "text/plain"),
    ],
)
def test_negotiation(accept: str, chosen: str) -> None:
    """The first known type of the highest quality wins, and a wildcard leaves the choice to the value."""
    assert negotiate(accept) == chosen


@given(st.text())
def test_any_accept_header_is_taken(accept: str) -> None:
    """No header breaks the negotiation."""
    negotiate(accept)


def test_suffix_beats_accept() -> None:
    """What the URL says goes before what the header says."""
    assert wanted("Add.CSV", "application/json") == ("Add", "text/csv")
    with pytest.raises(NotAcceptableError):
        wanted("Add.", "")


@given(st.lists(st.text(), max_size=12))
def test_positions_survive_any_order(values: list[str]) -> None:
    """Values come out in the order of their indices, however they were sent."""
    pairs = [(f"p[{index}]", value) for index, value in enumerate(values)]
    assert positional(pairs[::-1]) == positional(pairs)


def timing(answer: httpx.Response) -> dict[str, float]:
    """Return what Server-Timing says, in milliseconds by name."""
    parts = (part.partition(";dur=") for part in answer.headers["server-timing"].split(", "))
    return {name: float(duration) for name, _, duration in parts}


def test_answers_say_where_the_time_went(server: Server) -> None:
    """Who was let in, checked, waited for, run and encoded is told in milliseconds; of an error what is known."""
    slept = timing(server.http.get(f"{QUERY}/Sleep?seconds=0.2"))
    assert list(slept) == ["auth", "check", "queue", "run", "encode"]
    assert 200 <= slept["run"] < 5000
    assert all(0 <= slept[name] < 5000 for name in slept)
    assert list(timing(server.http.get(f"{QUERY}/Count"))) == list(slept)
    assert list(timing(server.http.get(f"{QUERY}/Big?size=1000000"))) == list(slept)
    assert list(timing(server.http.get(f"{QUERY}/Fail"))) == ["auth", "check", "host"]
    assert list(timing(server.http.get(f"{QUERY}/Missing"))) == ["auth", "check"]
    later = server.http.get(f"{QUERY}/Add?x=1&y=2", headers={"Prefer": "respond-async"})
    assert list(timing(later)) == ["auth", "check"]
    assert "server-timing" not in server.http.get("coflows/api/me").headers
