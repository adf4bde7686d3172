"""OpenAPI documents over HTTP, and the try-it page."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import yaml
from openapi_spec_validator import validate

from tests.conftest import RunningServer, Server
from tests.server.conftest import WID


def test_document_of_a_workflow(server: Server, anonymous: httpx.Client) -> None:
    """All Queries in one document, YAML or JSON; it has those functions that the caller may call."""
    answer = server.http.get(f"flow/openapi/{WID}")
    assert answer.headers["content-type"] == "application/yaml"
    assert "&id" not in answer.text, "no YAML anchors"
    document = yaml.safe_load(answer.text)
    validate(document)
    assert document == server.http.get(f"flow/openapi/{WID}.json").json()
    assert document == server.http.get(f"FLOW/OpenAPI/{WID}/", headers={"Accept": "application/json"}).json()
    assert document["info"]["title"] == "Rules"
    assert [tag["name"] for tag in document["tags"]] == ["main"], "nobody may call anything in the broken one"
    assert "/main/Writers" in document["paths"]
    assert "/main/Nobody" not in document["paths"]
    assert list(anonymous.get(f"flow/openapi/{WID}.json").json()["paths"]) == ["/main/Hello"]


def test_document_of_the_sample(sample: Path, running_server: RunningServer) -> None:
    """The sample's is valid, and says that frames are rows."""
    server = running_server(sample / "coflows_config.json")
    workflow = server.http.get("coflows/api/workflows").json()["workflows"][0]["id"]
    document = server.http.get(f"flow/openapi/{workflow}.json").json()
    validate(document)
    answer = document["paths"]["/portfolio/holdings"]["get"]["responses"]["200"]
    assert answer["content"]["application/json"]["schema"] == {"type": "array", "items": {"type": "object"}}


def test_document_says_where_to_call(server: Server) -> None:
    """The server's URL and a path of the document make the address of a function."""
    document = server.http.get(f"flow/openapi/{WID}.json").json()
    url = document["servers"][0]["url"] + "/main/Add"
    assert server.http.get(url, params={"x": 1, "y": 2}).json() == 3


def test_who_is_unknown_does_not_learn_what_exists(server: Server, anonymous: httpx.Client) -> None:
    """Without a key an ID that does not exist looks like one that is closed."""
    assert anonymous.get("flow/openapi/missing").status_code == 401
    assert server.http.get("flow/openapi/missing").status_code == 404
    assert anonymous.get(f"flow/openapi/{WID}/broken").status_code == 401


def test_page_says_nothing_of_a_workflow(server: Server, anonymous: httpx.Client) -> None:
    """The page opens for everybody, with or without a key, and is the same for a Workflow that does not exist."""
    page = anonymous.get(f"flow/docs/{WID}/broken")
    assert page.status_code == 200
    assert page.text == server.http.get(f"flow/docs/{WID}/broken").text
    assert page.text == anonymous.get("flow/docs/missing/broken").text.replace("/missing/", f"/{WID}/")


def test_page_is_served_from_here_alone(server: Server) -> None:
    """Whatever the page names is ours, and its policy lets nothing else in."""
    page = server.http.get(f"flow/docs/{WID}/main")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    policy = page.headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "connect-src 'self'"} <= set(policy)
    found = re.findall(r'(?:src|href|data-openapi)="(?!data:)([^"]+)"', page.text)
    assert len(found) == 4
    for address in found:
        assert address.startswith("/flow/")
        assert server.http.get(address).status_code == 200
    assert server.http.get(f"flow/docs/{WID}/assets/index.html").status_code == 404


def test_page_repeats_no_key(server: Server, anonymous: httpx.Client) -> None:
    """A key in the address is in no page, and so in no cache of the page's files."""
    page = anonymous.get(f"flow/docs/{WID}", params={"_cokey": server.key})
    assert page.status_code == 200
    assert server.key not in page.text
