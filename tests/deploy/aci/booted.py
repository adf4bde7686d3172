"""A container group as a process of this computer: the image's own command, with exactly what the request gave it."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.conftest import COFLOWS, ROOT

_SECRETS = "/run/coflows"
_STOP_SECONDS = 10.0


class Booted:
    """What runs in a container group.

    Folders can't be mounted here without being root: what the container would see at ``/run/coflows`` and ``/app/mnt``
    is below ``folder``, and the first of these is named so in the environment.

    Args:
        body: of the container group.
        folder: for its disk and its secret volume.
        environ: what any process of this computer has.
    """

    restarts = 0

    def __init__(self, body: dict[str, Any], folder: Path, environ: Mapping[str, str]) -> None:
        self.folder = folder
        self._secrets = folder / "run"
        self._secrets.mkdir(parents=True, exist_ok=True)
        for volume in body["properties"]["volumes"]:
            for name, text in volume.get("secret", {}).items():
                (self._secrets / name).write_bytes(base64.b64decode(text))
        (container,) = body["properties"]["containers"]
        given = {
            variable["name"]: variable.get("value") or variable["secureValue"]
            for variable in container["properties"]["environmentVariables"]
        }
        given = {name: text.replace(_SECRETS, str(self._secrets)) for name, text in given.items()}
        self._command, own = image()
        self.environ = {**environ, **own, **given}
        self._log = folder / "log"
        self._log.write_text("")
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        disk = self.folder / "mnt"
        shutil.rmtree(disk, ignore_errors=True)
        disk.mkdir()
        with self._log.open("ab") as log:
            return subprocess.Popen(
                self._command,
                cwd=disk,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def lines(self) -> list[str]:
        """What it printed."""
        return self._log.read_text(errors="replace").splitlines()

    def restart(self) -> None:
        """Begin anew, as Azure does when it likes to: what was on the disk is gone."""
        self.stop()
        self.restarts += 1
        self.process = self._start()

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        try:
            self.process.wait(_STOP_SECONDS)
        finally:
            if self.process.poll() is None or _lives(self.process.pid):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def image() -> tuple[list[str], dict[str, str]]:
    """Return the command of the image and what its environment says of us, as the Dockerfile has them."""
    text = (ROOT / "Dockerfile").read_text()
    (command,) = re.findall(r"^CMD (\[.*\])$", text, re.MULTILINE)
    program, *words = json.loads(command)
    assert program == COFLOWS.name
    return [str(COFLOWS), *words], dict(re.findall(r"\b(COFLOWS_\w+)=(\S+)", text[text.rindex("\nFROM ") :]))
