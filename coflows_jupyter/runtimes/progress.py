"""How far a call is, as user code says it: by ``progress`` or, unchanged, by tqdm."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from coflows_jupyter.runtimes.capture import watch
from coflows_jupyter.runtimes.context import CallContext, current

_TQDM = "tqdm.std"


class Latest:
    """The latest progress of one call, passed on a few times a second at most.

    ``report`` runs inside user code, which an interrupt may end at any bytecode, so it takes no lock and sends nothing.

    Args:
        emit: takes how much is done, how much there is, and what is being done; it may block.
    """

    def __init__(self, emit: Callable[[float, float, str], None]) -> None:
        self._emit = emit
        self._latest: tuple[float, float, str] | None = None

    def report(self, done: float, total: float, text: str) -> None:
        """Take how far the call is."""
        self._latest = done, total, text
        watch(self)

    def flush(self) -> None:
        """Pass the latest on, if it is new; must not run inside user code."""
        latest, self._latest = self._latest, None
        if latest is not None:
            self._emit(*latest)


def progress(done: float, total: float = 0, text: str = "") -> None:
    """Say how far the current call is; outside of a call nothing happens.

    Args:
        done: finished units of whatever you count.
        total: all units; 0 when nobody knows.
        text: what is being done.
    """
    call = current()
    if call is not None:
        call.progress(float(done), float(total), str(text))


def install() -> None:
    """Let the bars of tqdm, whenever that is imported, be the progress of the call that they belong to."""
    if _TQDM in sys.modules:
        _adapt(sys.modules[_TQDM])
    elif not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(importlib.abc.MetaPathFinder):
    """Waits for tqdm: importing it ahead of time would cost those who don't use it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != _TQDM:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                load(module)
                _adapt(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]  # of this one loader
        return spec


class _Nowhere:
    """Where a bar draws itself when there is nothing to see it on."""

    def write(self, _text: str) -> None:
        """Forget it."""

    def flush(self) -> None:
        """Do nothing."""


def _adapt(module: ModuleType) -> None:
    """Change tqdm's bar, of which all its others are subclasses."""
    bar: Any = module.tqdm
    if getattr(bar, "_coflows", False):
        return
    make, display = bar.__init__, bar.display

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        call = current()
        if call is not None and kwargs.get("file") is None:
            kwargs["file"] = _Nowhere()
            self._coflows_call = call
        make(self, *args, **kwargs)

    def show(self: Any, *args: Any, **kwargs: Any) -> Any:
        call: CallContext | None = getattr(self, "_coflows_call", None)
        if call is None:
            return display(self, *args, **kwargs)
        # An inner bar would jump to and fro where only one can be seen.
        if call.bar is None or call.bar.disable:
            call.bar = self
        if call.bar is self:
            call.progress(float(self.n), float(self.total or 0), (self.desc or "").removesuffix(": "))
        return True

    bar.__init__, bar.display, bar._coflows = init, show, True  # noqa: SLF001 - our own mark
