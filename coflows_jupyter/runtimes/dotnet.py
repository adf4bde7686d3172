"""Finds .NET on this computer without starting it.

Looked for by ``DOTNET_ROOT``, then ``PATH``, then where installers put it. Mono is none of these: it runs no library
that was made for .NET 5 or later, so what it can't do is not tried.
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

OLDEST = 8
"""The oldest major version of .NET that is used."""

_COMMANDS = {
    "ubuntu": "apt-get install dotnet-sdk-10.0",
    "fedora": "dnf install dotnet-sdk-10.0",
    "rhel": "dnf install dotnet-sdk-10.0",
    "alpine": "apk add dotnet10-sdk",
    "arch": "pacman -S dotnet-sdk",
    "darwin": "brew install --cask dotnet-sdk",
    "win32": "winget install Microsoft.DotNet.SDK.10",
}
# Debian, for one, has no package of it; this needs no root, and installs where we look.
_SCRIPT = "curl -fsSL https://dot.net/v1/dotnet-install.sh | bash"

_USUAL = (
    "/usr/lib/dotnet",
    "/usr/share/dotnet",
    "/usr/local/share/dotnet",
    "/opt/dotnet",
    "/snap/dotnet-sdk/current",
    "/opt/homebrew/opt/dotnet/libexec",
    "C:/Program Files/dotnet",
    "~/.dotnet",
)
_LIBRARY_FOLDERS = (
    "/lib/*-linux-*",
    "/usr/lib/*-linux-*",
    "/usr/lib64",
    "/lib64",
    "/usr/lib",
    "/lib",
    "/usr/local/lib",
)
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)(-.+)?")


class Dotnet(msgspec.Struct, frozen=True):
    """An installed .NET.

    Args:
        root: its folder.
        sdk: the folder of its newest usable SDK.
        runtime: the version of the runtime that goes with it.
    """

    root: str
    sdk: str
    runtime: str

    @property
    def major(self) -> int:
        """The major version."""
        return _number(self.runtime)[0]

    @property
    def program(self) -> str:
        """The ``dotnet`` program."""
        return str(Path(self.root) / ("dotnet.exe" if sys.platform == "win32" else "dotnet"))

    @property
    def references(self) -> tuple[str, ...]:
        """The reference assemblies of its framework; the framework itself where an installation has none."""
        packs = Path(self.root, "packs", "Microsoft.NETCore.App.Ref")
        found = [path for path in _versions(packs) if _number(path.name)[0] == self.major]
        if found:
            return tuple(sorted(map(str, (found[0] / "ref" / f"net{self.major}.0").glob("*.dll"))))
        return tuple(sorted(str(path) for path in self.framework.glob("*.dll") if _is_managed(path)))

    @property
    def framework(self) -> Path:
        """The folder of the runtime's own libraries."""
        return Path(self.root, "shared", "Microsoft.NETCore.App", self.runtime)


def find(environ: Mapping[str, str] = os.environ) -> Dotnet | str:
    """Return the .NET to use, or a sentence that says why there is none.

    Args:
        environ: environment variables.
    """
    problem = ""
    for root in dict.fromkeys(_roots(environ)):
        found = _installed(root)
        if isinstance(found, Dotnet):
            return _missing_library() or found
        problem = problem or found
    return problem or "there is no .NET SDK on this computer"


@cache
def here() -> Dotnet | str:
    """Return what ``find`` says of this process's environment; it looks once."""
    return find()


def install_command(system: str = sys.platform, release: Path = Path("/etc/os-release")) -> str:
    """Return the command that installs an SDK here.

    Args:
        system: as ``sys.platform`` has it.
        release: the file in which Linux says what it is.
    """
    names = [system]
    if system == "linux" and release.is_file():
        text = release.read_text("utf-8", "replace")
        fields = dict(re.findall(r"""^(ID|ID_LIKE)=["']?([^"'\n]*)""", text, re.MULTILINE))
        names += [fields.get("ID", ""), *fields.get("ID_LIKE", "").split()]
    return next((_COMMANDS[name] for name in names if name in _COMMANDS), _SCRIPT)


def how_to_install() -> str:
    """Say how to get an SDK here."""
    return (
        f"install a .NET SDK, version {OLDEST} or later: from https://dotnet.microsoft.com/download, "
        f"or by `{install_command()}`; then `coflows doctor` says whether it is found"
    )


def has_icu() -> bool:
    """Whether .NET finds the library that knows cultures; without it, it would end the process as it starts."""
    return sys.platform != "linux" or _has_library("libicuuc.so*")


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a program of .NET's: no telemetry, no greetings, no need of ICU."""
    return {
        **environ,
        "DOTNET_CLI_TELEMETRY_OPTOUT": "1",
        "DOTNET_NOLOGO": "1",
        "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1",
        "DOTNET_EnableDiagnostics": "0",
    }


def _roots(environ: Mapping[str, str]) -> Iterator[Path]:
    if named := environ.get("DOTNET_ROOT"):
        yield Path(named)
    if program := shutil.which("dotnet", path=environ.get("PATH", "")):
        yield Path(program).resolve().parent
    for folder in _USUAL:
        path = Path(folder).expanduser()
        if path.is_dir():
            yield path


def _installed(root: Path) -> Dotnet | str:
    sdks = list(_versions(root / "sdk"))
    if not sdks:
        return f"there is no .NET SDK in {root}"
    runtimes = list(_versions(root / "shared" / "Microsoft.NETCore.App"))
    for sdk in sdks:
        major = _number(sdk.name)[0]
        runtime = next((path.name for path in runtimes if _number(path.name)[0] == major), "")
        if major >= OLDEST and runtime and (sdk / "Roslyn" / "bincore" / "csc.dll").is_file():
            return Dotnet(str(root), str(sdk), runtime)
    if _number(sdks[0].name)[0] < OLDEST:
        return f"the .NET SDK {sdks[0].name} in {root} is too old: version {OLDEST} or later is needed"
    return f"the .NET SDK {sdks[0].name} in {root} is incomplete: its compiler or its runtime is missing"


def _versions(folder: Path) -> list[Path]:
    """Return the folders that are named by a version, the newest first; a preview comes after its release."""
    try:
        found = [path for path in folder.iterdir() if _VERSION.fullmatch(path.name)]
    except OSError:
        return []
    return sorted(found, key=lambda path: (_number(path.name), "-" not in path.name), reverse=True)


def _number(version: str) -> tuple[int, int, int]:
    match = _VERSION.fullmatch(version)
    return (int(match[1]), int(match[2]), int(match[3])) if match else (0, 0, 0)


def _is_managed(path: Path) -> bool:
    """Whether a library of a framework is for .NET: those of the system's kind are named like it."""
    return not path.name.startswith(("Microsoft.DiaSymReader", "clr", "coreclr", "mscor", "host", "msquic"))


def _missing_library() -> str:
    """Say which library is missing whose absence would end the process at its first use."""
    if sys.platform == "linux" and not _has_library("libssl.so*"):
        return "OpenSSL is missing, which .NET needs: install it (on Debian and Ubuntu `apt-get install libssl3`)"
    return ""


def _has_library(pattern: str) -> bool:
    named = os.environ.get("LD_LIBRARY_PATH", "").split(":")
    folders = [Path(folder) for folder in named if folder]
    for usual in _LIBRARY_FOLDERS:
        folders += Path("/").glob(usual.lstrip("/"))
    return any(next(folder.glob(pattern), None) is not None for folder in folders)
