"""Fixtures that several folders of tests share: a copy of the sample, and real servers in processes of their own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Self

import httpx
import pytest
from hypothesis import settings

# How long an example takes depends on what else the computer does; a test that hangs has a limit of its own.
settings.register_profile("coflows", deadline=None)
settings.load_profile("coflows")

pytest_plugins = ["tests.postgres", "tests.databases", "tests.pebble"]

ROOT = Path(__file__).resolve().parents[1]
PUBLISHED_KEY = "26499e5e555e9957725f51cc4d400384"
COFLOWS = Path(sys.executable).with_name("coflows")
SERVER_COMMAND = (COFLOWS, "server")
READY_SECONDS = 60.0
STOP_SECONDS = 10.0

if (_script := ROOT / ".ci" / "dotnet").is_file():  # an sdist has none
    os.environ["DOTNET_ROOT"] = subprocess.run([_script], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def needs(program: str) -> None:
    """Skip the test where a program is missing that it runs."""
    if not shutil.which(program):
        pytest.skip(f"needs {program}: apt-get install {program}")


FOR_DOTNET = ("*.cs", "*.fs", "*.vb", "hedging.py")
"""What of the sample needs .NET."""


@pytest.fixture
def free_port() -> int:
    """Return a TCP port of the loopback address that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.fixture
def isolated_environ(tmp_path: Path) -> dict[str, str]:
    """Return an environment for child processes whose home is empty and where nothing of ours or Jupyter's is set."""
    home = tmp_path / "home"
    home.mkdir()
    ours = re.compile(r"(COFLOWS|JUPYTER|JPY|IPYTHON)|(config_file|coflows_config|coflows_empty)$")
    environ = {name: value for name, value in os.environ.items() if not ours.match(name)}
    return environ | {
        "HOME": str(home),
        "USERPROFILE": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "jupyter" / "config"),
        "JUPYTER_DATA_DIR": str(home / "jupyter" / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "jupyter" / "runtime"),
        "PATH": f"{COFLOWS.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONUNBUFFERED": "1",
    }


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """Return the folder of a copy of the sample Workflow, with a SecretKey of its own and at rest.

    It has no Agents, and what is for .NET is left to tests of that: each of these servers would start it.
    """
    folder = tmp_path / "sample"
    left_out = shutil.ignore_patterns("*.db*", "__pycache__", ".ipynb_checkpoints", "Agents", *FOR_DOTNET)
    shutil.copytree(ROOT / "mnt", folder, ignore=left_out)
    package = json.loads((folder / "package.json").read_text())
    rest = {
        key: [entry for entry in package[key] if (folder / entry["Content"]).is_file()] for key in ("Base", "Queries")
    }
    (folder / "package.json").write_text(json.dumps(package | rest | {"Agents": []}, indent=4))
    config = folder / "coflows_config.json"
    config.write_text(config.read_text().replace(PUBLISHED_KEY, secrets.token_hex(16)))
    return folder


def secret_key(config: Path) -> str:
    """Return the SecretKey of a config file's Server section."""
    found = re.search(r'"SecretKey":\s*("[^"]*")', config.read_text())
    assert found, f"{config} has no SecretKey"
    key: str = json.loads(found[1])
    return key


class Server:
    """A `coflows server` that runs in a process group of its own.

    Args:
        config: its config file.
        port: where it listens, on the loopback address.
        environ: its whole environment.
        arguments: further words of its command line.
        command: what starts it, before the config file.
    """

    def __init__(
        self,
        config: Path,
        port: int,
        environ: dict[str, str],
        arguments: tuple[str, ...] = (),
        command: Sequence[str | Path] = SERVER_COMMAND,
    ) -> None:
        self.config = config
        self.key = secret_key(config)
        self.url = f"http://127.0.0.1:{port}/"
        self.log = Path(environ["HOME"]) / f"server-{port}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, config, "--no-browser", "--port", str(port), *arguments],
                cwd=config.parent,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.http = httpx.Client(base_url=self.url, headers={"x-api-key": self.key}, timeout=30, trust_env=False)

    def wait_until(self, path: str, status: int, seconds: float = READY_SECONDS) -> Self:
        """Ask for `path` until it answers `status`; fail with the server's log when it does not in time."""
        deadline, last = time.monotonic() + seconds, "nothing"
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                answer = self.http.get(path)
                if answer.status_code == status:
                    return self
                last = f"{answer.status_code} {answer.text}"
            time.sleep(0.05)
        code = self.process.poll()
        state = "still runs" if code is None else f"ended with {code}"
        pytest.fail(f"{path} answered {last}, not {status}; the server {state} and said:\n{self.log.read_text()}")

    def stop(self) -> int:
        """End it as an operator does, by SIGTERM; return its exit code. Whatever is left of its group is killed."""
        self.http.close()
        self.process.terminate()
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            pytest.fail(f"the server did not stop within {STOP_SECONDS} s and said:\n{self.log.read_text()}")
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


RunningServer = Callable[..., Server]


@pytest.fixture
def running_server(free_port: int, isolated_environ: dict[str, str]) -> Iterator[RunningServer]:
    """Return a function that starts `coflows server CONFIG` and waits until its Build serves.

    Its arguments: the config file; further words of the command line; `port` (a free one by default); `environ`, names
    added to the isolated environment; `command`, what starts the server; `ready=False` returns as soon as it answers.
    """
    servers: list[Server] = []

    def start(
        config: Path,
        *arguments: str,
        port: int = free_port,
        environ: Mapping[str, str] = MappingProxyType({}),
        command: Sequence[str | Path] = SERVER_COMMAND,
        ready: bool = True,
    ) -> Server:
        server = Server(config, port, {**isolated_environ, **environ}, arguments, command)
        servers.append(server)
        return server.wait_until("coflows/api/ready" if ready else "coflows/api/health", 200)

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.stop()
