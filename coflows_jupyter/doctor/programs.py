"""Checks of what is installed: Python packages and the toolchains that the Workflow's languages need."""

from __future__ import annotations

import platform
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from coflows_jupyter import __version__
from coflows_jupyter.doctor.finding import Finding, Patient, fine
from coflows_jupyter.workflow.sources import LANGUAGES

_OLDEST = {"jupyter_server": "2.18", "msgspec": "0.19", "orjson": "3.10", "pydantic": "2.9", "tornado": "6.4"}
_OLDEST_LAB = "4.6"
_PROGRAM_SECONDS = 10


class Toolchain(NamedTuple):
    """A program that compiles or runs some languages.

    Args:
        program: its name on PATH.
        languages: what is written in them needs it.
        lists: lists of package.json that need it too.
        version: the words that print its version.
        command: how to get it.
    """

    program: str
    languages: frozenset[str]
    lists: tuple[str, ...]
    version: str
    command: str


TOOLCHAINS = (
    Toolchain(
        "dotnet", frozenset({"csharp", "fsharp", "vb"}), ("nugets",), "--version", "apt-get install dotnet-sdk-10.0"
    ),
    Toolchain("java", frozenset({"java", "scala"}), ("jars",), "-version", "apt-get install default-jdk"),
    Toolchain("node", frozenset({"javascript"}), (), "--version", "apt-get install nodejs"),
)


def python(patient: Patient) -> Iterator[Finding]:
    """Is every package here, and recent enough?"""
    from packaging.version import Version

    wrong = False
    for name, oldest in _OLDEST.items():
        version = patient.version(name)
        if not version or Version(version) < Version(oldest):
            wrong = True
            have = f"{name} {version} is older than {oldest}" if version else f"{name} is not installed"
            yield Finding("error", have, "the server does not start", _install(f"{name}>={oldest}"))
    if not wrong:
        yield fine(f"Python {platform.python_version()}, coflows_jupyter {__version__}")


def pips(patient: Patient) -> Iterator[Finding]:
    """Is uv here, where something has to be installed?"""
    version = patient.version("uv")
    if version:
        yield fine(f"uv {version}")
    elif patient.package is not None and patient.package.pips:
        yield Finding("error", "uv is not installed", "the Workflow's Pips can't be installed", _install("uv"))


def lab(patient: Patient) -> Iterator[Finding]:
    """Is JupyterLab here, where the configuration wants it?"""
    from packaging.version import Version

    version = patient.version("jupyterlab")
    if version and Version(version) >= Version(_OLDEST_LAB):
        yield fine(f"JupyterLab {version}")
    elif patient.config is not None and patient.config.jupyter:
        have = f"JupyterLab {version} is older than {_OLDEST_LAB}" if version else "JupyterLab is not installed"
        yield Finding("error", have, '"Jupyter": true has nothing to show', _install(f"jupyterlab>={_OLDEST_LAB}"))


def toolchains(patient: Patient) -> Iterator[Finding]:
    """Are the compilers here that the Workflow needs?"""
    package = patient.package
    entries = (*package.base, *package.agents, *package.queries) if package else ()
    used = {LANGUAGES.get(Path(entry.name).suffix, "") for entry in entries}
    for chain in TOOLCHAINS:
        needed = sorted(used & chain.languages)
        needed += [name.title() for name in chain.lists if package is not None and getattr(package, name)]
        path = patient.which(chain.program)
        if path:
            yield fine(f"{chain.program} {_version(path, chain.version)} ({', '.join(needed) or 'nothing'} needs it)")
        elif needed:
            why = f"{', '.join(needed)} of this Workflow can't be used"
            yield Finding("error", f"{chain.program} is not on PATH", why, chain.command)


def _version(path: str, word: str) -> str:
    try:
        done = subprocess.run(
            [path, word],
            capture_output=True,
            text=True,
            timeout=_PROGRAM_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "of unknown version"
    return next(iter((done.stdout or done.stderr).splitlines()), "").strip()


def _install(requirement: str) -> str:
    return f"{shlex.quote(sys.executable)} -m pip install {shlex.quote(requirement)}"
