"""Binds the raw arguments of a call to a function's parameters, once, in the host.

A query string is bound by name when its names are parameters, else by position, as the original did with
``p[0]=…&p[1]=…``. A JSON object is bound by name, an array by position. Values are converted by the annotation, else
by the type that the doc comment names, else they stay what they are: text in a query string, JSON values in a body.
Conversion is pydantic's in lax mode: ``"2"`` is an int, ``2.5`` is not.
"""

from __future__ import annotations

import datetime
import decimal
import difflib
import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal
from urllib.parse import unquote_plus

import orjson
from pydantic import ConfigDict, ValidationError, validate_call

from coflows_jupyter.errors import ArgumentsError, FieldError
from coflows_jupyter.runtimes.protocol import Parameter, Signature
from coflows_jupyter.runtimes.signature import adapted, parameters

DOCUMENTED_TYPES: dict[str, Any] = {
    "int": int,
    "int32": int,
    "int64": int,
    "integer": int,
    "long": int,
    "float": float,
    "double": float,
    "number": float,
    "decimal": decimal.Decimal,
    "bool": bool,
    "boolean": bool,
    "str": str,
    "string": str,
    "date": datetime.date,
    "datetime": datetime.datetime,
    "list": list,
    "array": list,
    "dict": dict,
    "object": dict,
}

Bound = tuple[tuple[Any, ...], dict[str, Any]]

_POSITION = re.compile(r"p(?:\[(\d*)\])?")
_SHOWN = 100


