"""The Python runtime: loads a Build's units by ordinary imports and finds their public functions.

A host holds one Build for its whole life, so nothing is ever reloaded here. Files of the Build are imported from the
text that the Build holds, with ``$WID$`` substituted, and not from the disk: a save between two imports can't mix
two versions.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from coflows_jupyter.errors import Diagnostic
from coflows_jupyter.runtimes.agent import Agent, declared
from coflows_jupyter.runtimes.protocol import Function
from coflows_jupyter.runtimes.signature import describe
from coflows_jupyter.workflow.sources import SourceUnit

_PACKAGE = str(Path(__file__).resolve().parent.parent) + os.sep


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module from the text that counts, where there is one; writes no byte code into the user's folder."""

    text_of: Callable[[str], str | None]

    def get_data(self, path: str) -> bytes:
        text = self.text_of(path)
        return super().get_data(path) if text is None else text.encode()

    def get_code(self, fullname: str) -> CodeType | None:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class WorkflowFinder(importlib.abc.MetaPathFinder):
    """Finds modules in the Workflow's folder for both import styles: ``Base.x`` and ``x``.

    Args:
        folder: the Workflow's.
        text_of: gives the source that counts for a file, ``None`` for what is on disk.
    """

    def __init__(self, folder: Path, text_of: Callable[[str], str | None]) -> None:
        self.roots = [str(folder), str(folder / "Base")]
        self._loader = type("WorkflowLoader", (_Loader,), {"text_of": staticmethod(text_of)})
        self._finders: dict[str, importlib.machinery.FileFinder] = {}

    def install(self) -> None:
        """Look here ahead of site-packages, as for any script's own folder, behind built-in and frozen modules."""
        sys.meta_path.insert(_path_finder(), self)

    def find_spec(
        self,
        fullname: str,
        path: Any = None,
        target: ModuleType | None = None,  # noqa: ARG002  (importlib's signature)
    ) -> importlib.machinery.ModuleSpec | None:
        """Find a module below the roots; importlib calls this."""
        for root in self.roots if path is None else [p for p in path if self._inside(p)]:
            finder = self._finders.get(root)
            if finder is None:
                extensions = (importlib.machinery.ExtensionFileLoader, importlib.machinery.EXTENSION_SUFFIXES)
                finder = importlib.machinery.FileFinder(root, extensions, (self._loader, [".py"]))
                self._finders[root] = finder
            spec = finder.find_spec(fullname)
            if spec is not None and (spec.loader is not None or self._is_ours(fullname, path)):
                return spec
        return None

    def _is_ours(self, fullname: str, path: Any) -> bool:
        """Whether a folder without ``__init__.py`` is the package that is meant.

        As everywhere in Python, a real package of that name elsewhere wins, but not over our own folders.
        """
        if fullname in _FOLDERS:
            return True
        return importlib.machinery.PathFinder.find_spec(fullname, path) is None

    def _inside(self, path: str) -> bool:
        return any(path == root or path.startswith(root + os.sep) for root in self.roots)

    def load_file(self, name: str, path: str) -> ModuleType:
        """Import the file at ``path`` under ``name``, or return the module that has it already."""
        module = sys.modules.get(name)
        if module is None:
            spec = importlib.util.spec_from_file_location(name, path, loader=self._loader(name, path))
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules[name] = module
            try:
                spec.loader.exec_module(module)
            except BaseException:
                sys.modules.pop(name, None)  # another host of this process may be quicker
                raise
        return module


_FOLDERS = {"Base", "Agents", "Queries", "Files"}


