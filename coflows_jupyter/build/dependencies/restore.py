"""Runs ``dotnet restore`` on a project that is made for it, and reads what came of it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import msgspec
import orjson

from coflows_jupyter.build.dependencies.tool import Tool
from coflows_jupyter.errors import CoflowsError
from coflows_jupyter.host.launch import environment as without_keys
from coflows_jupyter.runtimes.dotnet import Dotnet, environment

_INSTALLED = re.compile(r"Installed (\S+) (\S+) from ")
_ERROR = re.compile(r"error ([A-Z]+\d+)?\s*:\s*(.*?)(?: \[[^\]]*proj\])?$")
_PROJECT = "nugets.csproj"
# Relative to a folder of ours; what lies above it in the user's home is not for this project.
_ALONE = [f"-p:ImportDirectory{name}=false" for name in ("BuildProps", "BuildTargets", "PackagesProps")]


class Source(msgspec.Struct, frozen=True):
    """A feed as a build uses it: its address or folder, and who signs in there."""

    url: str
    user: str = ""
    key: str = ""


class Resolved(msgspec.Struct, frozen=True):
    """A package that was restored.

    Args:
        id: its name.
        version: exactly.
        sha512: the hash of what is in it, as NuGet's own lock files have it.
        folder: where it is.
        references: files in it that a compiler looks at.
        managed: files in it that run.
        natives: files in it in machine code, for this system.
    """

    id: str
    version: str
    sha512: str
    folder: str
    references: tuple[str, ...]
    managed: tuple[str, ...]
    natives: tuple[str, ...]


class Remark(msgspec.Struct, frozen=True):
    """What NuGet says: its code, the package it is about (empty when that is unknown) and a sentence."""

    code: str
    about: str
    message: str


class RestoreError(CoflowsError):
    """It could not be done; the message is NuGet's first reason, on one line."""

    def __init__(self, remarks: Sequence[Remark]) -> None:
        super().__init__("; ".join(dict.fromkeys(remark.message for remark in remarks)))
        self.remarks = tuple(remarks)


class Restore(Tool):
    """Restores one project at a time, and ends it when it is closed."""

    def run(
        self,
        dotnet: Dotnet,
        folder: Path,
        wanted: Mapping[str, str],
        *,
        packages: Path,
        sources: Sequence[Source],
        on_package: Callable[[str], None],
    ) -> tuple[list[Resolved], list[Remark]]:
        """Bring packages and what they need to this computer; return them, and warnings.

        Args:
            dotnet: whose NuGet does it.
            folder: an empty folder for the project.
            wanted: version ranges by package name.
            packages: the folder that holds unpacked packages, for all Workflows.
            sources: where they come from; what the computer's configuration says when empty.
            on_package: told of each package that was downloaded and checked.

        Raises:
            RestoreError: it failed.
            NotReadyError: it was closed meanwhile.
        """
        (folder / _PROJECT).write_text(_project(dotnet, wanted), encoding="utf-8")
        if sources:
            (folder / "nuget.config").write_text(nuget_config(sources), encoding="utf-8")
        environ = environment(without_keys()) | {
            "NUGET_PACKAGES": str(packages),
            "DOTNET_NUGET_SIGNATURE_VERIFICATION": "true",
            "DOTNET_CLI_UI_LANGUAGE": "en",
            **{_variable(number): source.key for number, source in enumerate(sources)},
        }
        # The SDK's own program, so that a global.json above can't choose another.
        command: list[str | Path] = [dotnet.program, "exec", Path(dotnet.sdk) / "dotnet.dll", "restore", _PROJECT]
        command += ["--verbosity", "normal", "--nologo", "--tl:off", *_ALONE]
        output: list[str] = []
        try:
            with self.running(
                command, folder=folder, environ=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            ) as process:
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.close()
                for line in process.stdout:
                    output.append(line.strip())
                    if installed := _INSTALLED.search(line):
                        on_package(f"{installed[1]} {installed[2]}")
        except OSError as error:
            raise RestoreError([Remark("", "", f"dotnet can't be started: {error}")]) from error
        assets = _assets(folder)
        if process.returncode or assets is None:
            found = _remarks(assets or {}, "Error") or _from_output(output)
            raise RestoreError(found or [Remark("", "", f"dotnet restore ended with {process.returncode}")])
        return _resolved(assets), _remarks(assets, "Warning")


