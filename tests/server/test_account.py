"""Logging in with a password: the page, the session it makes, and the original's ways."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import Server
from tests.server.conftest import WID

PASSWORD = "correct horse battery"
LEVELS = {"reader": 1, "writer": 2, "viewer": 0}


@pytest.fixture(scope="module")
def people(server: Server) -> dict[str, str]:
    """Make accounts with passwords, and return their IDs by what they may."""
    for name, level in LEVELS.items():
        user = {"id": f"{name}@pass.word", "first_name": name.title(), "last_name": "Doe", "password": PASSWORD}
        assert server.http.post("coflows/api/users", json=user).status_code == 201
        server.http.put(f"coflows/api/groups/{WID}/members/{user['id']}", json={"level": level})
    return {name: f"{name}@pass.word" for name in LEVELS}


@pytest.fixture
def page(server: Server) -> Iterator[httpx.Client]:
    """Return a browser that has opened the page to log in on."""
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as client:
        client.get("login")
        yield client


def log_in(page: httpx.Client, user: str, password: str = PASSWORD, target: str = "/lab") -> httpx.Response:
    """Send the form."""
    form = {"user": user, "password": password, "next": target, "_xsrf": page.cookies["_xsrf"]}
    answer = page.post("login", data=form)
    page.headers["X-XSRFToken"] = page.cookies["_xsrf"]
    return answer


def test_the_page_needs_nobody_else(server: Server) -> None:
    """It has no script, its policy lets none in, and what it was asked comes back as text."""
    answer = httpx.get(f"{server.url}login?next=/lab%22%3E%3Cscript%3Ealert(1)%3C/script%3E", trust_env=False)
    assert answer.status_code == 200
    assert "script" not in re.sub(r'value="[^"]*"', "", answer.text)
    assert 'value="/lab&quot;&gt;&lt;script' in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert server.key not in answer.text


def test_without_its_xsrf_field_the_form_does_nothing(server: Server, people: dict[str, str]) -> None:
    """Another site's page can't log a browser in."""
    form = {"user": people["writer"], "password": PASSWORD}
    answer = httpx.post(f"{server.url}login", data=form, trust_env=False)
    assert answer.status_code == 403
    assert "username" not in answer.headers.get("set-cookie", "")


def test_a_writer_gets_lab(people: dict[str, str], page: httpx.Client) -> None:
    """One session for Lab's routes and for ours."""
    answer = log_in(page, people["writer"])
    assert (answer.status_code, answer.headers["location"]) == (302, "/lab")
    assert page.get("api/contents").status_code == 200
    assert page.get("lab").status_code == 200
    me = page.get("coflows/api/me").json()
    assert (me["id"], me["name"], me["source"]) == (people["writer"], "Writer Doe", "session")
    assert page.post(f"coflows/api/workflows/{WID}/build").status_code == 200


@pytest.mark.parametrize("who", ["reader", "viewer"])
def test_lab_is_refused_to_others(people: dict[str, str], page: httpx.Client, who: str) -> None:
    """Contents, kernels, terminals, its page: nothing of Lab knows them; ours does, as far as they may."""
    answer = log_in(page, people[who])
    assert answer.status_code == 200
    assert "Lab is for those who have Write" in answer.text
    assert f"/flow/docs/{WID}" in answer.text
    for path in ("api/contents", "api/kernels", "api/terminals", "api/sessions", "lab/api/settings", "api/me"):
        assert page.get(path).status_code == 403, path
    assert page.post("api/kernels").status_code == 403
    assert page.post("api/terminals").status_code == 403
    assert page.get("files/package.json").status_code in {302, 403}
    assert page.get("lab").headers["location"].startswith("/login?next=")
    may = page.post(f"flow/query/{WID}/main/Add", json={"x": 1, "y": 2})
    assert may.status_code == (200 if who == "reader" else 403)
    assert page.get(f"coflows/api/workflows/{WID}").status_code == 200
    assert page.post(f"coflows/api/workflows/{WID}/build").status_code == 403
    assert page.get(f"flow/query/{WID}/main/Writers").status_code == 403


def test_a_session_is_no_key_to_other_pages(people: dict[str, str], page: httpx.Client) -> None:
    """It counts from our own pages only, and for changes with the XSRF header only."""
    log_in(page, people["reader"])
    elsewhere = {"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"}
    assert page.get("coflows/api/me", headers=elsewhere).status_code == 403
    assert page.post(f"flow/query/{WID}/main/Add", json=[1, 2], headers={"X-XSRFToken": "x"}).status_code == 403


