"""Brings what a Workflow depends on to this computer, and compiles what has to be."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from coflows_jupyter.build.assemble import Assembled
from coflows_jupyter.build.compile import compile_units, compiled_units
from coflows_jupyter.build.dependencies.pips import Pips, ready
from coflows_jupyter.build.model import Build, with_paths
from coflows_jupyter.errors import Diagnostic


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
    """Prepares the Builds of one Workflow, one at a time."""

    def __init__(self) -> None:
        self._pips = Pips()

    def prepare(self, assembled: Assembled, tell: Callable[[str], None]) -> Prepared:
        """Install and compile what is missing; it may take minutes, and next to no time when nothing changed.

        Args:
            assembled: the Workflow.
            tell: told what is being done, from this thread.

        Raises:
            BuildError: something can't be installed.
            NotReadyError: ``close`` was called meanwhile.
        """
        paths = self._pips.provide(assembled.package, lambda: tell("installing pips"))
        compiled = compile_units(assembled.build.units, on_compile=lambda: tell("compiling"))
        return Prepared(with_paths(assembled.build, paths, compiled.net), compiled.diagnostics, compiled.complete)

    def close(self) -> None:
        """Stop what is being installed."""
        self._pips.close()


def prepared(assembled: Assembled) -> Build | None:
    """Return the Build of a Workflow for which nothing has to be installed or compiled, ``None`` when something does.

    Raises:
        BuildError: a dependency can't be read.
    """
    paths, compiled = ready(assembled.package), compiled_units(assembled.build.units)
    return None if paths is None or compiled is None else with_paths(assembled.build, paths, compiled.net)
