"""What the names of the original have in common here: one that is not answered says so in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Generic, Self, TypeVar

from coflows_jupyter.errors import nearest

T = TypeVar("T")

GUIDE = "docs/compatibility.md"


def unknown(owner: str, name: str, known: Iterable[str], instead: Mapping[str, str]) -> AttributeError:
    """Return the error for a name that is not answered.

    Args:
        owner: whose name it is.
        name: the name.
        known: names that are answered.
        instead: for names of the original that are not answered, what to use.
    """
    if name in instead:
        message = f"{owner}.{name} is not answered here: {instead[name]} ({GUIDE})"
    else:
        near = nearest(name, (other for other in known if not other.startswith("_")))
        hint = f"; did you mean {near}?" if near else f"; {GUIDE} lists what of the original there is"
        message = f"{owner} has no {name} here{hint}"
    # With a name of its own the interpreter does not add a second guess.
    return AttributeError(message, name=name, obj=None)


class Named(type):
    """Makes a class say in a sentence what it has not."""

    _instead: Mapping[str, str]

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise unknown(cls.__name__, name, dir(cls), cls._instead)


class Surface(metaclass=Named):
    """A class of the original."""

    _instead: ClassVar[Mapping[str, str]] = {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise unknown(type(self).__name__, name, dir(self), self._instead)


class Static(Generic[T]):
    """A static property: what ``get`` returns, each time that somebody looks."""

    def __init__(self, get: Callable[[], T]) -> None:
        self._get = get

    def __get__(self, instance: object, owner: type | None = None) -> T:
        return self._get()


class Delegate(Surface):
    """A function as the original's delegates hold it; called, it calls that.

    Args:
        function: anything that can be called.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        if not callable(function):
            raise TypeError(f"{type(self).__name__}() takes a function, not {type(function).__name__}")
        self.function = function

    def __class_getitem__(cls, types: object) -> type[Self]:
        """Return the class itself: what a function takes and returns is its own business in Python."""
        return cls

    def __call__(self, *args: Any) -> Any:
        return self.function(*args)

    Invoke = __call__
