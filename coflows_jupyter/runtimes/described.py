"""Functions of .NET as Python callables with the signatures that arguments are bound by."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import orjson

from coflows_jupyter.errors import ArgumentsError, FieldError
from coflows_jupyter.jsonform import to_json
from coflows_jupyter.runtimes.protocol import Function, Refusal
from coflows_jupyter.runtimes.signature import describe
from coflows_jupyter.runtimes.typetrees import annotation
from coflows_jupyter.workflow.sources import SourceUnit

Described = dict[str, Any]
BridgeCall = Callable[..., Any]

_EMPTY = inspect.Parameter.empty


class _LeftOut:
    """Stands for an argument that the function itself knows the default of."""

    def __repr__(self) -> str:
        return "…"


_LEFT_OUT = _LeftOut()


def functions(described: Sequence[Described], unit: SourceUnit, call: BridgeCall) -> dict[str, Function]:
    """Make the functions of a unit.

    Args:
        described: what the bridge says of each.
        unit: the source, whose lines tell where they are.
        call: calls one by its number.
    """
    lines = unit.text.splitlines()
    overloads: dict[str, list[Described]] = {}
    for one in described:
        overloads.setdefault(one["name"], []).append(one)
    return {name: _function(group, lines, call) for name, group in overloads.items()}


def _function(group: list[Described], lines: list[str], call: BridgeCall) -> Function:
    widest = max(group, key=lambda one: len(one["parameters"]))
    target = _single(widest, call) if len(group) == 1 else _overloaded(group, call)
    target.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # what inspect reads
        _parameters(widest, group), return_annotation=annotation(widest["returns"])
    )
    name = widest["name"]
    signature = describe(target, name)
    parameters = tuple(
        msgspec.structs.replace(parameter, annotation=about["spelled"] if parameter.annotation else "")
        for parameter, about in zip(signature.parameters, widest["parameters"], strict=True)
    )
    return Function(
        msgspec.structs.replace(
            signature,
            parameters=parameters,
            returns="" if widest["returned"] == "void" else widest["returned"],
            doc="",
            line=_line(name, widest["line"], lines),
        ),
        target,
    )


def _single(about: Described, call: BridgeCall) -> Callable[..., Any]:
    number, cancellable = about["number"], about["cancellable"]
    names = [p["name"] for p in about["parameters"] if not p["variadic"]]
    careful = any(p["optional"] and "default" not in p for p in about["parameters"])

    def target(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            args = (*args, *(kwargs.get(name, _LEFT_OUT) for name in names[len(args) :]))
        if careful or kwargs:
            args = _given(args)
        return call(number, to_json(args), cancellable=cancellable)

    return target


def _given(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Cut off what is left out at the end."""
    while args and args[-1] is _LEFT_OUT:
        args = args[:-1]
    if any(arg is _LEFT_OUT for arg in args):
        place = next(place for place, arg in enumerate(args) if arg is _LEFT_OUT)
        field = FieldError(f"p[{place}]", "is missing, and a later one is given")
        raise Refusal(ArgumentsError(f"{field.field} {field.message}", [field]))
    return args


def _overloaded(group: list[Described], call: BridgeCall) -> Callable[..., Any]:
    """Choose by the number of arguments, as the original did; the first that takes so many wins."""
    choices = [(len(one["parameters"]), _required(one), _single(one, call)) for one in group]
    names = [p["name"] for p in max(group, key=lambda one: len(one["parameters"]))["parameters"]]

    def target(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            args = (*args, *(kwargs.get(name, _LEFT_OUT) for name in names[len(args) :]))
        args = _given(args)
        for most, least, choice in choices:
            if least <= len(args) <= most:
                return choice(*args)
        counts = ", ".join(sorted({str(least) for _, least, _ in choices}))
        field = FieldError("arguments", f"are {len(args)}; there are functions of this name that take {counts}")
        raise Refusal(ArgumentsError(f"{field.field} {field.message}", [field]))

    return target


def _required(about: Described) -> int:
    return sum(not (p["optional"] or p["variadic"]) for p in about["parameters"])


class _Parameter(inspect.Parameter):
    """A parameter of another language, whose name may be a word that Python keeps for itself."""

    def __init__(self, name: str, kind: Any, *, default: Any = _EMPTY, annotation: Any = _EMPTY) -> None:
        super().__init__("_", kind, default=default, annotation=annotation)
        self._name = name


def _parameters(widest: Described, group: list[Described]) -> list[inspect.Parameter]:
    """Return the parameters of all overloads together: what they disagree about, the bridge decides."""
    least = min(map(_required, group))
    made: list[inspect.Parameter] = []
    for place, about in enumerate(widest["parameters"]):
        others = [one["parameters"][place] for one in group if place < len(one["parameters"])]
        agreed = all(other["type"] == about["type"] for other in others)
        kind = inspect.Parameter.VAR_POSITIONAL if about["variadic"] else inspect.Parameter.POSITIONAL_OR_KEYWORD
        default: Any = _EMPTY
        if about["optional"] and "default" in about and len(group) == 1:
            default = orjson.loads(about["default"])
        elif not about["variadic"] and (about["optional"] or place >= least):
            default = _LEFT_OUT
        annotated = annotation(about["type"]) if agreed else _EMPTY
        made.append(_Parameter(about["name"], kind, default=default, annotation=annotated))
    return made


def _line(name: str, inside: int, lines: list[str]) -> int:
    """Go up from a function's first statement to the line that has its name."""
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    return next((number for number in range(min(inside, len(lines)), 0, -1) if word.search(lines[number - 1])), inside)
