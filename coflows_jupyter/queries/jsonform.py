"""The JSON form of every kind of value.

``MAPPING`` says it in words; it is the same for all languages. JSON is strict: there is no ``NaN`` and no infinity in
it, they are ``null``. Data libraries are recognised when a value of theirs arrives, and never imported by us.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import decimal
import enum
import os
import sys
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from coflows_jupyter.errors import NotAcceptableError

_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
_LARGEST = 2**64


def to_json(value: Any) -> bytes:
    """Encode a value as strict JSON.

    Raises:
        NotAcceptableError: something in it has no JSON form, or it contains itself.
    """
    try:
        return orjson.dumps(value, _plain, _OPTIONS)
    except orjson.JSONEncodeError as error:
        return _to_json_slowly(value, error)


def _to_json_slowly(value: Any, error: orjson.JSONEncodeError) -> bytes:
    """Encode again with what the fast way refuses: integers beyond 64 bits, and half characters in text."""
    cause = error.__cause__
    if isinstance(cause, NotAcceptableError):
        raise cause
    try:
        return orjson.dumps(_spelled_out(value), _plain, _OPTIONS)
    except (orjson.JSONEncodeError, RecursionError) as again:
        if isinstance(again.__cause__, NotAcceptableError):
            raise again.__cause__ from None
        reason = "it contains itself, or is nested too deep" if "ecursion" in str(again) else str(again)
        raise NotAcceptableError(f"the result has no JSON form: {reason}") from None


def _spelled_out(value: Any) -> Any:
    plain: Any
    match value:
        case bool() | float() | None | dt.date() | dt.time():
            plain = value
        case int():
            plain = value if -_LARGEST // 2 <= value < _LARGEST else orjson.Fragment(str(int(value)).encode())
        case str():
            plain = value.encode(errors="replace").decode()
        case dict():
            plain = {_spelled_out(k) if isinstance(k, str) else k: _spelled_out(v) for k, v in value.items()}
        case list():
            plain = [_spelled_out(item) for item in value]
        case _ if dataclasses.is_dataclass(value) or isinstance(value, enum.Enum | uuid.UUID | orjson.Fragment):
            plain = value
        case _:
            plain = _spelled_out(_plain(value))
    return plain


def _plain(value: Any) -> Any:
    """Turn a value that the encoder does not know into one that it does."""
    if _is_missing(value):
        return None
    for kind, plain in _PLAIN.items():
        if isinstance(value, kind):
            return plain(value)
    for library, name, plain in _FOREIGN:
        module = sys.modules.get(library)
        if module is not None and isinstance(value, getattr(module, name)):
            return plain(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Iterable):
        return list(value)
    public = {k: v for k, v in getattr(value, "__dict__", {}).items() if not k.startswith("_") and not callable(v)}
    if not public:
        raise NotAcceptableError(f"a value of type {type(value).__name__} has no JSON form; return its parts")
    return public


def _is_missing(value: Any) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and (value is pandas.NaT or value is pandas.NA)


def _number(value: decimal.Decimal) -> Any:
    return orjson.Fragment(format(value, "f").encode()) if value.is_finite() else None


def _duration(value: dt.timedelta) -> str:
    """Write a duration by ISO 8601, in days and seconds: ``P1DT3600S``."""
    sign, value = ("-", -value) if value < dt.timedelta(0) else ("", value)
    seconds = f"{value.seconds + value.microseconds / 1e6:f}".rstrip("0").rstrip(".")
    return f"{sign}P{value.days}DT{seconds}S"


def _sorted(value: Iterable[Any]) -> list[Any]:
    items = list(value)
    try:
        return sorted(items)
    except TypeError:
        return items


def _array_of_numpy(value: Any) -> Any:
    return [_scalar(item) for item in value.tolist()] if value.ndim else _scalar(value.item())


def _scalar(value: Any) -> Any:
    return value.item() if hasattr(value, "item") and not getattr(value, "ndim", 0) else value


def _series_values(series: Any) -> list[Any]:
    values: list[Any] = series.astype(object).where(series.notna(), None).tolist()
    return values


def _has_labels(index: Any) -> bool:
    return type(index).__name__ != "RangeIndex" or index.name is not None


def _frame_records(frame: Any) -> list[dict[str, Any]]:
    if _has_labels(frame.index):
        frame = frame.reset_index()
    names = [name if isinstance(name, str) else _label(name) for name in frame.columns]
    columns = [_series_values(frame.iloc[:, place]) for place in range(len(names))]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _label(name: Any) -> str:
    return ".".join(map(str, name)) if isinstance(name, tuple) else str(name)


def _series(series: Any) -> Any:
    values = _series_values(series)
    return dict(zip(map(_label, series.index), values, strict=True)) if _has_labels(series.index) else values


_PLAIN: dict[type, Callable[[Any], Any]] = {
    decimal.Decimal: _number,
    dt.datetime: lambda v: v.isoformat(),
    dt.timedelta: _duration,
    tuple: lambda v: v._asdict() if hasattr(v, "_asdict") else list(v),
    set: _sorted,
    frozenset: _sorted,
    bytes: lambda v: base64.b64encode(v).decode(),
    bytearray: lambda v: base64.b64encode(v).decode(),
    complex: lambda v: {"real": v.real, "imag": v.imag},
    os.PathLike: os.fspath,
    BaseException: lambda v: f"{type(v).__name__}: {v}",
}

_FOREIGN: tuple[tuple[str, str, Callable[[Any], Any]], ...] = (
    ("pandas", "DataFrame", _frame_records),
    ("pandas", "Series", _series),
    ("pandas", "Index", lambda v: _series_values(v.to_series())),
    ("pandas", "Period", str),
    ("polars", "DataFrame", lambda v: v.to_dicts()),
    ("polars", "Series", lambda v: v.to_list()),
    ("numpy", "ndarray", _array_of_numpy),
    ("numpy", "generic", lambda v: v.item()),
    ("pydantic", "BaseModel", lambda v: v.model_dump()),
)

MAPPING: tuple[tuple[str, str], ...] = (
    ("None, NaN, infinity, NaT, pandas.NA", "null"),
    ("bool, int of any size, float, str", "itself"),
    ("decimal.Decimal", "number with all its digits"),
    ("date, time, datetime, pandas.Timestamp", "ISO 8601 text"),
    ("timedelta", "ISO 8601 duration, P1DT3600S"),
    ("enum", "its value"),
    ("uuid, pathlib.Path", "text"),
    ("bytes inside a value", "Base64 text"),
    ("complex", '{"real": …, "imag": …}'),
    ("list, tuple, range, other iterables", "array"),
    ("set, frozenset", "array, sorted where its items can be"),
    ("dict, mapping, dataclass, namedtuple, pydantic model", "object"),
    ("numpy array, scalar", "nested array, number"),
    ("pandas or polars DataFrame", "array of objects, one per row; an index that is no row number comes first"),
    ("pandas Series", "object by label, or an array where the index is a row number"),
    ("any other object", "object of its public attributes"),
)
"""Every kind of value and its JSON form, in words, for the documentation."""
