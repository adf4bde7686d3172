"""M sets over HTTP."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from coflows_jupyter.access.permissions import AccessType, Caller, Scope
from coflows_jupyter.mset.place import open_database
from coflows_jupyter.mset.rights import level_at_door, level_in_code
from coflows_jupyter.server import mstream
from tests.mset.conftest import KEY, make, serve

PRICES = "coflows/api/m/prices"
CHANGES = "coflows/api/m-changes/prices"


@pytest.fixture
def http(tmp_path: Path) -> Iterator[httpx.Client]:
    """Return a client of a server whose sets are empty."""
    with (
        serve(tmp_path) as server,
        httpx.Client(base_url=server.url, headers={"x-api-key": KEY}, timeout=20, trust_env=False) as client,
    ):
        yield client


def test_create_read_update_delete(http: httpx.Client) -> None:
    """Each of them is one request."""
    made = http.post(PRICES, json={"name": "a", "price": 1})
    entry = made.json()["entry"]
    assert (made.status_code, made.json()["reason"]) == (201, "")
    again = http.post(PRICES, json={"price": 1, "name": "a"})
    assert (again.status_code, again.json()) == (200, {"entry": entry, "reason": "duplicate"})
    assert http.get(f"{PRICES}/{entry}").json() == {"name": "a", "price": 1}
    assert http.put(f"{PRICES}/{entry}", json={"price": 2}).status_code == 204
    assert [c["op"] for c in http.get(f"{PRICES}/{entry}/history").json()["changes"]] == ["add", "exchange"]
    assert http.get("coflows/api/m").json() == {"sets": [{"id": "prices", "entries": 1}]}
    assert http.delete(f"{PRICES}/{entry}").status_code == 204
    assert http.delete(f"{PRICES}/{entry}").status_code == 404
    assert http.get(f"{PRICES}/{entry}").status_code == 404
    assert http.delete(PRICES).status_code == 204


def test_if_match(http: httpx.Client) -> None:
    """A change on condition of a value that is no longer there is refused."""
    url = f"{PRICES}/eur"
    assert http.put(url, json=1.1, headers={"If-None-Match": "*"}).status_code == 204
    assert http.put(url, json=1.2, headers={"If-None-Match": "*"}).status_code == 412
    tag = http.get(url).headers["ETag"]
    assert http.put(url, json=1.2, headers={"If-Match": tag}).status_code == 204
    assert http.put(url, json=1.3, headers={"If-Match": tag}).status_code == 412
    assert http.delete(url, headers={"If-Match": tag}).status_code == 412
    assert http.put(f"{PRICES}/usd", json=1.2).status_code == 409
    assert http.put(f"{PRICES}/usd", json=1.2, headers={"If-Match": tag}).status_code == 404
    assert http.get(url).json() == 1.2


def test_lists_and_filters(http: httpx.Client) -> None:
    """Pages follow each other, and a filter is written as in Python."""
    rows = [{"n": n, "name": f"n{n}"} for n in range(5)]
    http.patch(PRICES, json={"changes": [{"op": "add", "value": row} for row in rows], "index": ["n"]})
    first = http.get(PRICES, params={"limit": 3}).json()
    assert [entry["value"] for entry in first["entries"]] == rows[:3]
    rest = http.get(PRICES, params={"limit": 3, "after": first["next"]}).json()
    assert ([entry["value"] for entry in rest["entries"]], rest.get("next", 0)) == (rows[3:], 0)
    for given, expected in (
        ({"n__gte": 3}, rows[3:]),
        ({"name": "n1"}, [rows[1]]),
        ({"n__in": "[1, 2]", "name__startswith": "n"}, rows[1:3]),
    ):
        assert [e["value"] for e in http.get(PRICES, params=given).json()["entries"]] == expected
    assert http.get(PRICES, params={"limit": 0}).json()["count"] == 5
    assert http.get(PRICES, params={"at": "2020-01-01"}).json()["entries"] == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", f"{PRICES}?limit=x", None),
        ("GET", f"{PRICES}?n__gti=1", None),
        ("GET", f"{PRICES}?at=noon", None),
        ("GET", f"{CHANGES}?after=x", None),
        ("POST", PRICES, b"{"),
        ("POST", PRICES, b"null"),
        ("PATCH", PRICES, b'{"change": []}'),
        ("PATCH", PRICES, b'{"changes": [{"op": "addd"}]}'),
        ("PUT", f"{PRICES}/{'x' * 201}", b"1"),
        ("GET", "m/data", None),
    ],
)
def test_mistakes_are_the_callers(http: httpx.Client, method: str, path: str, body: bytes | None) -> None:
    """What can't be read is answered with what is wrong about it."""
    answer = http.request(method, path, content=body)
    assert answer.status_code == 422
    assert answer.json()["detail"]


