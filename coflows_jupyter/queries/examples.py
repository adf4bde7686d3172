"""Examples of calls out of docstrings: ``>>> Add(1, 2)`` and, on the line below, ``3``."""

from __future__ import annotations

import ast
import doctest
from typing import Any

import msgspec

from coflows_jupyter.runtimes.protocol import Signature


class Example(msgspec.Struct, frozen=True):
    """One call that a docstring shows.

    Args:
        call: as it is written.
        arguments: parameter name → value.
        results: the JSON value of its result; empty when the docstring shows none, or none with a JSON form.
    """

    call: str
    arguments: dict[str, Any]
    results: tuple[Any, ...] = ()


def examples(signature: Signature) -> tuple[Example, ...]:
    """Return the examples of a function; one whose arguments are no literals is left out.

    Args:
        signature: the function.
    """
    try:
        written = doctest.DocTestParser().get_examples(signature.doc)
    except ValueError:  # an indent that doctest does not allow
        return ()
    return tuple(example for e in written if not e.exc_msg and (example := _example(signature, e.source, e.want)))


def _example(signature: Signature, source: str, want: str) -> Example | None:
    try:
        call = ast.parse(source.strip(), mode="eval").body
        if not isinstance(call, ast.Call) or getattr(call.func, "id", "") != signature.name:
            return None
        positions = [ast.literal_eval(argument) for argument in call.args]
        names = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
        arguments = _json(_by_name(signature, positions) | names)
    except (SyntaxError, ValueError, TypeError, RecursionError):
        return None
    try:
        results: tuple[Any, ...] = (_json(ast.literal_eval(want.strip())),)
    except (SyntaxError, ValueError, TypeError, RecursionError):
        results = ()
    return Example(source.strip(), arguments, results)


def _by_name(signature: Signature, values: list[Any]) -> dict[str, Any]:
    """Name values that are given by position.

    Raises:
        ValueError: there are more than the function takes.
    """
    names = [p.name for p in signature.parameters if p.kind == "positional"]
    named = dict(zip(names, values, strict=False))
    if rest := values[len(names) :]:
        variadic = next((p.name for p in signature.parameters if p.kind == "var_positional"), None)
        if variadic is None:
            raise ValueError(f"{signature.name} takes {len(names)} arguments")
        named[variadic] = rest
    return named


def _json(value: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))
