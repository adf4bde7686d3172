"""Fixtures: a kernel that a real server started, as a notebook in Lab uses it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient

from tests.conftest import ROOT, RunningServer, Server

SECONDS = 30.0


class Notebook:
    """Runs cells in a kernel.

    Args:
        client: connected to the kernel.
    """

    def __init__(self, client: BlockingKernelClient) -> None:
        self.client = client

    def run(self, cell: str) -> str:
        """Run a cell that has to succeed; returns what it printed and showed."""
        status, text = self.attempt(cell)
        assert status == "ok", text
        return text

    def attempt(self, cell: str) -> tuple[str, str]:
        """Run a cell; returns `ok` or `error`, and what it printed and showed."""
        shown: list[str] = []

        def collect(message: dict[str, Any]) -> None:
            content = message["content"]
            match message["msg_type"]:
                case "stream":
                    shown.append(content["text"])
                case "execute_result":
                    shown.append(content["data"]["text/plain"])
                case "error":
                    shown.append("\n".join(content["traceback"]))

        reply = self.client.execute_interactive(cell, timeout=SECONDS, output_hook=collect, allow_stdin=False)
        return reply["content"]["status"], "".join(shown).strip()

    def next_input(self, cell: str) -> str:
        """Run a cell that has to succeed; returns the cell that it puts below itself."""
        reply: dict[str, Any] = self.client.execute_interactive(cell, timeout=SECONDS, allow_stdin=False)
        assert reply["content"]["status"] == "ok", reply
        (payload,) = reply["content"]["payload"]
        assert payload["source"] == "set_next_input"
        return str(payload["text"])

    def complete(self, code: str) -> list[str]:
        """Return what Tab offers at the end of `code`."""
        reply: dict[str, Any] = self.client.complete(code, reply=True, timeout=SECONDS)
        return list(reply["content"]["matches"])

    def inspect(self, code: str) -> str:
        """Return what Shift-Tab shows at the end of `code`."""
        reply: dict[str, Any] = self.client.inspect(code, reply=True, timeout=SECONDS)
        return str(reply["content"]["data"].get("text/plain", ""))


@pytest.fixture
def server(running_server: RunningServer, sample: Path, isolated_environ: dict[str, str]) -> Server:
    """Return a server of the sample Workflow, with Lab."""
    install_kernel(isolated_environ)
    return running_server(sample / "coflows_config.json")


def install_kernel(environ: dict[str, str]) -> None:
    """Put the kernel of this checkout where Jupyter looks for a user's."""
    shutil.copytree(ROOT / "kernels", Path(environ["JUPYTER_DATA_DIR"]) / "kernels")


@contextmanager
def opened_notebook(server: Server, environ: dict[str, str], kernel: str) -> Iterator[Notebook]:
    """Open a notebook in a kernel that the server starts."""
    started = server.http.post("api/kernels", json={"name": kernel}, headers={"Authorization": f"token {server.key}"})
    started.raise_for_status()
    client = BlockingKernelClient()
    client.load_connection_file(str(Path(environ["JUPYTER_RUNTIME_DIR"]) / f"kernel-{started.json()['id']}.json"))
    client.start_channels()
    _wait_for_ready(client)
    yield Notebook(client)
    client.stop_channels()


def _wait_for_ready(client: BlockingKernelClient) -> None:
    """Wait for the kernel; one heartbeat missed while it starts on a busy computer is no death."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            client.wait_for_ready(timeout=SECONDS)
        except RuntimeError:
            if time.monotonic() > deadline:
                raise
        else:
            return


@pytest.fixture
def notebook(server: Server, isolated_environ: dict[str, str]) -> Iterator[Notebook]:
    """Return a notebook with the extension loaded, in a Python kernel."""
    with opened_notebook(server, isolated_environ, "python3") as notebook:
        notebook.run("%load_ext coflows_jupyter")
        yield notebook


@pytest.fixture
def flow_notebook(server: Server, isolated_environ: dict[str, str]) -> Iterator[Notebook]:
    """Return a notebook in a CoFlows kernel."""
    with opened_notebook(server, isolated_environ, "coflows") as notebook:
        yield notebook
