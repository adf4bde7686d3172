"""The native REST API of people: what they do with their own keys, and what Write in a group allows."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import Server
from tests.server.conftest import WID


@pytest.fixture(scope="module")
def writer(server: Server) -> Iterator[httpx.Client]:
    """Return a client of somebody with Write on the Workflow."""
    api = server.http
    api.post("coflows/api/users", json={"id": "Wanda@rest.test", "first_name": "Wanda"})
    api.put(f"coflows/api/groups/{WID}/members/wanda@rest.test", json={"level": 2})
    key = api.post("coflows/api/keys", json={"user": "wanda@rest.test"}).json()["key"]
    with httpx.Client(base_url=server.url, headers={"x-api-key": key}, timeout=30, trust_env=False) as client:
        yield client


def test_me(writer: httpx.Client) -> None:
    """Who one is, and what one may where."""
    me = writer.get("coflows/api/me").json()
    assert (me["id"], me["name"], me["email"], me["level"]) == ("wanda@rest.test", "Wanda", "wanda@rest.test", -1)
    assert me["permissions"] == {WID: 2}
    assert me["groups"][WID] == 2
    assert me["account"] is True


def test_ones_own_name(server: Server, writer: httpx.Client) -> None:
    """A person says what they are called; who has no account, or a key that is limited, does not."""
    assert writer.put("coflows/api/me/name", json={"first_name": "Wendy", "last_name": "Doe"}).status_code == 204
    me = writer.get("coflows/api/me").json()
    assert (me["name"], me["first_name"], me["last_name"]) == ("Wendy Doe", "Wendy", "Doe")
    assert server.http.get("coflows/api/audit?limit=1").json()["entries"][0]["actor"] == "wanda@rest.test"
    writer.put("coflows/api/me/name", json={"first_name": "Wanda", "last_name": ""}).raise_for_status()
    assert writer.put("coflows/api/me/name", json={"first_name": "W" * 300, "last_name": ""}).status_code == 422
    names = {"first_name": "Root", "last_name": ""}
    assert server.http.put("coflows/api/me/name", json=names).status_code == 403
    assert server.http.get("coflows/api/me").json()["account"] is False
    limited = writer.post("coflows/api/me/keys", json={"expires": "1h"}).json()["key"]
    headers = {"x-api-key": limited}
    assert httpx.put(f"{server.url}coflows/api/me/name", json=names, headers=headers).status_code == 403
    assert httpx.get(f"{server.url}coflows/api/me", headers=headers).json()["account"] is False


def test_own_keys_are_made_listed_and_revoked(server: Server, writer: httpx.Client) -> None:
    """The text is told once; a limited key does what it says and makes no other; others' keys are not there."""
    wish = {"name": "robot", "scopes": [f"function:{WID}/main/Add"], "expires": "1h"}
    made = writer.post("coflows/api/me/keys", json=wish)
    assert made.status_code == 201
    key, info = made.json()["key"], made.json()["info"]
    listed = writer.get("coflows/api/me/keys")
    assert key not in listed.text
    assert info["id"] in {k["id"] for k in listed.json()["keys"]}
    with httpx.Client(base_url=server.url, headers={"x-api-key": key}, trust_env=False) as robot:
        assert robot.get(f"flow/query/{WID}/main/Add?x=1&y=2").json() == 3
        assert robot.get(f"flow/query/{WID}/main/Show").status_code == 403
        assert robot.get("coflows/api/workflows").json() == {"workflows": []}
        runs = robot.get("coflows/api/runs").json()["runs"]
        assert {run["function"] for run in runs} == {"Add"}
        refused = robot.post("coflows/api/me/keys", json={})
        assert (refused.status_code, "limited" in refused.json()["detail"]) == (403, True)
        assert writer.delete(f"coflows/api/me/keys/{info['id']}").json()["revoked"]
        assert robot.get(f"flow/query/{WID}/main/Add?x=1&y=2").status_code == 401
    foreign = server.http.post("coflows/api/me/keys", json={"name": "root's"}).json()["info"]
    assert foreign["user"] == "root"
    assert writer.delete(f"coflows/api/me/keys/{foreign['id']}").status_code == 404


@pytest.mark.parametrize(
    ("wish", "field"),
    [({"scopes": ["all"]}, "scopes"), ({"expires": "soon"}, "expires"), ({"scope": []}, ""), ({"name": 1}, "")],
)
def test_a_wish_that_makes_no_sense_is_told(writer: httpx.Client, wish: dict[str, object], field: str) -> None:
    """Nothing is made, and what is wrong is named: a key must not be wider than somebody thought."""
    answer = writer.post("coflows/api/me/keys", json=wish)
    assert answer.status_code == 422
    assert field in {error["field"] for error in answer.json().get("errors", [])} | {""}


def test_write_makes_groups_below_and_nowhere_else(writer: httpx.Client) -> None:
    """The ID of a sub-group is not for its maker to choose: it could be the one of somebody's M set."""
    made = writer.post("coflows/api/groups", json={"id": "prices", "name": "Traders", "parent": WID})
    assert made.status_code == 201
    group = made.json()
    assert (group["name"], group["parent"]) == ("Traders", WID)
    assert group["id"] != "prices"
    assert group["id"] in {g["id"] for g in writer.get("coflows/api/groups").json()["groups"]}
    member = writer.put(f"coflows/api/groups/{group['id']}/members/wanda@rest.test", json={"level": 1, "expires": "1d"})
    assert (member.json()["level"], member.json()["expires"][:2]) == (1, "20")
    assert writer.patch(f"coflows/api/groups/{group['id']}", json={"name": "Others"}).json()["name"] == "Others"
    assert writer.delete(f"coflows/api/groups/{group['id']}").status_code == 204
    assert writer.delete(f"coflows/api/groups/{WID}").status_code == 409
    for parent in ("", "Public", "Administrator"):
        assert writer.post("coflows/api/groups", json={"name": "x", "parent": parent}).status_code == 403


def test_nobody_takes_more_than_they_have(writer: httpx.Client) -> None:
    """Write in one group gives no say in another, about accounts, or about the audit."""
    for method, path, body in (
        ("PUT", "groups/Administrator/members/wanda@rest.test", {"level": 2}),
        ("PATCH", "users/wanda@rest.test", {"password": "a long password"}),
        ("GET", "audit", None),
        ("GET", "users", None),
        ("POST", "keys", {"user": "root"}),
    ):
        assert writer.request(method, f"coflows/api/{path}", json=body).status_code == 403, path