class PythonRuntime:
    """Loads Python units of one Build.

    Args:
        folder: the Workflow's folder, where both import styles start.
        units: all units of the Build; files that it holds are imported from its texts.
        paths: directories of the Workflow's dependencies, which come before everything but its own folder.
    """

    def __init__(self, folder: Path, units: Iterable[SourceUnit], paths: Iterable[str] = ()) -> None:
        self._folder = folder
        self._finder = WorkflowFinder(folder, {u.path: u.text for u in units}.get)
        self._finder.install()
        # The roots are there for processes that user code starts.
        self._paths = [*self._finder.roots, *paths]
        sys.path[:0] = self._paths

    def close(self) -> None:
        """Take the Workflow's folder off the import path, and its modules out of this process."""
        sys.meta_path.remove(self._finder)
        for path in self._paths:
            sys.path.remove(path)
        inside = tuple(path + os.sep for path in (str(self._folder), *self._paths))
        for name, module in sys.modules.copy().items():  # at once: other threads import
            if (getattr(module, "__file__", None) or "").startswith(inside):
                sys.modules.pop(name, None)  # another host of this process may be quicker

    def compile(self, unit: SourceUnit) -> tuple[Diagnostic, ...]:
        """Check a unit's syntax without running it."""
        try:
            compile(unit.text, unit.path, "exec", dont_inherit=True)
        except SyntaxError as error:
            return (_syntax_diagnostic(unit, error),)
        except ValueError as error:  # a null byte
            return (Diagnostic(unit.path, 1, 0, "error", "syntax", str(error)),)
        return ()

    def load(self, unit: SourceUnit) -> tuple[dict[str, Function], tuple[Diagnostic, ...]]:
        """Import a unit and return its public functions by name, or why it can't be imported."""
        module = self._import(unit)
        if isinstance(module, Diagnostic):
            return {}, (module,)
        return {name: Function(describe(f, name), f) for name, f in public_functions(module).items()}, ()

    def load_agents(self, unit: SourceUnit) -> tuple[list[Agent], tuple[Diagnostic, ...]]:
        """Import a unit and return the Agents that it declares, or why there are none."""
        module = self._import(unit)
        if isinstance(module, Diagnostic):
            return [], (module,)
        try:
            agents = declared(module, unit.exe)
        except Exception as error:  # noqa: BLE001 - whatever the user's code raises
            return [], (self._diagnostic(unit, error, "agent"),)
        if not agents:
            hint = f"declare one with @agent, or write a function {unit.exe} that returns it"
            return [], (Diagnostic(unit.path, 0, 0, "warning", "agent", "the file declares no Agent", hint),)
        return agents, ()

    def _import(self, unit: SourceUnit) -> ModuleType | Diagnostic:
        try:
            return self._finder.load_file(self._module_name(unit), unit.path)
        except SyntaxError as error:
            return _syntax_diagnostic(unit, error)
        except BaseException as error:
            if isinstance(error, MemoryError):
                raise
            return self._diagnostic(unit, error, "import")

    def _module_name(self, unit: SourceUnit) -> str:
        path = Path(unit.path)
        parts = path.relative_to(self._folder).parts if path.is_relative_to(self._folder) else (path.name,)
        return ".".join(part.removesuffix(".py").replace(".", "_") for part in parts)

    def _diagnostic(self, unit: SourceUnit, error: BaseException, code: str) -> Diagnostic:
        """Point at the deepest line of the Workflow's own code, which may be in a Base file."""
        root = str(self._folder) + os.sep
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(root)]
        place = frames[-1] if frames else None
        hint = ""
        if isinstance(error, ModuleNotFoundError) and error.name:
            hint = f"add {error.name.partition('.')[0]!r} to Pips in package.json, or correct the import"
        if place is not None and place.filename != unit.path:
            hint = ", ".join(filter(None, [hint, f"imported by {Path(unit.path).relative_to(self._folder)}"]))
        return Diagnostic(
            place.filename if place else unit.path,
            (place.lineno or 0) if place else 0,
            ((place.colno or 0) + 1) if place else 0,
            "error",
            code,
            exception_line(error),
            hint,
        )


def public_functions(module: ModuleType) -> dict[str, Callable[..., Any]]:
    """Return the functions that a module defines itself and that do not begin with ``_``, in source order."""
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_")
        and getattr(value, "__module__", None) == module.__name__
        and (inspect.isroutine(value) or hasattr(value, "__wrapped__"))
    }


def third_party_modules(folder: str) -> tuple[str, ...]:
    """Return the names of all modules in this process that are not of the Workflow in ``folder``, in import order."""
    root = folder + os.sep
    return tuple(
        name
        for name, module in list(sys.modules.items())
        if not name.startswith(("_", "coflows_jupyter"))
        and not (getattr(module, "__file__", None) or root).startswith(root)
    )


def exception_line(error: BaseException) -> str:
    """Return an exception as one line: ``ZeroDivisionError: division by zero``."""
    return "".join(traceback.format_exception_only(error)).strip().rpartition("\n")[2]


def user_traceback(error: BaseException) -> str:
    """Format an exception's traceback without the frames of this package around the user's."""
    tb = error.__traceback__
    while tb is not None and tb.tb_frame.f_code.co_filename.startswith(_PACKAGE):
        tb = tb.tb_next
    return "".join(traceback.format_exception(type(error), error, tb))


def _path_finder() -> int:
    for index, finder in enumerate(sys.meta_path):
        if finder is importlib.machinery.PathFinder:
            return index
    return len(sys.meta_path)


def _syntax_diagnostic(unit: SourceUnit, error: SyntaxError) -> Diagnostic:
    text = (error.text or "").rstrip()
    return Diagnostic(
        error.filename or unit.path,
        error.lineno or 1,
        error.offset or 0,
        "error",
        "syntax",
        error.msg,
        f"the line reads: {text.strip()[:120]}" if text else "",
    )
