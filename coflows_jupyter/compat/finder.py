"""Makes the original's modules importable, where no real ones are."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

_PARTS = {
    "clr": "coflows_jupyter.compat.clr",
    "System": "coflows_jupyter.compat.system",
    "QuantApp": "",
    "QuantApp.Kernel": "coflows_jupyter.compat.kernel",
    "QuantApp.Engine": "coflows_jupyter.compat.engine",
}
_CLR = frozenset({"clr", "System"})
"""What the real thing brings along where it is loaded."""


class _Loader(importlib.abc.Loader):
    """Fills a module with the public names of one of ours."""

    def exec_module(self, module: ModuleType) -> None:
        from coflows_jupyter.compat.surface import unknown

        name = module.__name__
        source = importlib.import_module(_PARTS[name]) if _PARTS[name] else module
        names = getattr(source, "__all__", ("Engine", "Kernel"))
        instead = getattr(source, "INSTEAD", {})

        def missing(attribute: str) -> Any:
            if attribute.startswith("_"):
                raise AttributeError(attribute)
            raise unknown(name, attribute, names, instead)

        module.__dict__.update({public: getattr(source, public) for public in names if source is not module})
        module.__doc__ = source.__doc__
        module.__getattr__ = missing  # type: ignore[method-assign]


class Finder(importlib.abc.MetaPathFinder):
    """Answers for the original's modules, before pythonnet would start Mono for them."""

    def find_spec(
        self,
        fullname: str,
        path: Any = None,  # noqa: ARG002  (importlib's signature)
        target: ModuleType | None = None,  # noqa: ARG002  (likewise)
    ) -> importlib.machinery.ModuleSpec | None:
        """Return how to load one of the original's modules, ``None`` for any other.

        Raises:
            ModuleNotFoundError: it is below one of the original's and not answered.
        """
        top = fullname.partition(".")[0]
        if top not in _PARTS or (top in _CLR and _is_real(sys.modules.get("clr"))):
            return None
        if fullname == "clr" and _is_somebodys():
            return None
        if fullname not in _PARTS:
            message = f"{fullname} is not answered here; docs/compatibility.md lists what of the original there is"
            raise ModuleNotFoundError(message, name=fullname)
        return importlib.machinery.ModuleSpec(fullname, _Loader(), is_package=fullname != "clr")


def _is_real(module: ModuleType | None) -> bool:
    return module is not None and not isinstance(getattr(module, "__loader__", None), _Loader)


def _is_somebodys() -> bool:
    """Whether there is a ``clr`` to import that is not pythonnet's: its own would start Mono, unless .NET runs."""
    spec = importlib.machinery.PathFinder.find_spec("clr")
    return spec is not None and not (spec.origin and Path(spec.origin).with_name("pythonnet").is_dir())


def install() -> Finder:
    """Make the original's modules importable in this process until ``remove``."""
    finder = Finder()
    sys.meta_path.insert(0, finder)
    return finder


def remove(finder: Finder) -> None:
    """Take back an ``install``; after the last one the modules are gone, and databases that they opened are closed."""
    sys.meta_path.remove(finder)
    if any(isinstance(other, Finder) for other in sys.meta_path):
        return
    for name in _PARTS:
        if name in sys.modules and not _is_real(sys.modules[name]):
            del sys.modules[name]
    people = sys.modules.get("coflows_jupyter.compat.people")
    if people is not None:
        people.forget()
