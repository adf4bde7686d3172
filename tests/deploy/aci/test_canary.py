"""Fifty secrets are planted wherever a person has some; a whole deployment shows none of them to anybody."""

from __future__ import annotations

import base64
import json
import logging
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from coflows_jupyter.cli import run
from tests.deploy.aci.booted import Booted
from tests.deploy.aci.conftest import Cloudy
from tests.deploy.aci.emulator import Azure, Trouble
from tests.deploy.aci.sniffer import Sniffer

COUNT = 50


def canaries() -> list[str]:
    """Return secrets that are found nowhere else."""
    return [f"canary{number:02}{os.urandom(16).hex()}" for number in range(COUNT)]


def plant(cloudy: Cloudy, azure: Azure, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Plant them in the configuration, in files that it names, in credentials and in the environment."""
    planted = canaries()
    left = iter(planted)
    folder = cloudy.file.parent
    url = urlsplit(postgres_url)
    password, key, pull, share = (next(left) for _ in range(4))
    monkeypatch.setenv("PULL_PASSWORD", pull)
    (folder / "share.txt").write_text(share)
    client = next(left)
    azure.secret = client
    azure.auth_file(folder, clientSecret=client)
    server = {**cloudy.config["Server"], "SecretKey": key, "_OldKey": next(left), "OAuth": {"Secret": next(left)}}
    cloudy.write(
        {
            "Registry": {"Server": "example.azurecr.io", "User": "puller", "Password": "${PULL_PASSWORD}"},
            "Volume": {"Account": "store", "Key": "file:share.txt", "Share": "files"},
            "_Note": next(left),
        },
        Server=server,
        Database={
            "Type": "postgres",
            "Connection": url._replace(netloc=f"coflows:{password}@{url.netloc.rpartition('@')[2]}").geturl(),
        },
        Cloud={"Host": "elsewhere.example.com", "SecretKey": next(left)},
        SendGrid={"Key": next(left)},
        _Unknown={"Deep": [next(left), {"Deeper": next(left)}]},
        Logging={"Password": next(left)},
    )
    for number, secret in enumerate(left):
        monkeypatch.setenv(f"SOMEBODYS_SECRET_{number}", secret)
    return planted


def open_places(body: dict[str, Any]) -> dict[str, Any]:
    """Return a request's body without the places that Azure keeps to itself."""
    for volume in body["properties"]["volumes"]:
        volume.pop("secret", None)
        volume.get("azureFile", {}).pop("storageAccountKey", None)
    for credential in body["properties"]["imageRegistryCredentials"]:
        credential.pop("password")
    return body


def test_no_secret_is_shown(
    azure: Azure,
    cloudy: Cloudy,
    postgres_url: str,
    isolated_environ: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not in plans, events, errors, logs, packets, command lines, environments, nor in what Azure shows of it."""
    caplog.set_level(logging.DEBUG)
    planted = plant(cloudy, azure, postgres_url, monkeypatch)
    machines: list[Booted] = []

    def boot(body: dict[str, Any]) -> Booted:
        machines.append(Booted(body, tmp_path / "container", isolated_environ))
        return machines[-1]

    azure.boot = boot
    azure.reason = ("Failed", f"could not start with {planted[0]} and {planted[1]}")
    words = [str(cloudy.file), "--force"]
    with Sniffer([cloudy.port, int(azure.url.rpartition(":")[2])]) as sniffer:
        assert run(["aci", "plan", *words]) == 0
        azure.outcome = "Failed"
        assert run(["aci", "deploy", *words]) == 1
        azure.outcome = "Succeeded"
        azure.troubles = [Trouble("PUT", "my-flow", 403, "AuthorizationFailed")]
        assert run(["aci", "deploy", *words]) == 3
        assert run(["aci", "deploy", *words, "--json", "--debug"]) == 0
        for verb in ("status", "logs", "remove"):
            assert run(["aci", verb, str(cloudy.file)]) == 0
    said = capfd.readouterr()
    (machine,) = machines
    places = {
        "stdout": said.out,
        "stderr": said.err,
        "records": caplog.text,
        "wire": sniffer.wire.decode("latin-1"),
        "commands": b"\n".join(sniffer.commands).decode("latin-1"),
        "container's environment": json.dumps(machine.environ),
        "container's log": "\n".join(machine.lines),
        "request": json.dumps([open_places(body) for body in azure.bodies]),
    }
    assert len(planted) == COUNT
    assert len(sniffer.wire) > 10_000
    assert any(b"coflows\0server" in command for command in sniffer.commands)
    for place, text in places.items():
        shown = [n for n, secret in enumerate(planted) if secret in text or encoded(secret) in text]
        assert not shown, f"secrets {shown} are in the {place}"


def encoded(secret: str) -> str:
    """Return a secret as base64 has it, without what depends on its neighbours."""
    return base64.b64encode(secret.encode())[:-4].decode()
