"""Compiles a Workflow's C#, F# and VB sources into libraries, each of which is kept as long as it is wanted."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from coflows_jupyter.build.artefacts import Artefacts, artefact_folder, file_keys
from coflows_jupyter.build.compile import Compiled, compile_all, in_order, missing_package, unavailable
from coflows_jupyter.build.compilers.builder import Builder
from coflows_jupyter.build.compilers.dotnet import builder
from coflows_jupyter.build.compilers.requests import Finding, Reply, Request, Source, diagnostic
from coflows_jupyter.errors import BuildError, Diagnostic
from coflows_jupyter.runtimes import dotnet
from coflows_jupyter.runtimes.dotnet import Dotnet, how_to_install
from coflows_jupyter.runtimes.library import Library
from coflows_jupyter.runtimes.netmodel import Net, Packages
from coflows_jupyter.workflow.sources import COMPILED, SourceUnit

_NAMES = {"csharp": "C#", "vb": "Visual Basic", "fsharp": "F#"}
_AT_ONCE = 4
_BRIDGE = Path(dotnet.__file__).with_name("bridge")


def compile_dotnet(
    units: Iterable[SourceUnit],
    packages: Packages | None = None,
    on_compile: Callable[[], None] = lambda: None,
) -> Compiled[Net]:
    """Compile what is for .NET; it takes no compiler and next to no time when nothing changed.

    Args:
        units: of a Workflow, in package.json's order.
        packages: libraries of others that they may use.
        on_compile: called before something is compiled.
    """
    ours = [unit for unit in units if unit.language in COMPILED]
    if not ours and not (packages and packages.managed):
        return Compiled()
    found = _usable()
    if isinstance(found, str):
        return Compiled(None, tuple(_missing(unit, found) for unit in ours))
    return _Job(found, packages or Packages(), on_compile).run(ours)


def compile_own(name: str, folder: Path, references: Callable[[Dotnet], Sequence[str]]) -> tuple[Net, str]:
    """Compile a library of ours that is no part of the bridge; return what starts .NET, and its path.

    Args:
        name: of the library.
        folder: has its sources in C#.
        references: gives libraries that it uses beside the framework and Python's.

    Raises:
        BuildError: there is no .NET, or it does not compile with the one that there is.
    """
    found = _usable()
    if isinstance(found, str):
        raise BuildError(found, hint="" if "pip install" in found else how_to_install())
    job = _Job(found, Packages(), lambda: None)
    return Net(found, job.bridge()), job.own(name, folder, references(found))


def _usable() -> Dotnet | str:
    """Return the .NET to use, or why there is none."""
    found = dotnet.here()
    return found if isinstance(found, str) else missing_package("pythonnet", "pythonnet", "clr") or found


def _missing(unit: SourceUnit, problem: str) -> Diagnostic:
    return unavailable(unit, _NAMES[unit.language], "no-dotnet", problem, how_to_install())


class _Job:
    """One compilation of a Workflow."""

    def __init__(self, found: Dotnet, packages: Packages, on_compile: Callable[[], None]) -> None:
        self._dotnet = found
        self._packages = packages
        self._artefacts = Artefacts(artefact_folder("dotnet"), on_compile)
        self._builder: Builder = builder(found, self._artefacts.folder)
        self._framework = found.references
        self._known = frozenset(self._framework)
        self._diagnostics: list[Diagnostic] = []
        self._pipes = ""

    def run(self, units: Sequence[SourceUnit]) -> Compiled[Net]:
        try:
            bridge = self.bridge()
            if any(unit.language == "fsharp" for unit in units):
                self._pipes = self._for_fsharp(bridge)
            make = functools.partial(self._library, bridge)
            libraries = compile_all(units, "namespace", COMPILED, make, _AT_ONCE)
        except BuildError as error:
            about = units[0].path if units else self._dotnet.sdk
            found = Diagnostic(about, 0, 0, "error", "compiler", error.message, error.hint)
            return Compiled(None, (found,), complete=False)
        complete = not any(d.severity == "error" for d in self._diagnostics)
        managed = self._packages.managed
        if any(unit.language == "fsharp" for unit in units):
            managed = (self._fsharp, *(path for path in managed if Path(path).name != "FSharp.Core.dll"))
            if self._pipes:
                managed = (*managed, self._pipes)
        packages = msgspec.structs.replace(self._packages, managed=managed)
        net = Net(self._dotnet, bridge, libraries, packages)
        return Compiled(net, in_order(self._diagnostics, units), complete)

    @property
    def _fsharp(self) -> str:
        """F#'s own library: the SDK's, for two of them would have two kinds of lists and options."""
        return str(Path(self._dotnet.sdk, "FSharp", "FSharp.Core.dll"))

    def bridge(self) -> str:
        """Return the path of the bridge."""
        return self.own("CoFlows.Host", _BRIDGE)

    def own(self, name: str, folder: Path, others: Sequence[str] = ()) -> str:
        """Return the path of a library of ours."""
        sources = tuple(Source(path.name, path.read_text("utf-8")) for path in sorted(folder.glob("*.cs")))
        references = (*self._framework, python_runtime(), *others)
        path, findings = self._compile("csharp", name, sources, references, named=True)
        if path is None:
            raise BuildError(f"{name} does not compile with {self._dotnet.sdk}: {findings[0].message}")
        return path

    def _for_fsharp(self, bridge: str) -> str:
        """Return the library with what only F# has of the original's names."""
        file = _BRIDGE / "Engine.fs"
        sources = (Source(file.name, file.read_text("utf-8")),)
        references = (*self._framework, self._fsharp, bridge)
        path, findings = self._compile("fsharp", "CoFlows.FSharp", sources, references, named=True)
        if path is None:
            raise BuildError(f"the bridge does not compile with {self._dotnet.sdk}: {findings[0].message}")
        return path

    def _library(self, bridge: str, units: Sequence[SourceUnit], base: Sequence[Library]) -> Library | None:
        first = units[0]
        references = [*self._framework, *self._packages.references, bridge, python_runtime()]
        references += (library.path for library in base)
        if first.language == "fsharp" or any(Path(p).suffix == ".fs" for one in base for p in one.sources):
            references = [path for path in references if Path(path).name != "FSharp.Core.dll"]
            references.append(self._fsharp)
        if first.language == "fsharp":
            references.append(self._pipes)
        sources = tuple(Source(unit.path, unit.text) for unit in units)
        name = Path(first.path).stem if len(units) == 1 else f"Base.{first.language}"
        path, findings = self._compile(first.language, name, sources, references)
        self._diagnostics += (diagnostic(finding, first.path) for finding in findings)
        return None if path is None else Library(path, first.kind, tuple(unit.path for unit in units))

    def _compile(
        self,
        language: str,
        name: str,
        sources: tuple[Source, ...],
        references: Sequence[str],
        *,
        named: bool = False,
    ) -> tuple[str | None, tuple[Finding, ...]]:
        """Return the path of a library, compiled now or before, and what its compiler said.

        Its own name is made unique by what is in it, so that one process can hold two of them, unless it is ``named``.
        """
        others = [path for path in references if path not in self._known]  # of those the version says enough
        content = (language, name, sources, self._dotnet, *file_keys(others))

        def library(folder: Path, key: str) -> Path:
            return folder / (f"{name}.dll" if named else f"{name}-{key[:12]}.dll")

        def make(folder: Path, key: str) -> Reply:
            path = library(folder, key)
            return self._builder.compile(Request(language, path.stem, str(path), sources, tuple(references)))

        folder, findings = self._artefacts.get(content, make)
        return None if folder is None else str(library(folder, folder.name)), findings


def python_runtime() -> str:
    """Return the library by which sources of .NET use Python."""
    import importlib.util

    spec = importlib.util.find_spec("pythonnet")
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).parent / "runtime" / "Python.Runtime.dll")
