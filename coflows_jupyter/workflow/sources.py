"""What a Workflow's files look like to the builder and the runtimes."""

from __future__ import annotations

import json
from pathlib import Path as FilePath
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal

import msgspec

from coflows_jupyter.errors import Diagnostic, nearest
from coflows_jupyter.jsonc import Path

if TYPE_CHECKING:
    # Hosts import this module and never need a Package, nor pydantic.
    from coflows_jupyter.workflow.package import Entry, Package

Kind = Literal["base", "query", "agent"]

LANGUAGES = {
    ".py": "python",
    ".cs": "csharp",
    ".fs": "fsharp",
    ".vb": "vb",
    ".java": "java",
    ".scala": "scala",
    ".js": "javascript",
}

COMPILED = ("csharp", "vb", "fsharp")
"""The languages that are compiled for .NET."""

JVM = {"java": "Java", "scala": "Scala"}
"""The languages that are compiled for the Java virtual machine, with their names."""

JAVASCRIPT = "javascript"

# The language of notebooks that run as Agents: the text of their unit is what package.json says of them.
NOTEBOOK = "notebook"

_KINDS: dict[str, Kind] = {"Base": "base", "Queries": "query", "Agents": "agent"}


class SourceUnit(msgspec.Struct, frozen=True):
    """One source file, read once, with ``$WID$`` and ``$ID$`` already substituted.

    Args:
        kind: which list of package.json names it.
        name: the entry's ``ID`` for a Query, else its ``Name``.
        path: absolute path of the user's file.
        language: a value of ``LANGUAGES``.
        text: the substituted source.
        exe: the function of an Agent's file that describes it.
    """

    kind: Kind
    name: str
    path: str
    language: str
    text: str
    exe: str = ""


def read_sources(package: Package) -> tuple[tuple[SourceUnit, ...], tuple[Diagnostic, ...]]:
    """Read the sources that ``package`` names, in its order, Base first.

    Args:
        package: a checked package.json.

    Returns:
        The units that could be read, and an error for each that couldn't.
    """
    units: list[SourceUnit] = []
    found: list[Diagnostic] = []
    for key, kind in _KINDS.items():
        for index, entry in enumerate(package.entries(key)):
            match _read_unit(package, kind, (key, index, "Content"), entry):
                case SourceUnit() as unit:
                    units.append(unit)
                case Diagnostic() as diagnostic:
                    found.append(diagnostic)
    return tuple(units), tuple(found)


def _read_unit(package: Package, kind: Kind, place: Path, entry: Entry) -> SourceUnit | Diagnostic | None:
    """Read one entry; a file in no language of ours, like data beside the code, gives ``None``."""
    if entry.is_literal:
        path = package.folder / str(place[0]) / entry.name
        text: str | Diagnostic = entry.content
    else:
        path = package.locate(entry)
        if kind == "agent" and path.suffix == ".ipynb" and path.is_file():
            return SourceUnit(kind, entry.id, str(path), NOTEBOOK, _about(entry).replace("$WID$", package.id))
        if path.suffix not in LANGUAGES and path.is_file():
            return None
        text = _read_text(package, path, place)
    if isinstance(text, Diagnostic):
        return text
    name = entry.id if kind == "query" else entry.name
    text = text.replace("$WID$", package.id)
    if kind == "agent":
        text = text.replace("$ID$", f"{package.id}-{PurePath(name).stem}")
    return SourceUnit(
        kind, name, str(path), LANGUAGES.get(path.suffix, "python"), text, entry.exe if kind == "agent" else ""
    )


def _about(entry: Entry) -> str:
    """Return what package.json says of a notebook, as JSON that ``NotebookEntry`` reads."""
    said = {"Name": entry.name, "Schedule": entry.schedule, "Parameters": entry.parameters}
    return json.dumps(said | {"Policy": entry.policy.model_dump(exclude_unset=True)})


def _read_text(package: Package, path: FilePath, place: Path) -> str | Diagnostic:
    shown = path.relative_to(package.folder)
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return Diagnostic(
            str(path), line, 0, "error", "encoding", "the line is not UTF-8 text", "save the file as UTF-8"
        )
    except FileNotFoundError:
        near = nearest(path.name, (p.name for p in path.parent.glob(f"*{path.suffix}")))
        hint = f"did you mean {shown.parent / near}?" if near else "restore the file or remove the entry"
        return package.report(place, "no-file", f"there is no file {shown}", hint)
    except OSError as error:
        message = f"{shown} can't be read: {error.strerror}"
        return package.report(place, "unreadable", message, "check the path and its permissions")
