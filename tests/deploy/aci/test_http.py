"""Deploying to an emulated Azure over HTTP, as the sidebar does."""

from __future__ import annotations

import json

from coflows_jupyter.deploy.progress import Event, decode, error_of
from coflows_jupyter.errors import ConfigError
from tests.conftest import RunningServer, Server
from tests.deploy.aci.conftest import KEY, Cloudy
from tests.deploy.aci.emulator import Azure
from tests.server.conftest import pick_port

ACI = "coflows/api/deploy/W-1/aci"
SQLITE = {"Type": "sqlite", "Connection": "database.db"}


def streamed(server: Server, method: str, path: str = ACI) -> list[Event]:
    """Return the events of an operation."""
    answer = server.http.request(method, path)
    assert answer.status_code == 200, answer.text
    return [decode(line) for line in answer.text.splitlines() if line]


def test_plan_deploy_look_and_remove(azure: Azure, cloudy: Cloudy, running_server: RunningServer) -> None:
    """The same plan, events, state and lines as at the command line; the configuration is read anew each time."""
    cloudy.write(Database=SQLITE)
    bundle = {"REQUESTS_CA_BUNDLE": str(azure.certificate)}
    server = running_server(cloudy.file, port=pick_port(), environ=bundle)
    plan = server.http.get(ACI).json()
    assert plan["region"] == "uksouth"
    assert [found["code"] for found in plan["findings"]] == ["data-loss"]
    refused = streamed(server, "POST")[-1]
    assert refused.state == "failed"
    assert isinstance(error_of(refused), ConfigError)
    assert server.http.get(f"{ACI}/status").status_code == 404

    cloudy.write({"Cores": 2}, Database=SQLITE)
    events = streamed(server, "POST", f"{ACI}?accept_data_loss=1")
    assert (events[-1].step, events[-1].state, events[-1].data["revision"]) == ("", "done", 1)
    assert "Started: Started container" in [event.text for event in events]
    assert azure.bodies[0]["properties"]["containers"][0]["properties"]["resources"]["requests"]["cpu"] == 2
    assert server.http.get(f"{ACI}/status").json()["state"] == "Running"
    assert server.http.get(f"{ACI}/log?tail=1").json() == {"lines": ["I begin"]}
    assert server.http.get(f"{ACI}/log?tail=none").status_code == 422
    assert streamed(server, "DELETE")[-1].data is True
    assert azure.containers == {}


def test_a_workflow_that_is_not_for_azure(cloudy: Cloudy, running_server: RunningServer) -> None:
    """It is said what is missing."""
    cloudy.file.write_text(json.dumps({"Workflow": "package.json", "Server": {"SecretKey": KEY}}))
    answer = running_server(cloudy.file, port=pick_port()).http.get(ACI)
    assert answer.status_code == 404
    assert "no section AzureContainerInstance" in answer.json()["detail"]
