"""Conditions on fields: ``price__gte=1``, ``name__in=["a", "b"]``, ``address__city="Zürich"``.

One function decides, here. A store may use conditions to read less, never to decide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from coflows_jupyter.errors import ArgumentsError, FieldError, nearest
from coflows_jupyter.jsonform import to_json


def _comparable(found: Any, wanted: Any) -> bool:
    kinds = (int | float, str)
    return any(isinstance(found, kind) and isinstance(wanted, kind) for kind in kinds)


def _contains(found: Any, wanted: Any) -> bool:
    if isinstance(found, str):
        return isinstance(wanted, str) and wanted in found
    if isinstance(found, dict):
        return isinstance(wanted, str) and wanted in found
    return isinstance(found, list) and wanted in found


OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda found, wanted: found == wanted,
    "ne": lambda found, wanted: found != wanted,
    "gt": lambda found, wanted: _comparable(found, wanted) and found > wanted,
    "gte": lambda found, wanted: _comparable(found, wanted) and found >= wanted,
    "lt": lambda found, wanted: _comparable(found, wanted) and found < wanted,
    "lte": lambda found, wanted: _comparable(found, wanted) and found <= wanted,
    "in": lambda found, wanted: found in wanted,
    "contains": _contains,
    "startswith": lambda found, wanted: isinstance(found, str) and isinstance(wanted, str) and found.startswith(wanted),
}


class Condition(NamedTuple):
    """One condition: ``path`` leads to the field, ``wanted`` is a JSON value, a list of them for ``in``."""

    path: tuple[str, ...]
    op: str
    wanted: Any

    def holds(self, value: Any) -> bool:
        """Whether ``value`` meets it; a field that is not there counts as ``None``."""
        for name in self.path:
            value = value.get(name) if isinstance(value, dict) else None
        return OPERATORS[self.op](value, self.wanted)


def parse(given: Mapping[str, Any]) -> tuple[Condition, ...]:
    """Read conditions written as keyword arguments.

    Args:
        given: by ``field``, ``field__operator`` or ``outer__inner__operator``; any value that has a JSON form.

    Raises:
        ArgumentsError: one can't be read.
    """
    return tuple(_parse(name, wanted) for name, wanted in given.items())


def _parse(name: str, wanted: Any) -> Condition:
    *path, op = name.split("__")
    if op not in OPERATORS:
        if path and (near := nearest(op, OPERATORS)):
            message = f"{name}: there is no operator {op!r}"
            raise ArgumentsError(message, [FieldError(name, f"did you mean {near!r}?")])
        path, op = [*path, op], "eq"
    if not path or not all(path):
        raise ArgumentsError(f"{name!r} names no field", [FieldError(name, "is field__operator")])
    # As the entries are: dates are text, tuples are lists.
    wanted = msgspec.json.decode(to_json(wanted))
    if op == "in" and not isinstance(wanted, list):
        raise ArgumentsError(f"{name} takes a list", [FieldError(name, "is no list")])
    return Condition(tuple(path), op, wanted)


def meets(value: Any, conditions: tuple[Condition, ...]) -> bool:
    """Whether ``value`` meets all conditions."""
    return all(condition.holds(value) for condition in conditions)
