"""Says in plain words which arguments of a call do not fit, one entry per field."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from coflows_jupyter.errors import ArgumentsError, FieldError, nearest
from coflows_jupyter.runtimes.protocol import Parameter

_WORDS = {
    "arguments_type": 'should be {"name": value, …} or [value, …]',
    "bool_parsing": "should be true or false",
    "bool_type": "should be true or false",
    "date_from_datetime_parsing": "should be a date such as 2024-12-31",
    "date_parsing": "should be a date such as 2024-12-31",
    "datetime_from_date_parsing": "should be a date and time such as 2024-12-31T18:00:00",
    "datetime_parsing": "should be a date and time such as 2024-12-31T18:00:00",
    "decimal_parsing": "should be a number",
    "dict_type": "should be an object",
    "float_parsing": "should be a number",
    "float_type": "should be a number",
    "int_from_float": "should be a whole number",
    "int_parsing": "should be a whole number",
    "int_parsing_size": "should be a whole number of fewer digits",
    "int_type": "should be a whole number",
    "list_type": "should be an array",
    "missing": "is missing",
    "missing_argument": "is missing",
    "missing_keyword_only_argument": "is missing",
    "missing_positional_only_argument": "is missing",
    "set_type": "should be an array",
    "string_type": "should be text",
    "tuple_type": "should be an array",
}
_SHOWN = 100
_MOST = 100  # entries; a list of a million wrong items is told by the first of them


def explain(error: ValidationError, given: Any, parameters: Sequence[Parameter], *, inside: str = "") -> ArgumentsError:
    """Make our error of pydantic's.

    Args:
        error: what pydantic found.
        given: what it looked at: values by name or by position, or one parameter's value.
        parameters: the function's.
        inside: the parameter whose value ``given`` is.
    """
    found: dict[str, FieldError] = {}
    for detail in error.errors(include_url=False, include_context=False)[:_MOST]:
        field = _field(detail, given, parameters, inside)
        before = found.get(field.field)
        if before is None:
            found[field.field] = field
        elif field.message not in before.message.split(" or "):  # the branches of a union
            message = f"{before.message} or {field.message.removeprefix('should be ')}"
            found[field.field] = FieldError(field.field, message, before.value)
    # Of two branches of a union, the one that fits further inside says more.
    return refuse([f for f in found.values() if not any(n.startswith((f.field + ".", f.field + "[")) for n in found)])


def refuse(fields: Sequence[FieldError]) -> ArgumentsError:
    """Make the error that has these entries."""
    return ArgumentsError("; ".join(f"{field.field} {field.message}" for field in fields), fields)


def unknown(name: str, value: Any, parameters: Sequence[Parameter]) -> FieldError:
    """Say that no parameter has this name, and which one may be meant."""
    names = [p.name for p in parameters if p.kind in {"positional", "keyword"}]
    near = nearest(name, names)
    hint = f"did you mean {near}?" if near else f"the parameters are: {', '.join(names) or 'none'}"
    return FieldError(name, f"is no parameter; {hint}", shown(value))


def shown(value: Any) -> str:
    """Return a value as short text."""
    if isinstance(value, bytes):
        text = value[: 4 * _SHOWN].decode(errors="replace")
    elif isinstance(value, str):
        text = value
    else:
        text = json.dumps(value, default=repr, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _field(detail: ErrorDetails, given: Any, parameters: Sequence[Parameter], inside: str) -> FieldError:
    kind, value = detail["type"], detail["input"]
    name, path = inside, detail["loc"]
    if not inside:
        if not path:
            return FieldError("body", _WORDS.get(kind, _plain(detail["msg"])), shown(value))
        name = _parameter(path[0], parameters)
        given = _part(given, path[0])
        path = path[1:]
    if kind == "unexpected_positional_argument":
        return FieldError(name, f"is one too many: {_count(parameters)}", shown(value))
    if kind == "unexpected_keyword_argument":
        return unknown(name, value, parameters)
    field = name + _inner(path, given, missing=kind == "missing")
    missing = kind.startswith("missing")
    return FieldError(field, _WORDS.get(kind, _plain(detail["msg"])), "" if missing else shown(value))


def _plain(message: str) -> str:
    """Turn ``Input should be …`` and ``Value error, …`` around, so that they follow a field's name."""
    for start in ("Input ", "Value error, ", "Assertion failed, "):
        message = message.removeprefix(start)
    return message


def _parameter(place: int | str, parameters: Sequence[Parameter]) -> str:
    if isinstance(place, str):
        return place
    taking = [p.name for p in parameters if p.kind == "positional"]
    if place < len(taking):
        return taking[place]
    rest = next((p.name for p in parameters if p.kind == "var_positional"), "")
    return f"{rest}[{place - len(taking)}]" if rest else f"p[{place}]"


def _part(value: Any, place: int | str) -> Any:
    try:
        return value[place]
    except (IndexError, KeyError, TypeError):
        return None


def _inner(path: Sequence[int | str], value: Any, *, missing: bool) -> str:
    """Return the place inside a value, without the names that pydantic gives to the branches of a union."""
    text = ""
    for number, place in enumerate(path, 1):
        if isinstance(place, int) and isinstance(value, list | tuple) and place < len(value):
            text += f"[{place}]"
        elif isinstance(value, dict) and (place in value or (missing and number == len(path))):
            text += f".{place}"
        else:
            continue
        value = _part(value, place)
    return text


def _count(parameters: Sequence[Parameter]) -> str:
    count = sum(p.kind == "positional" for p in parameters)
    return "there is one parameter" if count == 1 else f"there are {count or 'no'} parameters"
