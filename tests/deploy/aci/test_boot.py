"""What Azure is asked for, started with what the request gave it and nothing else, serves the Workflow."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from coflows_jupyter.deploy.aci.apply import Patience
from coflows_jupyter.deploy.aci.plan import Options
from coflows_jupyter.deploy.pin import fingerprint, only, shown_certificate
from coflows_jupyter.errors import BuildError
from tests.deploy.aci.booted import Booted
from tests.deploy.aci.conftest import KEY, Cloudy
from tests.deploy.aci.emulator import Azure

SOURCE = """
def Add(x: int, y: int) -> int:
    return x + y
"""
SECONDS = 60.0


def write(cloudy: Cloudy, source: str) -> None:
    """Write the Workflow's only Query."""
    folder = cloudy.file.parent
    (folder / "Queries").mkdir(exist_ok=True)
    (folder / "Queries" / "sums.py").write_text(source)
    query = {"Name": "Sums", "ID": "sums", "Content": "Queries/sums.py"}
    (folder / "package.json").write_text(json.dumps({"ID": "W-1", "Name": "My Flow", "Queries": [query]}))


def ask(cloudy: Cloudy, pin: str) -> Any:
    """Call the function over TLS, of the server that shows the pinned certificate."""
    shown = shown_certificate("localhost", cloudy.port, 5)
    assert fingerprint(shown) == pin
    url = f"https://localhost:{cloudy.port}/flow/query/W-1/sums/Add?x=1&y=2"
    answer = httpx.get(url, headers={"x-api-key": KEY}, verify=only(shown), timeout=30)
    answer.raise_for_status()
    return answer.json()


def test_from_a_folder_to_answers(
    azure: Azure, cloudy: Cloudy, postgres_url: str, isolated_environ: dict[str, str], tmp_path: Path
) -> None:
    """Deploy, query, deploy a change, keep what served when one is broken, begin anew on an empty disk, remove."""
    machines: list[Booted] = []

    def boot(body: dict[str, Any]) -> Booted:
        machines.append(Booted(body, tmp_path / "container", isolated_environ))
        return machines[-1]

    def deploy() -> int:
        # The database of this test is on this computer, which a plan refuses.
        return cloudy.deploy(Patience(create=20, start=SECONDS, poll=0.2), Options(force=True)).revision

    azure.boot = boot
    cloudy.write(Database={"Type": "postgres", "Connection": postgres_url})
    write(cloudy, SOURCE)
    assert deploy() == 1
    pin = azure.containers["w-1-rg", "my-flow"]["tags"]["coflows-jupyter-certificate"]
    assert ask(cloudy, pin) == 3

    write(cloudy, SOURCE.replace("x + y", "x - y"))
    assert deploy() == 2
    assert ask(cloudy, pin) == -1
    write(cloudy, SOURCE.replace("x + y", "x +"))
    with pytest.raises(BuildError):
        deploy()
    assert ask(cloudy, pin) == -1
    assert azure.requests("PUT", "/containerGroups/my-flow$") == [201]

    (machine,) = machines
    machine.restart()
    end = time.monotonic() + SECONDS
    while True:
        try:
            assert ask(cloudy, pin) == -1
            break
        except (OSError, httpx.HTTPError):
            assert time.monotonic() < end, machine.lines
            time.sleep(0.2)
    assert machine.process.poll() is None
