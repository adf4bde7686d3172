"""Checks of what is installed: Python packages and the toolchains that the Workflow's languages need."""

from __future__ import annotations

import platform
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

from coflows_jupyter import __version__
from coflows_jupyter.doctor.finding import Finding, Patient, fine
from coflows_jupyter.workflow.sources import COMPILED, JVM, LANGUAGES

_OLDEST = {"jupyter_server": "2.18", "msgspec": "0.19", "orjson": "3.10", "pydantic": "2.9", "tornado": "6.4"}
_OLDEST_LAB = "4.6"


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


def dotnet(patient: Patient) -> Iterator[Finding]:
    """Is .NET here, with what it needs, where the Workflow needs it?"""
    from coflows_jupyter.runtimes.dotnet import find, has_icu, install_command

    needed = _needed(patient, frozenset(COMPILED), ("nugets",))
    why = f"{', '.join(needed)} of this Workflow can't be used"
    found = find(patient.environ)
    if not isinstance(found, str):
        yield fine(f".NET SDK {Path(found.sdk).name} in {found.root} ({', '.join(needed) or 'nothing'} needs it)")
        if needed and not patient.version("pythonnet"):
            yield Finding("error", "pythonnet is not installed", why, _install("pythonnet>=3.0.5"))
        if needed and not has_icu():
            why = "dates and numbers have the formats of no culture"
            yield Finding("warning", "ICU is not installed", why, "apt-get install libicu-dev")
    elif needed:
        command = "apt-get install libssl3" if "OpenSSL" in found else install_command()
        yield Finding("error", found, why, command)


def java(patient: Patient) -> Iterator[Finding]:
    """Is a JDK here, with what it needs, where the Workflow needs it?"""
    from coflows_jupyter.runtimes.jdk import find

    needed = _needed(patient, frozenset(JVM), ("jars",))
    why = f"{', '.join(needed)} of this Workflow can't be used"
    found = find(patient.environ)
    if not isinstance(found, str):
        yield fine(f"Java {found.version} in {found.home} ({', '.join(needed) or 'nothing'} needs it)")
        if needed and not patient.version("JPype1"):
            yield Finding("error", "JPype1 is not installed", why, _install("JPype1>=1.7"))
    elif needed:
        yield Finding("error", found, why, "apt-get install openjdk-17-jdk-headless")


def _needed(patient: Patient, languages: frozenset[str], lists: tuple[str, ...]) -> list[str]:
    """Return what of the Workflow is in these languages, or in these lists of package.json."""
    package = patient.package
    entries = (*package.base, *package.agents, *package.queries) if package else ()
    used = {LANGUAGES.get(Path(entry.name).suffix, "") for entry in entries}
    named = [name for name in lists if package is not None and getattr(package, name)]
    return [*sorted(used & languages), *({"nugets": "NuGets", "jars": "Jars"}[name] for name in named)]


def _install(requirement: str) -> str:
    return f"{shlex.quote(sys.executable)} -m pip install {shlex.quote(requirement)}"
