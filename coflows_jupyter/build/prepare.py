"""Brings what a Workflow depends on to this computer, and compiles what has to be."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from coflows_jupyter.build.assemble import Assembled
from coflows_jupyter.build.compile import without_compiling
from coflows_jupyter.build.dependencies import nugets, pips
from coflows_jupyter.build.dependencies.bins import bins
from coflows_jupyter.build.dotnet import compile_dotnet
from coflows_jupyter.build.jvm import compile_jvm
from coflows_jupyter.build.model import Build, with_paths
from coflows_jupyter.config import Config
from coflows_jupyter.errors import BuildError, Diagnostic
from coflows_jupyter.runtimes.netmodel import Packages
from coflows_jupyter.workflow.package import Package


class Prepared(NamedTuple):
    """A Build that hosts can load.

    Args:
        build: with all that its sources depend on.
        diagnostics: every finding about that.
        complete: whether everything compiled for which there is a compiler.
    """

    build: Build
    diagnostics: tuple[Diagnostic, ...]
    complete: bool


class Preparer:
    """Prepares the Builds of one Workflow, one at a time.

    Args:
        config: says where NuGets come from.
    """

    def __init__(self, config: Config) -> None:
        self._pips = pips.Pips()
        self._nugets = nugets.NuGets(lambda: nugets.sources(config))

    def prepare(self, assembled: Assembled, tell: Callable[[str], None]) -> Prepared:
        """Install and compile what is missing; it may take minutes, and next to no time when nothing changed.

        Where libraries for .NET can't be had, only the sources for .NET are left out.

        Args:
            assembled: the Workflow.
            tell: told what is being done, from this thread.

        Raises:
            BuildError: Pips can't be installed.
            NotReadyError: ``close`` was called meanwhile.
        """
        paths = self._pips.provide(assembled.package, lambda: tell("installing pips"))
        units = assembled.build.units
        jvm = compile_jvm(units, on_compile=lambda: tell("compiling Java"))
        build = with_paths(assembled.build, paths, jvm=jvm.made)
        try:
            packages, said = self._packages(assembled.package, tell)
        except BuildError as error:
            complete = jvm.complete and all(d.code == nugets.NO_DOTNET for d in error.diagnostics)
            return Prepared(build, (*jvm.diagnostics, *error.diagnostics), complete)
        net = compile_dotnet(units, packages, on_compile=lambda: tell("compiling"))
        build = with_paths(assembled.build, paths, net.made, jvm.made)
        return Prepared(build, (*said, *net.diagnostics, *jvm.diagnostics), net.complete and jvm.complete)

    def _packages(self, package: Package, tell: Callable[[str], None]) -> tuple[Packages, tuple[Diagnostic, ...]]:
        provided = self._nugets.provide(package, tell)
        return provided.packages.joined(bins(package)), provided.diagnostics(package)

    def close(self) -> None:
        """Stop what is being installed."""
        self._pips.close()
        self._nugets.close()


def prepared(assembled: Assembled) -> Build | None:
    """Return the Build of a Workflow for which nothing has to be installed or compiled, ``None`` when something does.

    Raises:
        BuildError: a dependency can't be read.
    """
    paths, provided, units = pips.ready(assembled.package), nugets.ready(assembled.package), assembled.build.units
    if paths is None or provided is None or provided.remarks:
        return None
    packages = provided.packages.joined(bins(assembled.package))
    net = without_compiling(lambda on_compile: compile_dotnet(units, packages, on_compile))
    jvm = without_compiling(lambda on_compile: compile_jvm(units, on_compile=on_compile))
    return None if net is None or jvm is None else with_paths(assembled.build, paths, net.made, jvm.made)
