"""Checks of the configuration: what it says, its key, and its port."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from coflows_jupyter.access.keys import weakness
from coflows_jupyter.doctor.finding import Finding, Patient, fine
from coflows_jupyter.errors import Diagnostic
from coflows_jupyter.notebook.servers import running_servers
from coflows_jupyter.values import SECRET_REFERENCE

_LISTENING = "0A"


def files(patient: Patient) -> Iterator[Finding]:
    """Do the configuration, package.json and the sources have mistakes?"""
    found = [d for d in patient.diagnostics if d.code != "weak-key"]
    for diagnostic in found:
        yield Finding(diagnostic.severity, _place(diagnostic), diagnostic.hint, _command(diagnostic))
    if not found and patient.config is not None:
        yield fine(f"{patient.config.file or 'the environment variable coflows_config'} is right")


def _place(diagnostic: Diagnostic) -> str:
    return str(Diagnostic(*(getattr(diagnostic, name) for name in diagnostic.__struct_fields__[:-1])))


def _command(diagnostic: Diagnostic) -> str:
    if diagnostic.code == "no-config":
        return "coflows new DIR"
    if diagnostic.code == "no-id":
        return "coflows local build"
    return f"edit {diagnostic.file}" + (f" at line {diagnostic.line}" if diagnostic.line else "")


def key(patient: Patient) -> Iterator[Finding]:
    """Can the SecretKey be known or guessed?"""
    if patient.config is None:
        return
    text = patient.config.server.secret_key.get_secret_value()
    why = weakness(text)
    if SECRET_REFERENCE.search(text):
        yield fine("the SecretKey is kept as a secret")
    elif why:
        yield Finding("warning", why, "every start makes another key, so clients lose theirs", "coflows key rotate")
    else:
        yield fine("the SecretKey is strong")


def port(patient: Patient) -> Iterator[Finding]:
    """Can the server listen on its port?"""
    config = patient.config
    if config is None or not config.port:
        return
    where = f"port {config.port}"
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((config.bind, config.port))
    except OSError as error:
        if error.errno == errno.EACCES:
            yield Finding("error", f"{where} needs root", "the server does not start", "coflows server --port 8888")
        elif any(s.config == str(config.file) and f":{config.port}/" in s.url for s in running_servers()):
            yield fine(f"{where} is the running server's")
        else:
            message = f"{where} is taken{_owner(config.port)}"
            yield Finding("error", message, "the server does not start", "coflows server --port 0")
    else:
        yield fine(f"{where} is free")


def _owner(number: int) -> str:
    """Say which process listens on a port, where the system tells."""
    with suppress(OSError, ValueError):
        inodes = {
            f"socket:[{fields[9]}]"
            for table in ("tcp", "tcp6")
            for fields in map(str.split, Path("/proc/net", table).read_text().splitlines()[1:])
            if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == number
        }
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if any(os.readlink(link) in inodes for link in (process / "fd").iterdir()):  # noqa: PTH115 - no path
                    name = (process / "comm").read_text().strip()
                    return f" by process {process.name} ({name})"
    return ""
