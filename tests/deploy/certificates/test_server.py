"""Servers with certificates of a real ACME server, each as a process of its own."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from coflows_jupyter.deploy.certificates.pair import self_signed
from tests.conftest import COFLOWS, Server
from tests.pebble import Pebble, pick_ports
from tests.server.conftest import KEY, make_workflow

HOST = "app.coflows.test"
LOST_HOST = "lost.coflows.test"
PATIENCE_SECONDS = 40.0


class Hosted(Server):
    """A server that speaks https on the loopback address.

    Args:
        config: its config file; ``Server.Port`` is where it listens.
        environ: its whole environment.
    """

    def __init__(self, config: Path, environ: dict[str, str]) -> None:
        self.section: dict[str, Any] = json.loads(config.read_text())["Server"]
        self.port: int = self.section["Port"]
        self.environ = environ
        super().__init__(config, self.port, environ, ("--ip", "127.0.0.1"))
        self.url = f"https://127.0.0.1:{self.port}/"
        self.http.close()
        # Whose certificate is shown is looked at where that matters.
        self.http = httpx.Client(
            base_url=self.url,
            headers={"x-api-key": self.key},
            timeout=30,
            trust_env=False,
            verify=False,  # noqa: S501 - as the comment says
        )

    @property
    def certificate(self) -> dict[str, Any]:
        """What the server says of its certificate."""
        found: dict[str, Any] = self.http.get("coflows/api/certificate").raise_for_status().json()
        return found

    def until(self, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return what the server says of its certificate once ``condition`` holds for it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition(found := self.certificate):
            assert time.monotonic() < deadline, f"{found}\n{self.log.read_text()}"
            time.sleep(0.05)
        return found

    def coflows(self, *words: str) -> str:
        """Run ``coflows`` on the server's Workflow and return what it prints."""
        command = [str(COFLOWS), *words, "--config", str(self.config)]
        done = subprocess.run(command, env=self.environ, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def plain(self, path: str, **options: Any) -> httpx.Response:
        """Ask the port of plain HTTP."""
        method = options.pop("method", "GET")
        return httpx.request(
            method, f"http://127.0.0.1:{self.section['HttpPort']}{path}", trust_env=False, timeout=10, **options
        )


def connect(port: int, root: str, host: str = HOST) -> http.client.HTTPSConnection:
    """Connect as a stranger does who trusts one root and checks the name."""
    trust = ssl.create_default_context(cadata=root)
    connection = http.client.HTTPSConnection(host, port, context=trust, timeout=10)
    connection._create_connection = lambda _address, timeout, source: _dial(port, timeout, source)  # type: ignore[attr-defined]
    connection.connect()
    return connection


def _dial(port: int, timeout: float, source: tuple[str, int] | None) -> Any:
    return socket.create_connection(("127.0.0.1", port), timeout, source)


def serial(connection: http.client.HTTPSConnection) -> str:
    """Return the number of the certificate that a connection was opened with."""
    assert isinstance(connection.sock, ssl.SSLSocket)
    certificate = connection.sock.getpeercert()
    assert certificate
    return str(certificate["serialNumber"]).lower().lstrip("0")


def get(connection: http.client.HTTPSConnection, path: str) -> http.client.HTTPResponse:
    """Ask on an open connection."""
    connection.request("GET", path, headers={"x-api-key": KEY})
    answer = connection.getresponse()
    answer.read()
    return answer


def make_hosted(folder: Path, host: str, **server: object) -> Path:
    """Make a Workflow whose server speaks https, and return its config file."""
    config = make_workflow(folder)
    content = json.loads(config.read_text())
    content["Server"] |= {"Host": host, "Port": pick_ports(1)[0], **server}
    config.write_text(json.dumps(content))
    return config


def by_pebble(pebble: Pebble, **more: object) -> dict[str, object]:
    """Return the section of a server that gets its certificates from pebble."""
    section = {"Email": "john@example.com", "Server": pebble.directory, "CA": str(pebble.ca), **more}
    return {"LetsEncrypt": section, "HttpPort": pebble.http_port}


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of all servers here, which share a key of secrets."""
    home = tmp_path_factory.mktemp("home")
    inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return inherited | {"HOME": str(home), "JUPYTER_RUNTIME_DIR": str(home / "runtime"), "PYTHONUNBUFFERED": "1"}


@pytest.fixture(scope="module")
def config(pebble: Pebble, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the configuration of a server that pebble gives certificates."""
    return make_hosted(tmp_path_factory.mktemp("hosted") / "flow", HOST, **by_pebble(pebble))


@pytest.fixture(scope="module")
def hosted(config: Path, environ: dict[str, str]) -> Iterator[Hosted]:
    """Start that server, and wait until it has a certificate."""
    server = Hosted(config, environ)
    server.wait_until("coflows/api/ready", 200)
    server.until(lambda found: found["state"] == "valid")
    yield server
    if server.process.poll() is None:
        server.stop()


def test_first_start(hosted: Hosted, pebble: Pebble) -> None:
    """A server that has none asks for a certificate, shows it, and says so at all doors."""
    found = hosted.certificate
    assert (found["source"], found["reason"], pebble.issued) == ("letsencrypt", "", 1)
    connection = connect(hosted.port, pebble.root)
    assert serial(connection) == found["serial"]
    answer = get(connection, "/coflows/api/me")
    assert answer.status == 200
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert hosted.http.get("coflows/api/ready").json()["notes"] == []
    status = json.loads(hosted.coflows("certificate", "status", "--json"))
    assert status["serial"] == found["serial"]
    (workflow,) = hosted.http.get("coflows/api/workflows").json()["workflows"]
    assert hosted.http.get(f"coflows/api/workflows/{workflow['id']}").json()["certificate"] == found


def test_plain_http_leads_to_https(hosted: Hosted) -> None:
    """Every path and method is led to the same place of this server, whatever host the request names."""
    answer = hosted.plain("/flow/query/a?x=1", headers={"Host": "evil.example"}, method="POST", content=b"{}")
    assert (answer.status_code, answer.headers["Location"]) == (
        308,
        f"https://{HOST}:{hosted.port}/flow/query/a?x=1",
    )
    assert "Strict-Transport-Security" not in answer.headers
    assert hosted.plain("/.well-known/acme-challenge/../x").status_code == 308


def test_renewal_leaves_open_connections_alone(hosted: Hosted, pebble: Pebble) -> None:
    """An open connection goes on with its certificate; those that come after have the new one."""
    before = connect(hosted.port, pebble.root)
    old = serial(before)
    assert get(before, "/coflows/api/me").status == 200
    said = hosted.coflows("certificate", "renew")
    assert "valid until" in said
    after = connect(hosted.port, pebble.root)
    assert serial(after) == hosted.certificate["serial"] != old
    assert get(before, "/coflows/api/me").status == 200
    assert serial(before) == old
    assert get(after, "/coflows/api/me").status == 200


def test_servers_of_one_database_share(hosted: Hosted, pebble: Pebble, environ: dict[str, str], config: Path) -> None:
    """A second server shows the certificate of the first from its start, and answers the challenges of both."""
    other = config.with_name("other.json")
    content = json.loads(config.read_text())
    port, http_port = pick_ports(2)
    content["Server"] |= {"Port": port, "HttpPort": http_port}
    other.write_text(json.dumps(content))
    issued = pebble.issued
    second = Hosted(other, environ)
    try:
        second.wait_until("coflows/api/health", 200)
        assert serial(connect(port, pebble.root)) == hosted.certificate["serial"]
        answers = [server.plain("/.well-known/acme-challenge/token").text for server in (hosted, second)]
        assert answers[0] == answers[1]
        assert answers[0].startswith("token.")
    finally:
        second.stop()
    assert pebble.issued == issued


def test_restart_asks_for_nothing(hosted: Hosted, pebble: Pebble, environ: dict[str, str], config: Path) -> None:
    """The first connection after a restart has the certificate that there was; keys are in no file of the Workflow."""
    shown, issued = hosted.certificate["serial"], pebble.issued
    hosted.stop()
    status = json.loads(hosted.coflows("certificate", "status", "--json"))
    assert (status["serial"], status["state"]) == (shown, "valid")
    for file in config.parent.rglob("*"):
        assert not file.is_file() or b"PRIVATE KEY" not in file.read_bytes()
    again = Hosted(config, environ)
    try:
        again.wait_until("coflows/api/health", 200)
        assert serial(connect(hosted.port, pebble.root)) == shown
        assert again.until(lambda found: found["state"] != "issuing")["state"] == "valid"
    finally:
        again.stop()
    assert pebble.issued == issued


def test_name_that_leads_elsewhere(pebble: Pebble, environ: dict[str, str], tmp_path: Path) -> None:
    """The server serves without a certificate, says what is wrong, and gets one once the name leads to it."""
    pebble.resolve(LOST_HOST, "127.0.0.9")
    server = Hosted(make_hosted(tmp_path / "flow", LOST_HOST, **by_pebble(pebble)), environ)
    try:
        server.wait_until("coflows/api/ready", 200)
        found = server.until(lambda found: found["state"] == "failed")
        assert found["source"] == "temporary"
        assert "127.0.0.9" in found["reason"]
        assert "does the name lead to this computer" in found["reason"]
        assert found["next_try"] > found["begins"]
        ready = server.http.get("coflows/api/ready")
        assert LOST_HOST in ready.json()["notes"][0]
        assert "127.0.0.9" not in ready.text
        answer = server.http.get("coflows/api/me")
        assert answer.status_code == 200
        assert "Strict-Transport-Security" not in answer.headers
        assert server.plain("/").status_code == 307
        pebble.resolve(LOST_HOST, "127.0.0.1")
        server.coflows("certificate", "renew")
        assert serial(connect(server.port, pebble.root, LOST_HOST)) == server.certificate["serial"]
        assert KEY not in server.log.read_text()
    finally:
        server.stop()


def test_own_files(environ: dict[str, str], tmp_path: Path) -> None:
    """One's own certificate is shown, and its successor as soon as both are there. A proxy is believed when told so."""
    files = tmp_path / "chain.pem", tmp_path / "key.pem"
    first, second = self_signed("localhost"), self_signed("localhost")
    for file, text in zip(files, (first.chain, first.key), strict=True):
        file.write_text(text)
    config = make_hosted(tmp_path / "flow", "localhost", HttpPort=0, BehindProxy=True)
    own = {"COFLOWS_CERTIFICATE": str(files[0]), "COFLOWS_CERTIFICATE_KEY": str(files[1])}
    server = Hosted(config, environ | own)
    try:
        server.wait_until("coflows/api/health", 200)
        assert _shown(server.port) == _fingerprint(first.chain)
        assert server.http.get("coflows/nothing", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 404
        # A request is in the log before the next one of its connection is looked at.
        server.http.get("coflows/api/health").raise_for_status()
        assert "@203.0.113.9" in server.log.read_text()
        files[0].write_text(second.chain)
        failed = server.until(lambda found: found["state"] == "failed")
        assert "do not belong together" in failed["reason"]
        assert _shown(server.port) == _fingerprint(first.chain)
        files[1].write_text(second.key)
        assert server.until(lambda found: found["state"] == "valid")["source"] == "files"
        assert _shown(server.port) == _fingerprint(second.chain)
    finally:
        server.stop()


@pytest.mark.parametrize("command", [("coflows", "server", "--no-browser"), ("jupyter-coflows", "--no-browser")])
def test_missing_files(command: tuple[str, ...], environ: dict[str, str], tmp_path: Path) -> None:
    """A server whose own certificate is not there does not start, and says why in a sentence."""
    config = make_hosted(tmp_path / "flow", "localhost", HttpPort=0, Certificate="none.pem")
    words = [str(COFLOWS.with_name(command[0])), *command[1:]]
    done = subprocess.run(
        words, cwd=config.parent, env=environ, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert "none.pem can't be read: No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr


def _fingerprint(chain: str) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(chain)).hexdigest()


def _shown(port: int) -> str:
    return _fingerprint(ssl.get_server_certificate(("127.0.0.1", port)))