def _project(dotnet: Dotnet, wanted: Mapping[str, str]) -> str:
    lines = (
        f"    <PackageReference Include={quoteattr(name)} Version={quoteattr(version)}/>"
        for name, version in wanted.items()
    )
    return "\n".join(
        [
            '<Project Sdk="Microsoft.NET.Sdk">',
            "  <PropertyGroup>",
            f"    <TargetFramework>net{dotnet.major}.0</TargetFramework>",
            "    <UseCurrentRuntimeIdentifier>true</UseCurrentRuntimeIdentifier>",
            "    <SelfContained>false</SelfContained>",
            "    <UseAppHost>false</UseAppHost>",
            "  </PropertyGroup>",
            "  <ItemGroup>",
            *lines,
            "  </ItemGroup>",
            "</Project>",
            "",
        ]
    )


def nuget_config(sources: Sequence[Source]) -> str:
    """Write a nuget.config; keys stay in the environment, by name."""
    places = "".join(f"<add key={quoteattr(source.url)} value={quoteattr(source.url)}/>" for source in sources)
    keys = "".join(
        f'<{_element(source.url)}><add key="Username" value={quoteattr(source.user)}/>'
        f'<add key="ClearTextPassword" value="%{_variable(number)}%"/></{_element(source.url)}>'
        for number, source in enumerate(sources)
        if source.user or source.key
    )
    return (
        f"<configuration><packageSources><clear/>{places}</packageSources>"
        f"<packageSourceCredentials>{keys}</packageSourceCredentials>"
        "<packageSourceMapping><clear/></packageSourceMapping></configuration>\n"
    )


def _variable(number: int) -> str:
    return f"COFLOWS_FEED_KEY_{number}"


def _element(text: str) -> str:
    """Spell a source's name as the name of an element of XML, as NuGet does."""
    return "".join(c if c.isascii() and c.isalpha() else f"_x{ord(c):04X}_" for c in text)


def _assets(folder: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = orjson.loads((folder / "obj" / "project.assets.json").read_bytes())
    except FileNotFoundError:
        return None
    return found


def _remarks(assets: Mapping[str, Any], level: str) -> list[Remark]:
    return [
        Remark(entry["code"], entry.get("libraryId", ""), " ".join(entry["message"].split()))
        for entry in assets.get("logs", [])
        if entry["level"] == level
    ]


def _from_output(lines: Sequence[str]) -> list[Remark]:
    """Read errors that come before there is anything to restore; NuGet writes the rest of one as further ones."""
    found: dict[str, list[str]] = {}
    for line in lines:
        if (match := _ERROR.search(line)) and (message := " ".join(match[2].split())):
            said = found.setdefault(match[1] or "", [])
            if message not in said:
                said.append(message)
    return [Remark(code, "", " ".join(messages)) for code, messages in found.items()]


def _resolved(assets: Mapping[str, Any]) -> list[Resolved]:
    (root, *_) = assets["packageFolders"]
    # Of the two, the one for this system has its machine code chosen already.
    target = max(assets["targets"].items(), key=lambda item: len(item[0]))[1]
    return [
        _package(root, key, assets["libraries"][key], found)
        for key, found in target.items()
        if found["type"] == "package"
    ]


def _package(root: str, key: str, library: Mapping[str, Any], found: Mapping[str, Any]) -> Resolved:
    folder = Path(root, library["path"])
    name, _, version = key.partition("/")

    def files(kind: str) -> tuple[str, ...]:
        return tuple(str(folder / path) for path in found.get(kind, ()) if not path.endswith("/_._"))

    return Resolved(name, version, library["sha512"], str(folder), files("compile"), files("runtime"), files("native"))