def test_wrong_passwords_are_told_alike_and_slowed_down(server: Server, people: dict[str, str]) -> None:
    """Nobody learns who has an account, and after a few mistakes everybody waits."""
    told = []
    for user in ("viewer@pass.word", "nobody@pass.word"):
        with httpx.Client(base_url=server.url, trust_env=False) as page:
            page.get("login")
            answer = log_in(page, user, "wrong password")
            told.append((answer.status_code, re.findall(r'role="alert">([^<]*)', answer.text)))
    assert told[0] == told[1] == (401, ["user and password do not fit"])
    statuses = [server.http.post("account/login", json={"Username": "x", "Password": "y"}) for _ in range(4)]
    refused = [answer for answer in statuses if answer.status_code == 429]
    assert refused
    assert int(refused[0].headers["retry-after"]) >= 1
    login(server, people["reader"])


def ask_for_token(server: Server, form: dict[str, str]) -> httpx.Response:
    """Send the form of the original's clients; all tests come from one address, so wait as long as that is told to."""
    while True:
        answer = httpx.post(f"{server.url}connect/token", data=form, trust_env=False)
        if answer.status_code != 429:
            return answer
        time.sleep(int(answer.headers["retry-after"]))


def login(server: Server, user: str) -> str:
    """Log in as the original's clients do and return the token."""
    form = {"grant_type": "password", "client_id": "jwt_token", "username": user, "password": PASSWORD}
    answer = ask_for_token(server, form)
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["access_token"]
    return token


