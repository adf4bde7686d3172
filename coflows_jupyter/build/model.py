"""The Build: what a host holds for its whole life."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from coflows_jupyter.runtimes.jvmmodel import Jvm
from coflows_jupyter.runtimes.library import of_kind
from coflows_jupyter.runtimes.netmodel import Net
from coflows_jupyter.workflow.sources import Kind, SourceUnit


class Limits(msgspec.Struct, frozen=True):
    """What a host may take, from ``Limit`` of package.json; 0 is no limit.

    Args:
        cores: CPU cores.
        memory: bytes of writable memory that the Workflow's code may have beside what an empty host has.
    """

    cores: float = 0
    memory: int = 0


NO_LIMITS = Limits()


class Build(msgspec.Struct, frozen=True):
    """An immutable snapshot of a Workflow's sources.

    Args:
        id: hex digest of everything below; equal content gives an equal Build.
        workflow: the Workflow's ID.
        name: the Workflow's name.
        folder: absolute folder of package.json.
        units: sources in package.json's order, Base first.
        paths: directories that come first on the hosts' import path.
        limits: what a host may take.
        net: what was compiled for .NET; ``None`` when no source needs it.
        jvm: what was compiled for the Java virtual machine; ``None`` when no source needs it.
    """

    id: str
    workflow: str
    name: str
    folder: str
    units: tuple[SourceUnit, ...] = ()
    paths: tuple[str, ...] = ()
    limits: Limits = NO_LIMITS
    net: Net | None = None
    jvm: Jvm | None = None


def make_build(
    workflow: str, name: str, folder: str, units: tuple[SourceUnit, ...], limits: Limits = NO_LIMITS
) -> Build:
    """Make the Build of these sources; its ``id`` is a digest of all the arguments."""
    return _identified(Build("", workflow, name, folder, units, limits=limits))


def _identified(build: Build, **changed: Any) -> Build:
    build = msgspec.structs.replace(build, id="", **changed)
    return msgspec.structs.replace(build, id=hashlib.sha256(msgspec.msgpack.encode(build)).hexdigest()[:16])


def part(build: Build, kind: Kind) -> Build:
    """Return the Build of only those units that are of this kind or Base."""
    units = tuple(unit for unit in build.units if unit.kind in {"base", kind})
    net = build.net
    if net is not None:
        libraries = of_kind(net.libraries, kind)
        net = msgspec.structs.replace(net, libraries=libraries) if libraries or net.packages.managed else None
    jvm = build.jvm
    if jvm is not None:
        libraries = of_kind(jvm.libraries, kind)
        jvm = msgspec.structs.replace(jvm, libraries=libraries) if libraries else None
    return _identified(build, units=units, net=net, jvm=jvm)


def with_paths(build: Build, paths: tuple[str, ...], net: Net | None = None, jvm: Jvm | None = None) -> Build:
    """Return the Build of the same sources with what they depend on: directories, and what was compiled."""
    if net is not None:
        net = msgspec.structs.replace(net, heap=build.limits.memory)
    if jvm is not None:
        jvm = msgspec.structs.replace(jvm, heap=build.limits.memory)
    return _identified(build, paths=paths, net=net, jvm=jvm)


def working_directory(folder: Path) -> str:
    """Return where a Workflow's hosts run.

    The original mounted every Workflow as ``mnt`` below the working directory, and user code opens ``mnt/Files/…``; so
    a folder of that name is looked at from above, and any other from inside.
    """
    return str(folder.parent if folder.name == "mnt" else folder)
