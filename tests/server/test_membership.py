"""``Permissions`` of package.json at a server: applied when the Workflow is opened and after each build."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import Server
from tests.server.conftest import KEY, WID, make_environ, make_workflow, pick_port

JOHN = "john@doe.com"


def permit(package: Path, **levels: int) -> None:
    """Write ``Permissions``."""
    document = json.loads(package.read_text())
    permissions = [{"ID": f"{name}@Doe.com", "Permission": level} for name, level in levels.items()]
    package.write_text(json.dumps(document | {"Permissions": permissions}))


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return the package.json of a Workflow that John may call."""
    package = make_workflow(tmp_path / "flow", KEY).with_name("package.json")
    permit(package, John=1)
    return package


@pytest.fixture
def server(package: Path, tmp_path: Path) -> Iterator[Server]:
    """Return a server of that Workflow."""
    config = package.with_name("coflows_config.json")
    server = Server(config, pick_port(), make_environ(tmp_path / "home")).wait_until("coflows/api/ready", 200)
    yield server
    server.stop()


def wait_for(server: Server, **levels: int) -> None:
    """Wait until the members of the Workflow's group are these; fail when that takes long."""
    deadline = time.monotonic() + 10
    found: dict[str, int] = {}
    while time.monotonic() < deadline:
        answer = server.http.get(f"coflows/api/groups/{WID}/members")
        found = {m["user"]: m["level"] for m in answer.json().get("members", [])}
        if found == {f"{name.lower()}@doe.com": level for name, level in levels.items()}:
            return
    pytest.fail(f"the members are {found}")


def test_the_package_says_who_may_what(server: Server, package: Path) -> None:
    """It counts from when there is an account; a build follows the file, and a level set by hand stays."""
    wait_for(server, John=1)
    server.http.post("coflows/api/users", json={"id": JOHN})
    key = server.http.post("coflows/api/keys", json={"user": JOHN}).json()["key"]
    with httpx.Client(base_url=server.url, headers={"x-api-key": key}, trust_env=False) as john:
        assert john.get(f"flow/query/{WID}/main/Add?x=1&y=2").json() == 3
        assert john.get(f"flow/query/{WID}/main/Writers").status_code == 403
        permit(package, John=2, Jane=0)
        assert server.http.post(f"coflows/api/workflows/{WID}/build").status_code == 200
        wait_for(server, John=2, Jane=0)
        assert john.get(f"flow/query/{WID}/main/Writers").json() == 2
        assert server.http.delete(f"coflows/api/groups/{WID}/members/{JOHN}").status_code == 409
        server.http.put(f"coflows/api/groups/{WID}/members/{JOHN}", json={"level": -1})
        assert john.get(f"flow/query/{WID}/main/Add?x=1&y=2").status_code == 403
        permit(package, John=2)
        server.http.post(f"coflows/api/workflows/{WID}/build")
        wait_for(server, John=-1)
        assert john.get(f"coflows/api/workflows/{WID.upper()}").status_code == 403
