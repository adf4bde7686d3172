"""The native REST API, OpenAPI documents, events, and what is not there."""

from __future__ import annotations

import json

import httpx
import pytest
import yaml
from openapi_spec_validator import validate

from coflows_jupyter import __version__
from coflows_jupyter.server.routes import PREFIXES
from tests.conftest import Server
from tests.server.conftest import WID


def test_health_and_readiness_are_public(anonymous: httpx.Client) -> None:
    """A probe needs no key."""
    assert anonymous.get("coflows/api/health").json() == {"status": "ok", "version": __version__}
    assert anonymous.get("coflows/api/ready").json() == {"ready": True, "reasons": [], "notes": []}


def test_me(server: Server, browser: httpx.Client) -> None:
    """The bearer of the key and the user of Lab have Write on the Workflow."""
    assert server.http.get("coflows/api/me").json() == {
        "id": "root",
        "name": "root",
        "source": "key",
        "level": 2,
        "permissions": {WID: 2},
        "email": "",
        "first_name": "",
        "last_name": "",
        "groups": {},
        "account": False,
    }
    assert browser.get("coflows/api/me").json()["permissions"] == {WID: 2}


def test_status_names_files_as_lab_does(server: Server) -> None:
    """Diagnostics carry the path by which Lab opens the file; the folder is Lab's root."""
    status = server.http.get(f"coflows/api/workflows/{WID}").json()
    assert status["state"] == "serving"
    assert status["path"] == ""
    assert [d["path"] for d in status["diagnostics"]] == ["Queries/broken.py"]
    listed = server.http.get("coflows/api/workflows").json()["workflows"]
    assert [workflow["id"] for workflow in listed] == [WID]


def test_without_lab_there_are_no_lab_paths(weak_server: Server) -> None:
    """Paths are null where nothing could open them."""
    key = {"x-api-key": weak_server.key}
    status = httpx.get(f"{weak_server.url}coflows/api/workflows/{WID}", headers=key).json()
    assert status["path"] is None
    assert status["diagnostics"][0]["path"] is None


def test_build_answers_with_a_report(server: Server) -> None:
    """A build that finds errors is an answer, with the same Build serving."""
    report = server.http.post(f"coflows/api/workflows/{WID}/build").json()
    assert report["ok"] is False
    assert report["build"]
    assert report["diagnostics"][0]["path"] == "Queries/broken.py"


def test_queries_describe_functions(server: Server) -> None:
    """Everything that a form needs: parameters with schemas, the address, whether the caller may call."""
    answer = server.http.get(f"coflows/api/workflows/{WID}/queries").json()
    query = next(query for query in answer["queries"] if query["id"] == "main")
    functions = {function["name"]: function for function in query["functions"]}
    assert query["path"] == "Queries/main.py"
    assert query["info"]["title"] == "Main"
    assert functions["Add"]["doc"] == "Add two numbers."
    assert [p["schema"]["type"] for p in functions["Add"]["parameters"]] == ["integer", "integer"]
    assert server.http.get(functions["Add"]["url"] + "?x=1&y=2").json() == 3
    assert functions["Loop"]["timeout"] == 0.5
    assert functions["Nobody"]["callable"] is False
    assert functions["Add"]["permissions"] is None
    assert functions["Writers"]["permissions"] == [{"group": WID, "level": 2}]


def test_unknown_workflow(server: Server) -> None:
    """It is 404, with a problem document."""
    for path in ("", "/queries"):
        answer = server.http.get(f"coflows/api/workflows/nothing{path}")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


def test_native_api_describes_itself(anonymous: httpx.Client) -> None:
    """Its OpenAPI document is valid and has every route of it."""
    document = anonymous.get("coflows/api/openapi").json()
    validate(document)
    assert {"/coflows/api/workflows/{workflow}/build", "/coflows/api/ready"} <= set(document["paths"])


def test_openapi_of_a_query(server: Server, anonymous: httpx.Client) -> None:
    """YAML by default, JSON on request, both valid; it has those functions that the caller may call."""
    answer = server.http.get(f"flow/openapi/{WID}/main")
    assert answer.headers["content-type"] == "application/yaml"
    document = yaml.safe_load(answer.text)
    validate(document)
    assert document == server.http.get(f"flow/openapi/{WID}/main.json").json()
    assert document == server.http.get(f"flow/openapi/{WID}/main", headers={"Accept": "application/json"}).json()
    text = json.dumps(document["paths"])
    assert "Writers" in text
    assert "Nobody" not in text
    public = json.dumps(anonymous.get(f"flow/openapi/{WID}/main.json").json()["paths"])
    assert "Hello" in public
    assert "Add" not in public


def test_openapi_without_callable_functions(server: Server, anonymous: httpx.Client) -> None:
    """Who may call nothing sees nothing."""
    assert anonymous.get(f"flow/openapi/{WID}/broken").status_code == 401
    assert anonymous.get(f"flow/openapi/{WID}/missing").status_code == 401
    assert server.http.get(f"flow/openapi/{WID}/missing").status_code == 404


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_what_is_not_there_is_json(server: Server, prefix: str, method: str) -> None:
    """Below our prefixes a client never gets a page."""
    answer = server.http.request(method, f"{prefix}/no/such/thing")
    assert answer.status_code == 404
    assert answer.json()["title"] == "Not found"


def test_options_lists_methods(anonymous: httpx.Client) -> None:
    """OPTIONS says what there is, and lets no other site in."""
    answer = anonymous.options(f"flow/query/{WID}/main/Add", headers={"Origin": "https://elsewhere.example"})
    assert answer.status_code == 204
    assert {"GET", "POST"} <= set(answer.headers["allow"].split(", "))
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_events_stream(server: Server) -> None:
    """A reader is told the state first, then what a build does, each with a number."""
    kinds: list[str] = []
    with server.http.stream("GET", "coflows/api/events") as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        lines = answer.iter_lines()
        first = [next(lines) for _ in range(4)]
        assert first[1] == "event: state"
        assert json.loads(first[2].removeprefix("data: "))["state"] == "serving"
        with httpx.Client(trust_env=False) as client:
            client.post(f"{server.url}coflows/api/workflows/{WID}/build", headers={"x-api-key": server.key})
        while "build" not in kinds:
            line = next(lines)
            if line.startswith("event: "):
                kinds.append(line.removeprefix("event: "))
    assert kinds[0] == "state"
