"""Fixtures: a kernel that a real server started, as a notebook in Lab uses it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient

from tests.conftest import RunningServer, Server

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

    def complete(self, code: str) -> list[str]:
        """Return what Tab offers at the end of `code`."""
        reply: dict[str, Any] = self.client.complete(code, reply=True, timeout=SECONDS)
        return list(reply["content"]["matches"])

    def inspect(self, code: str) -> str:
        """Return what Shift-Tab shows at the end of `code`."""
        reply: dict[str, Any] = self.client.inspect(code, reply=True, timeout=SECONDS)
        return str(reply["content"]["data"].get("text/plain", ""))


@pytest.fixture
def server(running_server: RunningServer, sample: Path) -> Server:
    """Return a server of the sample Workflow, with Lab."""
    return running_server(sample / "coflows_config.json")


@pytest.fixture
def notebook(server: Server, isolated_environ: dict[str, str]) -> Iterator[Notebook]:
    """Return a notebook with the extension loaded, in a kernel that the server started."""
    started = server.http.post("api/kernels", headers={"Authorization": f"token {server.key}"})
    started.raise_for_status()
    client = BlockingKernelClient()
    client.load_connection_file(
        str(Path(isolated_environ["JUPYTER_RUNTIME_DIR"]) / f"kernel-{started.json()['id']}.json")
    )
    client.start_channels()
    client.wait_for_ready(timeout=SECONDS)
    notebook = Notebook(client)
    notebook.run("%load_ext coflows_jupyter")
    yield notebook
    client.stop_channels()
