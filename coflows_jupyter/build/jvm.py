"""Compiles a Workflow's Java sources into folders of classes, each of which is kept as long as it is wanted."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from coflows_jupyter.build.artefacts import Artefacts, artefact_folder, file_keys
from coflows_jupyter.build.compile import Compiled, compile_all, in_order, missing_package, unavailable
from coflows_jupyter.build.compilers import java
from coflows_jupyter.build.compilers.requests import Request, Source, diagnostic
from coflows_jupyter.errors import BuildError, Diagnostic
from coflows_jupyter.runtimes import jdk
from coflows_jupyter.runtimes.jdk import HOW_TO_INSTALL, Jdk
from coflows_jupyter.runtimes.jvmmodel import Jvm
from coflows_jupyter.runtimes.library import Library
from coflows_jupyter.workflow.sources import JVM, SourceUnit

_AT_ONCE = 2


def compile_jvm(
    units: Iterable[SourceUnit], jars: tuple[str, ...] = (), on_compile: Callable[[], None] = lambda: None
) -> Compiled[Jvm]:
    """Compile what is for the JVM; it takes no compiler and next to no time when nothing changed.

    Args:
        units: of a Workflow, in package.json's order.
        jars: libraries of others that they may use.
        on_compile: called before something is compiled.
    """
    ours = [unit for unit in units if unit.language in JVM]
    if not ours:
        return Compiled()
    found = _usable()
    if isinstance(found, str):
        return Compiled(None, tuple(_missing(unit, found) for unit in ours))
    return _Job(found, jars, on_compile).run(ours)


def _usable() -> Jdk | str:
    """Return the JDK to use, or why there is none."""
    found = jdk.here()
    return found if isinstance(found, str) else missing_package("jpype", "JPype1", "jvm") or found


def _missing(unit: SourceUnit, problem: str) -> Diagnostic:
    return unavailable(unit, JVM[unit.language], "no-jdk", problem, HOW_TO_INSTALL)


class _Job:
    """One compilation of a Workflow."""

    def __init__(self, found: Jdk, jars: tuple[str, ...], on_compile: Callable[[], None]) -> None:
        self._jdk = found
        self._jars = jars
        self._artefacts = Artefacts(artefact_folder("jvm"), on_compile)
        self._builder = java.builder(found, self._artefacts.folder)
        self._diagnostics: list[Diagnostic] = []

    def run(self, units: Sequence[SourceUnit]) -> Compiled[Jvm]:
        try:
            bridge = java.bridge(self._jdk, self._artefacts)
            libraries = compile_all(units, "package", JVM, functools.partial(self._classes, bridge), _AT_ONCE)
        except BuildError as error:
            found = Diagnostic(units[0].path, 0, 0, "error", "compiler", error.message, error.hint)
            return Compiled(None, (found,), complete=False)
        complete = not any(d.severity == "error" for d in self._diagnostics)
        jvm = Jvm(self._jdk, bridge, libraries, self._jars)
        return Compiled(jvm, in_order(self._diagnostics, units), complete)

    def _classes(self, bridge: str, units: Sequence[SourceUnit], base: Sequence[Library]) -> Library | None:
        first = units[0]
        sources = tuple(Source(unit.path, unit.text) for unit in units)
        references = (*(one.path for one in base), bridge, *self._jars)
        content = (first.language, sources, self._jdk, *references, *file_keys(self._jars))
        request = Request(first.language, Path(first.path).stem, "", sources, references)
        folder, findings = self._artefacts.get(
            content, lambda made, _: self._builder.compile(msgspec.structs.replace(request, output=str(made)))
        )
        self._diagnostics += (diagnostic(finding, first.path) for finding in findings)
        return None if folder is None else Library(str(folder), first.kind, tuple(unit.path for unit in units))
