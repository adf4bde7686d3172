"""Types of .NET as Python annotations, so that arguments are checked by the same rules and refused in the same words.

The bridge describes a type as a tree (``Surface.cs``); every kind of tree is here once.
"""

from __future__ import annotations

import datetime as dt
import decimal
import inspect
import uuid
from collections.abc import AsyncIterator, Callable
from types import GenericAlias
from typing import Annotated, Any, Literal, Optional

Tree = dict[str, Any]


def annotation(tree: Tree) -> Any:
    """Return the annotation whose values a type takes; ``Parameter.empty`` where it takes anything."""
    return _KINDS[tree["kind"]](tree)


def _inner(tree: Tree) -> Any:
    made = annotation(tree)
    return Any if made is inspect.Parameter.empty else made


def _integer(smallest: int, largest: int) -> Callable[[Tree], Any]:
    def make(_: Tree) -> Any:
        from pydantic import Field

        return Annotated[int, Field(ge=smallest, le=largest)]

    return make


def _character(_: Tree) -> Any:
    from pydantic import Field

    return Annotated[str, Field(min_length=1, max_length=1)]


def _record(tree: Tree) -> Any:
    import typing_extensions

    fields = {
        field["name"]: (typing_extensions.Required if field["required"] else typing_extensions.NotRequired)[
            _inner(field["type"])
        ]
        for field in tree["fields"]
    }
    return typing_extensions.TypedDict(tree["name"], fields)  # type: ignore[operator]


def _nullable(tree: Tree) -> Any:
    made = annotation(tree["of"])
    return made if made is inspect.Parameter.empty else Optional[made]  # noqa: UP045  (made is no name)


def _always(kind: Any) -> Callable[[Tree], Any]:
    return lambda _: kind


def _of(kind: type, *first: Any) -> Callable[[Tree], Any]:
    return lambda tree: GenericAlias(kind, (*first, _inner(tree["of"])))


_KINDS: dict[str, Callable[[Tree], Any]] = {
    "any": _always(inspect.Parameter.empty),
    "null": _always(None),
    "bool": _always(bool),
    "text": _always(str),
    "char": _character,
    "int": _always(int),
    "float": _always(float),
    "decimal": _always(decimal.Decimal),
    "datetime": _always(dt.datetime),
    "date": _always(dt.date),
    "time": _always(dt.time),
    "duration": _always(dt.timedelta),
    "guid": _always(uuid.UUID),
    "bytes": _always(bytes),
    "stream": _always(AsyncIterator),
    "enum": lambda tree: Literal[tuple(tree["names"])],
    "nullable": _nullable,
    "list": _of(list),
    "set": _of(set),
    "dict": _of(dict, str),
    "tuple": lambda tree: GenericAlias(tuple, tuple(map(_inner, tree["items"]))),
    "record": _record,
    **{f"int{bits}": _integer(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": _integer(0, 2**bits - 1) for bits in (8, 16, 32, 64)},
}