def test_transaction(http: httpx.Client) -> None:
    """``atomic`` changes all or nothing."""
    changes = [{"op": "add", "value": 1}, {"op": "remove", "entry": "none"}]
    assert http.patch(PRICES, json={"changes": changes, "atomic": True}).status_code == 409
    assert http.get(PRICES).json()["entries"] == []
    outcomes = http.patch(PRICES, json={"changes": changes}).json()["outcomes"]
    assert [outcome["reason"] for outcome in outcomes] == ["", "absent"]


def test_routes_of_the_original(http: httpx.Client) -> None:
    """Its clients find what they expect, in any case."""
    http.put(f"{PRICES}/a", json={"n": 1})
    http.put(f"{PRICES}/b", json='{"text": true}')
    assert http.get("m/data?type=prices").json()[0] == {"Key": "a", "Value": {"n": 1}}
    raw = http.get("M/RawData?type=prices").json()
    assert raw[1] == {
        "ID": "prices",
        "Entry": '{"text": true}',
        "EntryID": "b",
        "Type": "System.String",
        "Assembly": "mscorlib",
    }
    assert json.loads(raw[0]["Entry"]) == {"n": 1}
    assert http.get("m/save?type=prices").json() == {"Result": "saved"}
    assert http.get("m/data?type=unknown").json() == []


def events(lines: Iterator[str], count: int) -> list[tuple[str, int, Any]]:
    """Read server-sent events."""
    found: list[tuple[str, int, Any]] = []
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        fields[name] = value
        if name == "data":
            found.append((fields["event"], int(fields["id"]), json.loads(value)))
            if len(found) == count:
                break
    return found


def test_stream_resumes(http: httpx.Client) -> None:
    """A reader that comes back with the last number that it saw misses nothing."""
    headers = {"Accept": "text/event-stream"}
    with http.stream("GET", CHANGES, headers=headers) as answer:
        lines = answer.iter_lines()
        assert events(lines, 1)[0][0] == "ready"
        http.put(f"{PRICES}/a", json=1)
        ((kind, seq, data),) = events(lines, 1)
        assert (kind, data["op"], data["entry"], data["value"], data["actor"]) == ("add", "add", "a", 1, "root")
    http.put(f"{PRICES}/a", json=2)
    http.delete(f"{PRICES}/a")
    with http.stream("GET", CHANGES, headers={**headers, "Last-Event-ID": str(seq)}) as answer:
        found = events(answer.iter_lines(), 3)
    assert [kind for kind, _, _ in found] == ["ready", "exchange", "remove"]
    assert [change["op"] for change in http.get(CHANGES).json()["changes"]] == ["add", "exchange", "remove"]


