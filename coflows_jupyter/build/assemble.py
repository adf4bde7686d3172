"""From the files on disk to a Build."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from coflows_jupyter.build.model import Build, Limits, make_build
from coflows_jupyter.errors import Diagnostic
from coflows_jupyter.workflow.listing import update_package
from coflows_jupyter.workflow.package import Package
from coflows_jupyter.workflow.sources import read_sources


@dataclass(frozen=True)
class Assembled:
    """A Workflow as it was on disk at one moment."""

    package: Package
    build: Build
    diagnostics: tuple[Diagnostic, ...]


def assemble(package_file: Path) -> Assembled:
    """Read package.json and every source it names; new files are listed in package.json on the way.

    Args:
        package_file: absolute path of package.json.

    Raises:
        PackageError: package.json can't be used.
    """
    package = update_package(package_file)
    units, found = read_sources(package)
    limit = package.resources.limit
    limits = Limits(limit.cpu or 0, limit.mem or 0)
    build = make_build(package.id, package.name, str(package.folder), units, limits)
    return Assembled(package, build, (*package.diagnostics, *found))
