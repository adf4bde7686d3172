"""Pages of other sites: those that the Cors list names, and all others."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from tests.conftest import RunningServer, Server
from tests.server.conftest import WID, make_workflow

LISTED = "https://app.example.com"
ADD = f"flow/query/{WID}/main/Add?x=1&y=2"


def page(origin: str) -> dict[str, str]:
    """Return what a browser sends for a page of another site."""
    return {"Origin": origin, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}


@pytest.fixture
def open_server(tmp_path: Path, running_server: RunningServer) -> Server:
    """Return a server that lists one origin."""
    config = make_workflow(tmp_path / "workflow")
    content = json.loads(config.read_text())
    content["Server"]["Cors"] = [LISTED + ":443"]
    config.write_text(json.dumps(content))
    return running_server(config)


def test_the_list_decides(open_server: Server) -> None:
    """A listed page reads answers and errors, by a key in a header or in the URL; any other is where it was."""
    with_key = f"{ADD}&_cokey={open_server.key}"
    with httpx.Client(base_url=open_server.url, trust_env=False) as http:
        for path, headers, status in (
            (ADD, {"x-api-key": open_server.key}, 200),
            (with_key, {}, 200),
            (ADD, {}, 401),
            (f"flow/query/{WID}/main/Missing", {"x-api-key": open_server.key}, 404),
        ):
            answer = http.get(path, headers=headers | page(LISTED))
            assert answer.status_code == status, answer.text
            assert answer.headers["access-control-allow-origin"] == LISTED
            assert "X-Run-Id" in answer.headers["access-control-expose-headers"]
            assert "access-control-allow-credentials" not in answer.headers
            assert answer.headers["vary"] == "Origin"

            stranger = http.get(path, headers=headers | page("https://elsewhere.example"))
            assert stranger.status_code == (403 if path is with_key else status)
            assert "access-control-allow-origin" not in stranger.headers
            assert stranger.headers["vary"] == "Origin"
        # A picture's address or a link sends no Origin, whatever page it is on.
        assert http.get(with_key, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_a_browser_asks_before(open_server: Server) -> None:
    """The question before a request is answered for a listed page only, without a key."""
    ask = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key,content-type"}
    with httpx.Client(base_url=open_server.url, trust_env=False) as http:
        answer = http.options(ADD, headers=ask | page(LISTED))
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == LISTED
        assert {"GET", "POST"} <= set(answer.headers["access-control-allow-methods"].split(", "))
        taken = answer.headers["access-control-allow-headers"].lower().split(", ")
        assert {"x-api-key", "content-type", "prefer"} <= set(taken)
        for headers in (ask | page("https://elsewhere.example"), ask | page("null")):
            answer = http.options(ADD, headers=headers)
            assert (answer.status_code, answer.headers["vary"]) == (204, "Origin")
            assert not [name for name in answer.headers if name.startswith("access-control")]
