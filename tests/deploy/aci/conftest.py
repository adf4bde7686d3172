"""Azure on the loopback address, and a Workflow that is deployed to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coflows_jupyter.config import load_config
from coflows_jupyter.deploy.aci.apply import Patience
from coflows_jupyter.deploy.aci.deploy import Deployed, deploy
from coflows_jupyter.deploy.aci.plan import CAREFUL, Options
from coflows_jupyter.deploy.progress import Event, Reporter
from coflows_jupyter.workflow.package import read_package
from tests.deploy.aci.emulator import Azure
from tests.deploy.aci.hollow import Hollow

KEY = "9f3c1e7a5b2d4860c8e1f7a3d5b90264"
CONNECTION = "postgresql://flows:p4ssw0rd@db.example.com/flows"
QUICK = Patience(create=20, busy=20, start=20, poll=0.05)


@pytest.fixture
def azure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Azure]:
    """Return an Azure that this process and those that it starts trust, whose containers are hollow."""
    with Azure(tmp_path) as emulator:
        emulator.boot = Hollow
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(emulator.certificate))
        yield emulator


class Cloudy:
    """A Workflow that is to be deployed.

    Args:
        azure: where to.
        folder: its folder.
        port: of https.

    Attributes:
        config: its configuration, without what ``write`` changes.
        events: what deployments said.
    """

    def __init__(self, azure: Azure, folder: Path, port: int) -> None:
        self.file = folder / "coflows_config.json"
        self.events: list[Event] = []
        azure.auth_file(folder)
        (folder / "package.json").write_text(json.dumps({"ID": "W-1", "Name": "My Flow"}))
        self.port = port
        self.config: dict[str, Any] = {
            "Workflow": "package.json",
            "Server": {"Host": "localhost", "Port": port, "HttpPort": 0, "SecretKey": KEY},
            "Database": {"Type": "postgres", "Connection": CONNECTION},
        }
        self._azure: dict[str, Any] = {"AuthFile": "my.azureauth", "Dns": "my-flow", "Region": "UK South"}
        self.write()

    def write(self, azure: dict[str, Any] | None = None, **changed: Any) -> None:
        """Write the configuration."""
        section = {"AzureContainerInstance": self._azure | (azure or {})}
        self.file.write_text(json.dumps(self.config | section | changed))

    def deploy(self, patience: Patience = QUICK, options: Options = CAREFUL, cancel_at: str = "") -> Deployed:
        """Deploy it; `cancel_at` is a text at whose event it is cancelled."""
        config = load_config(self.file, environ={})

        def tell(event: Event) -> None:
            self.events.append(event)
            if cancel_at and cancel_at in event.text:
                reporter.cancel()

        reporter = Reporter(tell)
        with reporter.operation("Deploying"):
            return deploy(config, read_package(config.workflow), reporter, options, patience, {})

    @property
    def said(self) -> list[str]:
        """What was said, one text an event."""
        return [event.text for event in self.events]


@pytest.fixture
def cloudy(azure: Azure, tmp_path: Path, free_port: int) -> Cloudy:
    """Return a Workflow that can be deployed."""
    folder = tmp_path / "flow"
    folder.mkdir()
    return Cloudy(azure, folder, free_port)
