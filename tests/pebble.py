"""A real ACME server for tests: pebble, by those who make Let's Encrypt, with a name server that says what tests want.

It is built from its Go module, once per user: by ``make test``, or by the first test that needs it.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from filelock import FileLock

from coflows_jupyter.deploy.certificates.pair import self_signed

START_SECONDS = 20.0
BUILD_SECONDS = 100.0
BUILD = Path(__file__).parents[1] / ".ci" / "pebble"
PROGRAMS = ("pebble", "pebble-challtestsrv")
# Of a hundred, so many good nonces are refused, as a busy server does.
_NONCES = {"PEBBLE_WFE_NONCEREJECT": "2"}
NINETY_DAYS = 90 * 86400


def programs() -> Path:
    """Return the folder of pebble's programs; skip where they can't be had."""
    with FileLock(Path(tempfile.gettempdir(), f"coflows-pebble-{os.getuid()}.lock")):
        done = subprocess.run([BUILD], capture_output=True, text=True, check=False, timeout=BUILD_SECONDS)
    folder = Path(done.stdout.strip())
    if done.returncode or not all((folder / name).exists() for name in PROGRAMS):
        pytest.skip(f"needs pebble: {done.stderr.strip()}")
    return folder


def pick_ports(count: int) -> list[int]:
    """Return ports of the loopback address that were free a moment ago, all different."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [s.getsockname()[1] for s in sockets]


class Pebble:
    """An ACME server that validates for real: it asks its name server, and then the web server of that name.

    Args:
        folder: an empty folder.
        http_port: the port on which it looks for answers to challenges.
        life: how long certificates last, in seconds.

    Attributes:
        directory: URL of its directory.
        ca: file with the certificate that vouches for its own address.
    """

    def __init__(self, folder: Path, http_port: int, life: int = NINETY_DAYS) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        acme, self._management, dns, self._names = pick_ports(4)
        self.http_port = http_port
        self.directory = f"https://127.0.0.1:{acme}/dir"
        self.ca = folder / "ca.pem"
        pair = self_signed("127.0.0.1")
        self.ca.write_text(pair.chain)
        (folder / "key.pem").write_text(pair.key)
        settings = {
            "listenAddress": f"127.0.0.1:{acme}",
            "managementListenAddress": f"127.0.0.1:{self._management}",
            "certificate": str(self.ca),
            "privateKey": str(folder / "key.pem"),
            "httpPort": http_port,
            "tlsPort": 1,
            "profiles": {"default": {"description": "the only one", "validityPeriod": life}},
        }
        (folder / "pebble.json").write_text(json.dumps({"pebble": settings}))
        folder = programs()
        names = f"127.0.0.1:{self._names}"
        resolver = ("-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-dnsserver", f"127.0.0.1:{dns}")
        nothing = [word for kind in ("doh", "http01", "https01", "tlsalpn01") for word in (f"-{kind}", "")]
        self._start(folder / "pebble-challtestsrv", *resolver, *nothing, "-management", names)
        server = ("-config", str(self._folder / "pebble.json"), "-strict", "-dnsserver", f"127.0.0.1:{dns}")
        self._start(folder / "pebble", *server, PEBBLE_VA_NOSLEEP="1", PEBBLE_AUTHZREUSE="0", **_NONCES)
        self._wait()

    def _start(self, *command: str | Path, **environ: str) -> None:
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command,
                env=os.environ | environ,
                stdout=log,
                stderr=log,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - it takes no lock
            )
        self._processes.append(process)

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.resolve("ready.test", "127.0.0.1")
                self.get(self.directory)
            except httpx.TransportError:
                assert all(p.poll() is None for p in self._processes), self.log.read_text()
                assert time.monotonic() < deadline, self.log.read_text()
                time.sleep(0.02)
            else:
                return

    @property
    def log(self) -> Path:
        """The file that both programs write to."""
        return self._folder / "log"

    @property
    def issued(self) -> int:
        """How many certificates it has given."""
        return self.log.read_text().count("Issued certificate serial")

    def get(self, url: str) -> str:
        """Return what one of its addresses answers."""
        trust = ssl.create_default_context(cafile=str(self.ca))
        return httpx.get(url, verify=trust, trust_env=False, timeout=10).raise_for_status().text

    @property
    def root(self) -> str:
        """The certificate that vouches for those that it gives, as PEM."""
        return self.get(f"https://127.0.0.1:{self._management}/roots/0")

    def resolve(self, host: str, address: str) -> None:
        """Have the name server say from now on that ``host`` is at ``address``."""
        body = {"host": f"{host}.", "addresses": [address]}
        for action in ("clear-a", "add-a"):
            url = f"http://127.0.0.1:{self._names}/{action}"
            httpx.post(url, json=body, trust_env=False).raise_for_status()

    def close(self) -> None:
        """End both programs."""
        for process in self._processes:
            process.kill()
            process.wait()


def _end_with_parent() -> None:
    """Have the kernel end this process when tests are killed and can't."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


@pytest.fixture(scope="module")
def pebble(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    """Start pebble once for a module; it looks for answers on a port that is free."""
    server = Pebble(tmp_path_factory.mktemp("pebble"), pick_ports(1)[0])
    yield server
    server.close()