def test_websocket(tmp_path: Path) -> None:
    """The same over a WebSocket; without a key there is none."""

    async def work(url: str, http: httpx.AsyncClient) -> None:
        address = url.replace("http", "ws", 1) + CHANGES
        with pytest.raises(Exception, match="401"):
            await websocket_connect(address)
        request = HTTPRequest(address, headers={"x-api-key": KEY})
        socket = await websocket_connect(request)
        assert json.loads(await socket.read_message() or "")["op"] == "ready"
        await http.put(f"{PRICES}/a", json=1)
        change = json.loads(await socket.read_message() or "")
        assert (change["op"], change["value"]) == ("add", 1)
        socket.close()

    async def run(url: str) -> None:
        headers = {"x-api-key": KEY}
        async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as http:
            await asyncio.wait_for(work(url, http), 20)

    with serve(tmp_path) as server:
        asyncio.run(run(server.url))


def test_a_reader_that_reads_nothing_is_cut_off(http: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """It costs a page of memory for a while, and resumes where it was."""
    monkeypatch.setattr(mstream, "STUCK_SECONDS", 0.5)
    with http.stream("GET", CHANGES, headers={"Accept": "text/event-stream"}) as answer:
        lines = answer.iter_lines()
        assert events(lines, 1)[0][0] == "ready"
        count, end = 0, time.monotonic() + 3
        # More than the buffers of the system hold, for longer than a write may take.
        while count < 60 or time.monotonic() < end:
            http.put(f"{PRICES}/big", json=str(count) + "x" * 500_000).raise_for_status()
            count += 1
        seen: list[int] = []
        with pytest.raises(httpx.RemoteProtocolError):
            seen.extend(_ids(lines))
    assert len(seen) < count
    with http.stream("GET", CHANGES, params={"after": seen[-1]}, headers={"Accept": "text/event-stream"}) as answer:
        rest = events(answer.iter_lines(), count - len(seen) + 1)
    assert rest[-1][2]["value"].startswith(f"{count - 1}x")


def _ids(lines: Iterator[str]) -> Iterator[int]:
    return (int(line.removeprefix("id: ")) for line in lines if line.startswith("id: "))


READER = Caller("ann", "Ann", "key", "http", groups={"wid": AccessType.READ, "secret": AccessType.WRITE})


@pytest.mark.parametrize(
    ("name", "guarded", "scopes", "level"),
    [
        ("prices", False, (), AccessType.READ),
        ("prices", True, (), AccessType.DENIED),
        ("secret", True, (), AccessType.WRITE),
        ("secret", True, (Scope("m", "secret"),), AccessType.READ),
        ("secret", True, (Scope("m", "prices", write=True),), AccessType.DENIED),
        ("prices", False, (Scope("m", "prices", write=True),), AccessType.READ),
        ("prices", False, (Scope("query", "wid/q", write=True),), AccessType.DENIED),
    ],
)
def test_levels_at_doors(name: str, *, guarded: bool, scopes: tuple[Scope, ...], level: AccessType) -> None:
    """The set's group decides where there is one, else the Workflow's; a key is good for what it names."""
    caller = Caller(READER.id, READER.name, "key", "http", groups=READER.groups, scopes=scopes)
    assert level_at_door(caller, name, "wid", guarded=guarded) == level


def test_levels_in_code() -> None:
    """Code may do everything to sets without a group, and what its caller may to others."""
    assert level_in_code(READER, "prices", guarded=False) == AccessType.WRITE
    assert level_in_code(READER, "prices", guarded=True) == AccessType.DENIED
    assert level_in_code(None, "prices", guarded=True) == AccessType.WRITE


def test_a_group_makes_a_set_guarded(tmp_path: Path) -> None:
    """The group is the one that access has."""
    from coflows_jupyter.access.groups import create_group
    from coflows_jupyter.access.records import Actor
    from coflows_jupyter.database.connection import Database

    database = Database(tmp_path / "m.db")
    database.submit(lambda c: create_group(c, Actor("root"), "secret")).result()
    database.close()
    store = open_database(tmp_path / "m.db")
    assert store.guarded("secret")
    assert not store.guarded("prices")
    make(store).add(1)
    store.close()
