"""Finds Java on this computer without starting it.

Looked for by ``JAVA_HOME``, then ``PATH``, then where installers put it.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import msgspec

OLDEST = 17
"""The oldest version of Java that is used."""

HOW_TO_INSTALL = (
    f"install a JDK, version {OLDEST} or later: on Debian and Ubuntu `apt-get install openjdk-17-jdk-headless`, "
    "elsewhere from https://adoptium.net; then `coflows doctor` says whether it is found"
)

_USUAL = (
    "/usr/lib/jvm/*",
    "/usr/local/lib/jvm/*",
    "/opt/java/*",
    "/opt/jdk*",
    "/Library/Java/JavaVirtualMachines/*/Contents/Home",
    "/opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home",
    "C:/Program Files/Java/*",
    "C:/Program Files/Eclipse Adoptium/*",
    "~/.sdkman/candidates/java/*",
)
_MACHINES = ("lib/server/libjvm.so", "lib/server/libjvm.dylib", "bin/server/jvm.dll")
_VERSION = re.compile(r'^JAVA_VERSION="(\d+)(?:\.(\d+))?', re.MULTILINE)
_EXE = ".exe" if sys.platform == "win32" else ""


class Jdk(msgspec.Struct, frozen=True):
    """An installed JDK.

    Args:
        home: its folder.
        version: its feature version.
        machine: path of the library that is the virtual machine.
    """

    home: str
    version: int
    machine: str

    def program(self, name: str) -> str:
        """Return the path of one of its programs."""
        return str(Path(self.home, "bin", name + _EXE))


def find(environ: Mapping[str, str] = os.environ) -> Jdk | str:
    """Return the JDK to use, or a sentence that says why there is none.

    Args:
        environ: environment variables.
    """
    problem = ""
    for home in dict.fromkeys(_homes(environ)):
        found = _installed(home)
        if isinstance(found, Jdk):
            return found
        problem = problem or found
    return problem or "there is no JDK on this computer"


@cache
def here() -> Jdk | str:
    """Return what ``find`` says of this process's environment; it looks once."""
    return find()


def _homes(environ: Mapping[str, str]) -> Iterator[Path]:
    if named := environ.get("JAVA_HOME"):
        yield Path(named)
    for name in ("javac", "java"):
        if program := shutil.which(name, path=environ.get("PATH", "")):
            yield Path(program).resolve().parent.parent
    for pattern in _USUAL:
        path = Path(pattern).expanduser()
        yield from sorted((p for p in Path(path.anchor).glob(str(path.relative_to(path.anchor)))), reverse=True)


def _installed(home: Path) -> Jdk | str:
    try:
        text = (home / "release").read_text("utf-8")
    except OSError:
        return f"there is no Java in {home}"
    match = _VERSION.search(text)
    version = int(match[2] or 0) if match and match[1] == "1" else int(match[1]) if match else 0
    if version < OLDEST:
        return f"Java {version} in {home} is too old: version {OLDEST} or later is needed"
    machine = next((str(home / name) for name in _MACHINES if (home / name).is_file()), "")
    if not machine:
        return f"Java {version} in {home} is incomplete: its virtual machine is missing"
    if not (home / "bin" / f"javac{_EXE}").is_file():
        return f"Java {version} in {home} is a JRE, which has no compiler: a JDK is needed"
    return Jdk(str(home), version, machine)