class Binder:
    """Binds calls of one function.

    Args:
        function: the user's function.
        signature: its description, with the doc comment's types merged in.
    """

    def __init__(self, function: Callable[..., Any], signature: Signature) -> None:
        self._parameters = signature.parameters
        self._names = {p.name: p for p in signature.parameters if p.kind in {"positional", "keyword"}}
        self._open = any(p.kind == "var_keyword" for p in signature.parameters)
        written = parameters(function)
        self._positional_only = [p.name for p in written if p.kind is p.POSITIONAL_ONLY]
        types = [
            _type(ours, p.annotation) for ours, p in zip(signature.parameters, written, strict=True)
        ]
        self._takes_text = {
            p.name for p, kind in zip(signature.parameters, types, strict=True) if kind in {Any, str}
        }
        self._arrays = {p.name for p in signature.parameters if p.schema.get("type") == "array"}
        self._validate = _validator(written, types)

    def bind(self, form: Literal["query", "json"], data: bytes) -> Bound:
        """Return positional and keyword arguments for the function.

        Args:
            form: ``query`` for a query string or form body, ``json`` for a JSON document.
            data: the raw arguments; empty means none.

        Raises:
            ArgumentsError: they don't fit; it has an entry for every field that doesn't.
        """
        if not data:
            return self._validated((), {})
        return self._bind_query(data) if form == "query" else self._bind_json(data)

    # -- query strings ---------------------------------------------------------------------------------------------

    def _bind_query(self, data: bytes) -> Bound:
        pairs = _pairs(data)
        unknown = [name for name, _ in pairs if name not in self._names]
        if not unknown:
            return self._bind_texts(self._collect(pairs))
        if all(map(_POSITION.fullmatch, unknown)) and len(unknown) == len(pairs):
            return self._bind_texts(_by_index(pairs))
        if self._open:
            return self._bind_texts(self._collect(pairs))
        if len(unknown) == len(pairs):
            return self._bind_texts([value for _, value in pairs])
        raise ArgumentsError("some arguments have no parameter", [self._unknown(name) for name in unknown])

    def _collect(self, pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
        collected: dict[str, Any] = {}
        for name, value in pairs:
            if name not in collected:
                collected[name] = value
            elif name in self._arrays:
                before = collected[name]
                collected[name] = [*(before if isinstance(before, list) else [before]), value]
            else:
                raise ArgumentsError("an argument is given twice", [FieldError(name, "is given twice", value[:_SHOWN])])
        return collected

    def _bind_texts(self, texts: Sequence[Any] | dict[str, Any]) -> Bound:
        args, kwargs = self._places(texts)
        try:
            return self._validate(*args, **kwargs)
        except ValidationError as error:
            wrong = {_name(e["loc"], self._parameters) for e in error.errors(include_url=False)}
            again = {name: self._read(name, value) for name, value in kwargs.items() if name in wrong}
            first = [
                self._read(name, value) if name in wrong else value
                for name, value in zip(self._position_names(len(args)), args, strict=True)
            ]
            return self._validated(first, {**kwargs, **again})

    def _read(self, name: str, text: Any) -> Any:
        """Read a text that is no value of the parameter's type as JSON, which lists and objects are given in."""
        if not isinstance(text, str):
            return text
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            value = text
        if name in self._arrays and not isinstance(value, list):
            return [text]
        return value if isinstance(value, list | dict | None) else text

    # -- JSON documents --------------------------------------------------------------------------------------------

    def _bind_json(self, data: bytes) -> Bound:
        try:
            value = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise ArgumentsError("the body is no JSON", [FieldError("body", str(error), _shown(data))]) from None
        if len(self._parameters) == 1 and self._is_whole(value):
            text = isinstance(value, list | dict) and self._parameters[0].name in self._takes_text
            return self._validated((data.decode() if text else value,), {})
        if isinstance(value, list | dict):
            return self._validated(*self._places(value))
        raise ArgumentsError(
            "the body is neither an object nor an array",
            [FieldError("body", 'write {"name": value} or [value, value]', _shown(data))],
        )

    def _is_whole(self, value: Any) -> bool:
        """Whether a body is the value of the only parameter, as the original took it."""
        only = self._parameters[0]
        if only.kind != "positional":
            return False
        if isinstance(value, list):
            return len(value) != 1
        return not isinstance(value, dict) or (only.name not in value and bool(value))

    # -- both ------------------------------------------------------------------------------------------------------

    def _places(self, values: Sequence[Any] | dict[str, Any]) -> tuple[Sequence[Any], dict[str, Any]]:
        if not isinstance(values, dict):
            return values, {}
        first = []
        for name in self._positional_only:
            if name not in values:
                break
            first.append(values[name])
        return first, {k: v for k, v in values.items() if k not in self._positional_only[: len(first)]}

    def _validated(self, args: Sequence[Any], kwargs: dict[str, Any]) -> Bound:
        try:
            return self._validate(*args, **kwargs)
        except ValidationError as error:
            fields = [self._field(e) for e in error.errors(include_url=False, include_context=False)]
            what = "one argument does" if len(fields) == 1 else f"{len(fields)} arguments do"
            raise ArgumentsError(f"{what} not fit", fields) from None

    def _field(self, error: Any) -> FieldError:
        name = _name(error["loc"], self._parameters)
        kind = str(error["type"])
        if kind.startswith("missing"):
            return FieldError(name, "is missing")
        if kind == "unexpected_positional_argument":
            return FieldError(name, f"is one too many: there are {len(self._names)} parameters", _shown(error["input"]))
        if kind == "unexpected_keyword_argument":
            return self._unknown(name, error["input"])
        path = "".join(f"[{part!r}]" for part in error["loc"][1:])
        return FieldError(name + path, error["msg"], _shown(error["input"]))

    def _unknown(self, name: str, value: Any = "") -> FieldError:
        near = difflib.get_close_matches(name, self._names, 1)
        hint = f"did you mean {near[0]}?" if near else f"the parameters are: {', '.join(self._names) or 'none'}"
        return FieldError(name, f"is no parameter; {hint}", _shown(value))

    def _position_names(self, count: int) -> list[str]:
        return [_name((index,), self._parameters) for index in range(count)]


def documented_schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema of a type that a doc comment names; ``{}`` for one that we don't know."""
    return adapted(DOCUMENTED_TYPES.get(kind.strip().lower(), Any)).schema


def _type(parameter: Parameter, annotation: Any) -> Any:
    if annotation is not inspect.Parameter.empty:
        return adapted(annotation).annotation
    return DOCUMENTED_TYPES.get(parameter.annotation.strip().lower(), Any) if parameter.annotation else Any


def _validator(written: Sequence[inspect.Parameter], types: Sequence[Any]) -> Callable[..., Bound]:
    """Let pydantic compile the check of a whole call into one validator.

    It sees a stand-in that has the function's parameters and gives back what it is called with.
    """

    def stand_in(*args: Any, **kwargs: Any) -> Bound:
        return args, kwargs

    annotated = [p.replace(annotation=kind) for p, kind in zip(written, types, strict=True)]
    stand_in.__signature__ = inspect.Signature(annotated)  # type: ignore[attr-defined]  # what inspect reads
    stand_in.__annotations__ = {p.name: p.annotation for p in annotated}
    return validate_call(config=ConfigDict(arbitrary_types_allowed=True))(stand_in)


def _pairs(data: bytes) -> list[tuple[str, str]]:
    try:
        text = data.decode()
        parts = [part.partition("=") for part in text.split("&") if part]
        if "%" in text or "+" in text:
            return [(unquote_plus(n, errors="strict"), unquote_plus(v, errors="strict")) for n, _, v in parts]
    except UnicodeDecodeError:
        problem = [FieldError("query", "is not UTF-8", _shown(data))]
        raise ArgumentsError("the arguments can't be decoded", problem) from None
    return [(name, value) for name, _, value in parts]


def _by_index(pairs: list[tuple[str, str]]) -> list[str]:
    found = [_POSITION.fullmatch(name) for name, _ in pairs]
    if all(match is not None and match[1] for match in found):
        pairs = [pairs[i] for i in sorted(range(len(pairs)), key=lambda i: int(found[i][1]))]  # type: ignore[index]
    return [value for _, value in pairs]


def _name(location: Sequence[int | str], parameters: Sequence[Parameter]) -> str:
    """Return the parameter's name for a place in pydantic's error."""
    place = location[0] if location else "arguments"
    if isinstance(place, str):
        return place
    if place < len(parameters) and parameters[place].kind in {"positional", "var_positional"}:
        return parameters[place].name
    rest = next((p.name for p in parameters if p.kind == "var_positional"), "")
    return rest or f"p[{place}]"


def _shown(value: Any) -> str:
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
