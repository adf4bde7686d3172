"""Compiles a Workflow's Java sources into folders of classes, each of which is kept as long as it is wanted.

The original's order: Base first, whose files with a ``package`` are grouped into consecutive runs of one language, each
of which may use the earlier ones, and then those without. Every Query and every Agent is compiled on its own, and may
use all of Base. What does not compile takes with it what uses it, and nothing else.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from coflows_jupyter.build.artefacts import Artefacts, artefact_folder, file_keys
from coflows_jupyter.build.compilers import java
from coflows_jupyter.build.compilers.requests import Request, Source, diagnostic
from coflows_jupyter.errors import BuildError, Diagnostic
from coflows_jupyter.runtimes import jdk
from coflows_jupyter.runtimes.jdk import HOW_TO_INSTALL, Jdk
from coflows_jupyter.runtimes.jvmmodel import Classes, Jvm
from coflows_jupyter.workflow.sources import JVM, SourceUnit

_AT_ONCE = 2


class CompiledJvm(msgspec.Struct, frozen=True):
    """What came of a Workflow's sources for the JVM.

    Args:
        jvm: what a host needs; ``None`` when there is no such source, or nothing to run it with.
        diagnostics: every finding.
        complete: whether everything compiled for which there is a compiler.
    """

    jvm: Jvm | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    complete: bool = True


class _Missing(Exception):
    """Classes are not in the cache, and nothing may be compiled."""


def compile_jvm(
    units: Iterable[SourceUnit], jars: tuple[str, ...] = (), on_compile: Callable[[], None] = lambda: None
) -> CompiledJvm:
    """Compile what is for the JVM; it takes no compiler and next to no time when nothing changed.

    Args:
        units: of a Workflow, in package.json's order.
        jars: libraries of others that they may use.
        on_compile: called before something is compiled.
    """
    ours = [unit for unit in units if unit.language in JVM]
    if not ours:
        return CompiledJvm()
    found = _usable()
    if isinstance(found, str):
        return CompiledJvm(None, tuple(_unavailable(unit, found) for unit in ours))
    return _Job(found, jars, on_compile).run(ours)


def compiled_jvm(units: Iterable[SourceUnit], jars: tuple[str, ...] = ()) -> CompiledJvm | None:
    """Return what ``compile_jvm`` would without compiling anything, ``None`` when something is not in the cache."""

    def refuse() -> None:
        raise _Missing

    try:
        return compile_jvm(units, jars, refuse)
    except _Missing:
        return None


def _usable() -> Jdk | str:
    """Return the JDK to use, or why there is none."""
    import importlib.util

    found = jdk.here()
    if isinstance(found, Jdk) and importlib.util.find_spec("jpype") is None:
        return "the Python package JPype1 is missing: pip install 'coflows_jupyter[jvm]'"
    return found


def _unavailable(unit: SourceUnit, problem: str) -> Diagnostic:
    hint = "" if "pip install" in problem else HOW_TO_INSTALL
    return Diagnostic(unit.path, 0, 0, "error", "no-jdk", f"{JVM[unit.language]} can't be used: {problem}", hint)


class _Job:
    """One compilation of a Workflow."""

    def __init__(self, found: Jdk, jars: tuple[str, ...], on_compile: Callable[[], None]) -> None:
        self._jdk = found
        self._jars = jars
        self._artefacts = Artefacts(artefact_folder("jvm"), on_compile)
        self._builder = java.builder(found, self._artefacts.folder)
        self._diagnostics: list[Diagnostic] = []

    def run(self, units: Sequence[SourceUnit]) -> CompiledJvm:
        try:
            bridge = java.bridge(self._jdk, self._artefacts)
            base: list[Classes] = []
            for group in _groups([unit for unit in units if unit.kind == "base"]):
                if (classes := self._classes(group, bridge, base)) is not None:
                    base.append(classes)
            others = [unit for unit in units if unit.kind != "base"]
            with ThreadPoolExecutor(_AT_ONCE) as threads:
                made = list(threads.map(lambda unit: self._classes([unit], bridge, base), others))
        except BuildError as error:
            found = Diagnostic(units[0].path, 0, 0, "error", "compiler", error.message, error.hint)
            return CompiledJvm(None, (found,), complete=False)
        compiled = (*base, *(one for one in made if one is not None))
        order = {unit.path: place for place, unit in enumerate(units)}
        diagnostics = sorted(self._diagnostics, key=lambda d: (order.get(d.file, 0), d.line, d.column))
        complete = not any(d.severity == "error" for d in diagnostics)
        return CompiledJvm(Jvm(self._jdk, bridge, compiled, self._jars), tuple(diagnostics), complete)

    def _classes(self, units: Sequence[SourceUnit], bridge: str, base: Sequence[Classes]) -> Classes | None:
        first = units[0]
        sources = tuple(Source(unit.path, unit.text) for unit in units)
        references = (*(one.path for one in base), bridge, *self._jars)
        content = (first.language, sources, self._jdk, *references, *file_keys(self._jars))
        request = Request(first.language, Path(first.path).stem, "", sources, references)
        folder, findings = self._artefacts.get(
            content, lambda made, _: self._builder.compile(msgspec.structs.replace(request, output=str(made)))
        )
        self._diagnostics += (diagnostic(finding, first.path) for finding in findings)
        return None if folder is None else Classes(str(folder), first.kind, tuple(unit.path for unit in units))


def _groups(units: Sequence[SourceUnit]) -> list[list[SourceUnit]]:
    """Return which files of Base are compiled together, in the original's order."""
    packaged = [unit for unit in units if "package" in unit.text.lower()]
    groups = [list(group) for _, group in itertools.groupby(packaged, key=lambda unit: unit.language)]
    others = ([unit for unit in units if unit.language == language and unit not in packaged] for language in JVM)
    return groups + [other for other in others if other]
