"""The Build: what a host holds for its whole life."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from coflows_jupyter.workflow.sources import Kind, SourceUnit


class Build(msgspec.Struct, frozen=True):
    """An immutable snapshot of a Workflow's sources.

    Args:
        id: hex digest of everything below; equal content gives an equal Build.
        workflow: the Workflow's ID.
        name: the Workflow's name.
        folder: absolute folder of package.json.
        units: sources in package.json's order, Base first.
        paths: directories that come first on the hosts' import path.
    """

    id: str
    workflow: str
    name: str
    folder: str
    units: tuple[SourceUnit, ...] = ()
    paths: tuple[str, ...] = ()


def make_build(
    workflow: str, name: str, folder: str, units: tuple[SourceUnit, ...], paths: tuple[str, ...] = ()
) -> Build:
    """Make the Build of these sources; its ``id`` is a digest of all the arguments."""
    content = msgspec.msgpack.encode((workflow, name, folder, units, paths))
    return Build(hashlib.sha256(content).hexdigest()[:16], workflow, name, folder, units, paths)


def part(build: Build, kind: Kind) -> Build:
    """Return the Build of only those units that are of this kind or Base."""
    units = tuple(unit for unit in build.units if unit.kind in {"base", kind})
    return make_build(build.workflow, build.name, build.folder, units, build.paths)


def with_paths(build: Build, paths: tuple[str, ...]) -> Build:
    """Return the Build of the same sources with these directories first on the import path."""
    return make_build(build.workflow, build.name, build.folder, build.units, paths)


def working_directory(folder: Path) -> str:
    """Return where a Workflow's hosts run.

    The original mounted every Workflow as ``mnt`` below the working directory, and user code opens ``mnt/Files/…``; so
    a folder of that name is looked at from above, and any other from inside.
    """
    return str(folder.parent if folder.name == "mnt" else folder)
