"""Jupyter Server as our own launches run it."""

from __future__ import annotations

import ipaddress
import os
import threading
from typing import Any

from jupyter_server.serverapp import ServerApp
from traitlets import Bool, Instance, default
from traitlets import Callable as CallableTrait

from coflows_jupyter.access.directory import Directory, open_directory
from coflows_jupyter.access.keys import KeyRing
from coflows_jupyter.access.passwords import Doorkeeper
from coflows_jupyter.config import Config
from coflows_jupyter.host.early import EarlyHost
from coflows_jupyter.server.tls import Tls

STOP_SECONDS = 4.5


class CoFlowsServer(ServerApp):
    """Jupyter Server for one Workflow: with Lab, or nothing but the Workflow's API."""

    workflow_config = Instance(Config, help="The Workflow's configuration.")
    early_host = Instance(EarlyHost, allow_none=True, help="The host that loads the Workflow already.")
    keys = Instance(KeyRing, help="The keys of this run; made once the address to listen on is known.")
    directory = Instance(Directory, help="The people.")
    doorkeeper = Instance(Doorkeeper, (), help="Checks passwords.")
    open_workflows = CallableTrait(dict, help="Gives name by ID of each Workflow that is open.")
    tls = Instance(Tls, allow_none=True, help="What listens when the server speaks https by its configuration.")
    wants_browser = Bool(False, help="Whether to open a browser once the server is up.")

    @default("keys")
    def _default_keys(self) -> KeyRing:
        return KeyRing(self.workflow_config.server.secret_key.get_secret_value(), loopback=is_loopback(self.ip))

    @default("directory")
    def _default_directory(self) -> Directory:
        return open_directory(self.workflow_config)

    @property
    def lab(self) -> bool:
        """Whether Lab, kernels, terminals and files are served."""
        return self.workflow_config.jupyter

    def init_webapp(self) -> None:
        """Leave out Jupyter's own services where there is no Lab."""
        if not self.lab:
            self.default_services = ()  # type: ignore[assignment]
        super().init_webapp()

    def init_httpserver(self) -> None:
        """Speak https where the configuration says so."""
        super().init_httpserver()
        if self.tls is not None:
            self.tls.cover(self)

    @property
    def connection_url(self) -> str:
        """The address for programs of this computer."""
        return self.local_url if self.tls is not None else super().connection_url

    @property
    def local_url(self) -> str:
        """The address on this computer."""
        if self.tls is None:
            return super().local_url
        return f"http://127.0.0.1:{self.tls.local_port}{self.base_url}"

    @property
    def public_url(self) -> str:
        """The address for everybody."""
        return super().public_url if self.tls is None else f"{self.tls.address(self.port)}{self.base_url}"

    def server_info(self) -> dict[str, Any]:
        """Describe the server for Jupyter's own tools, in a file that only the user can read."""
        return super().server_info() | {"token": self.keys.secret}

    def stop(self, from_signal: bool = False) -> None:  # noqa: FBT001, FBT002 — Jupyter's signature
        """Stop within seconds, whatever an extension, a kernel or user code does."""
        watchdog = threading.Timer(STOP_SECONDS, os._exit, [1])
        watchdog.daemon = True
        watchdog.start()
        super().stop(from_signal)


def is_loopback(address: str) -> bool:
    """Whether a server that listens on ``address`` is reached from this machine only."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