def test_logging_out_ends_the_session_everywhere(server: Server, people: dict[str, str], page: httpx.Client) -> None:
    """A copy of the cookie is worth nothing then; neither are tokens, nor is a session after a new password."""
    log_in(page, people["reader"])
    token = login(server, people["reader"])
    copy = httpx.Client(base_url=server.url, cookies=dict(page.cookies), trust_env=False)
    assert copy.get("coflows/api/me").status_code == 200
    assert page.post("account/logout").json() == {"Data": "ok"}
    assert copy.get("coflows/api/me").status_code == 401
    assert httpx.get(f"{server.url}coflows/api/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401

    log_in(page, people["reader"])
    copy = httpx.Client(base_url=server.url, cookies=dict(page.cookies), trust_env=False)
    assert copy.get("coflows/api/me").json()["account"] is True
    body = {"old": PASSWORD, "new": "another long password"}
    assert page.post("coflows/api/me/password", json={"old": "wrong", "new": "x" * 12}).status_code == 403
    assert page.post("coflows/api/me/password", json=body).status_code == 204
    assert page.get("coflows/api/me").json()["id"] == people["reader"], "who changes it goes on"
    assert copy.get("coflows/api/me").status_code == 401
    server.http.patch(f"coflows/api/users/{people['reader']}", json={"password": PASSWORD})


def test_a_token_is_its_user_for_a_day(server: Server, people: dict[str, str]) -> None:
    """In the header that the original's clients send, until the account is closed."""
    token = {"Authorization": f"Bearer {login(server, people['reader'])}"}
    with httpx.Client(base_url=server.url, headers=token, trust_env=False) as client:
        who = client.get("account/whoami").json()
        user = {"ID": people["reader"], "Email": people["reader"], "FirstName": "Reader", "LastName": "Doe"}
        assert who == {"Loggedin": True, "User": user, "Secret": "", "Session": ""}
        assert client.get(f"account/getpermission?groupid={WID}_Workflow").json() == {"Data": 1}
        assert client.get("account/getpermission?groupid=none").json() == {"Data": -1}
        groups = {g["ID"]: g["Permission"] for g in client.get("account/getpermissions").json()["Data"]}
        assert groups == {WID: 1, "Public": 0}
        assert client.get(f"flow/query/{WID}/main/Add?x=1&y=2").json() == 3
        made = server.http.get("coflows/api/keys").json()["keys"]
        assert [k["kind"] for k in made if k["user"] == people["reader"]][-1] == "token"
        server.http.patch(f"coflows/api/users/{people['reader']}", json={"disabled": True})
        assert client.get("account/whoami").status_code == 401
        server.http.patch(f"coflows/api/users/{people['reader']}", json={"disabled": False})
        assert client.get("account/whoami").status_code == 401


def test_a_key_as_user_name_is_given_back(server: Server) -> None:
    """As the original's command line logs in; nothing new has to be kept or revoked."""
    url = f"{server.url}connect/token"
    answer = httpx.post(url, data={"grant_type": "password", "username": server.key}, trust_env=False)
    assert answer.json()["access_token"] == server.key
    answer = httpx.post(url, data={"grant_type": "client_credentials", "username": server.key}, trust_env=False)
    assert (answer.status_code, answer.json()) == (400, {"error": "unsupported_grant_type"})
    answer = server.http.post("account/login", json={"Code": server.key})
    assert answer.json()["User"]["ID"] == "root"


def test_the_name_that_opened_the_original_opens_nothing(server: Server, people: dict[str, str]) -> None:
    """There, a user name spelt with dots logged in without its password."""
    for user in ("reader.pass.word", "QuantAppSecure_reader.pass.word"):
        form = {"grant_type": "password", "username": user, "password": ""}
        assert ask_for_token(server, form).json()["error"] == "invalid_grant"
    login(server, people["reader"])


def test_administration_as_the_original_asks(server: Server, people: dict[str, str]) -> None:
    """A writer gives and takes levels, with an end; the page of the original reads the answers."""
    key = server.http.post("coflows/api/keys", json={"user": people["writer"]}).json()["key"]
    with httpx.Client(base_url=server.url, headers={"x-api-key": key}, trust_env=False) as writer:
        about = f"pid={people['viewer']}&groupid={WID}"
        end = "&accessType=1&year=2030&month=1&day=31"
        assert writer.get(f"administration/setpermission?{about}{end}").json() == {"Data": "ok"}
        assert writer.get(f"Administration/GetPermission?{about}").json() == {"Data": 1}
        users = {u["ID"]: u for u in writer.get(f"administration/users?groupid={WID}").json()}
        assert users[people["viewer"]]["Expiry"] == {"year": 2030, "month": 1, "day": 31}
        assert users[people["writer"]]["Permission"] == "Write"
        made = writer.post("administration/newsubgroup", json={"Name": "Traders", "ParentID": WID}).json()["Data"]
        (group,) = writer.get(f"administration/subgroups?groupid={WID}&aggregated=false").json()
        assert group == {"ID": made, "Name": "Traders", "Description": "", "ParentID": WID}
        assert writer.get(f"administration/removegroup?id={made}").json() == {"Data": "ok"}
        assert writer.get(f"administration/removepermission?{about}").json() == {"Data": "ok"}
        for path in ("setpermission?groupid=Administrator", "newsubgroup"):
            body = {"Name": "x"} if "new" in path else None
            verb = "POST" if body else "GET"
            url = f"administration/{path}" + ("" if body else f"&pid={people['writer']}&accessType=2")
            assert writer.request(verb, url, json=body).status_code == 403
        assert writer.get("administration/send").status_code == 404
    server.http.put(f"coflows/api/groups/{WID}/members/{people['viewer']}", json={"level": 0})


def test_nothing_is_changed_by_a_link(server: Server, people: dict[str, str], page: httpx.Client) -> None:
    """A GET that changes something needs its key in a header: no link, picture or session can do it."""
    url = f"administration/setpermission?pid={people['viewer']}&groupid={WID}&accessType=2"
    log_in(page, people["writer"])
    assert page.get(url).status_code == 403
    assert httpx.get(f"{server.url}{url}&_cokey={server.key}", trust_env=False).status_code == 403
    levels = server.http.get(f"coflows/api/groups/{WID}/members").json()["members"]
    assert {m["user"]: m["level"] for m in levels}[people["viewer"]] == 0


def test_an_open_stream_ends_with_its_key(server: Server, people: dict[str, str]) -> None:
    """Events and results that are still being sent stop within a second of the revocation."""
    made = server.http.post("coflows/api/keys", json={"user": people["reader"]}).json()
    headers = {"x-api-key": made["key"]}
    with (
        httpx.stream("GET", f"{server.url}coflows/api/events", headers=headers, timeout=30, trust_env=False) as events,
        httpx.stream(
            "GET", f"{server.url}flow/query/{WID}/main/Count?n=1000000000", headers=headers, timeout=30, trust_env=False
        ) as result,
    ):
        told, numbers = events.iter_lines(), result.iter_lines()
        assert next(told).startswith("id:")
        assert json.loads(next(numbers)) == {"i": 0}
        started = time.monotonic()
        server.http.delete(f"coflows/api/keys/{made['info']['id']}")
        for _ in told:
            pass
        with pytest.raises(httpx.RemoteProtocolError):
            for _ in numbers:
                pass
        assert time.monotonic() - started < 5  # told within a second; what was on its way has to be read
