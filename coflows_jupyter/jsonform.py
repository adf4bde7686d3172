"""The JSON form of every kind of value.

``MAPPING`` says it, in words and by the code that does it; it is the same for all languages. JSON is strict: there is
no ``NaN`` and no infinity in it, they are ``null``. Types are recognised by name, so that no data library is imported
before a value of its own arrives.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import inspect
import os
from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import orjson

from coflows_jupyter.errors import NotAcceptableError

_LARGEST, _SMALLEST = 2**64 - 1, -(2**63)
_DEEPEST = 200
# orjson writes these, and containers of them, by itself.
_DATA = frozenset({dict, list, str, int, float, bool, type(None)})


class JsonText:
    """A value that another language has encoded already.

    Args:
        data: strict JSON in UTF-8.
    """

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data

    def decoded(self) -> Any:
        """Return the value."""
        return orjson.loads(self.data)


def to_json(value: Any, *, ordered: bool = False) -> bytes:
    """Encode a value as strict JSON.

    Args:
        value: anything.
        ordered: whether to order the fields of objects by name.

    Raises:
        NotAcceptableError: something in it has no JSON form, or it contains itself.
    """
    option = orjson.OPT_NON_STR_KEYS | (orjson.OPT_SORT_KEYS if ordered else 0)
    try:
        return orjson.dumps(value, _once, option)
    except orjson.JSONEncodeError as error:
        # The user's own error, or an interrupt of the call: neither is a reason to try again.
        if error.__cause__ is not None and not isinstance(error.__cause__, TypeError):
            raise error.__cause__ from None
    # The slow way knows what the fast one refuses: integers beyond 64 bits, half characters, keys of any type.
    try:
        return orjson.dumps(_plain(value, 0), option=option)
    except orjson.JSONEncodeError as error:
        raise NotAcceptableError(f"the result has no JSON form: {error}") from None


def unfold(value: Any) -> Any:
    """Turn a value into a dict, a list or something that is a JSON text or number; what is inside stays as it is.

    Raises:
        NotAcceptableError: it has no JSON form.
    """
    for _ in range(_DEEPEST):
        kind: Any = type(value)
        if kind in _DATA:
            return value
        step = _step(kind)
        if step is None:
            return value
        value = step(value)
    raise NotAcceptableError(_ENDLESS)


_ENDLESS = "the result has no JSON form: it contains itself, or is nested too deep"


def _once(value: Any) -> Any:
    """Convert one value for the fast way, which may give up afterwards: what can be read only once is not touched."""
    kind: Any = type(value)
    step = _step(kind)
    if step is None or isinstance(value, Iterator):
        raise TypeError
    if step is _nested and _is_plain_array(value):
        return orjson.Fragment(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY))
    return step(value)


def _plain(value: Any, depth: int) -> Any:
    if depth > _DEEPEST:
        raise NotAcceptableError(_ENDLESS)
    value = unfold(value)
    if isinstance(value, dict):
        return {key_text(name): _plain(item, depth + 1) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, int) and not _SMALLEST <= value <= _LARGEST:
        return orjson.Fragment(_digits(value))
    return value


def key_text(name: Any) -> str:
    """Return a key as text; the parts of a tuple are joined by dots."""
    name = unfold(name)
    if isinstance(name, str):
        return name.encode(errors="replace").decode()
    if isinstance(name, list):
        return ".".join(map(key_text, name))
    text = orjson.dumps(_plain(name, 0)).decode()
    return text[1:-1] if text.startswith('"') else text


def _digits(value: int) -> str:
    try:
        return str(int(value))
    except ValueError as error:  # Python's own limit, against texts that take forever to make
        raise NotAcceptableError(f"the result has no JSON form: {error}") from None


@cache
def _step(kind: type) -> Callable[[Any], Any] | None:
    """Return what brings a value of this type closer to JSON; ``None`` when orjson writes it as it is."""
    for base in kind.__mro__:
        name = f"{base.__module__.partition('.')[0]}.{base.__name__}"
        if name in _BY_NAME:
            return _BY_NAME[name]
    if dataclasses.is_dataclass(kind):
        return _fields
    if issubclass(kind, Mapping):
        return dict
    if issubclass(kind, Iterable):
        return list
    return _attributes


# -- one function for each kind of value -------------------------------------------------------------------------------


def _number(value: Any) -> Any:
    return orjson.Fragment(str(value)) if value.is_finite() else None


def _duration(value: dt.timedelta) -> str:
    """Write a duration by ISO 8601, in days and seconds: ``P1DT3600S``."""
    sign, value = ("-", -value) if value < dt.timedelta(0) else ("", value)
    seconds = f"{value.seconds}.{value.microseconds:06}".rstrip("0").rstrip(".")
    return f"{sign}P{value.days}DT{seconds}S"


def _sorted(value: Iterable[Any]) -> list[Any]:
    items = list(value)
    try:
        return sorted(items)
    except TypeError:
        return items


def _base64(value: Any) -> str:
    return base64.b64encode(value).decode()


def _complex(value: complex) -> dict[str, float]:
    return {"real": value.real, "imag": value.imag}


def _tuple(value: Any) -> Any:
    return dict(zip(value._fields, value, strict=True)) if hasattr(value, "_fields") else list(value)


def _fields(value: Any) -> dict[str, Any]:
    return {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if not f.name.startswith("_")}


def _attributes(value: Any) -> dict[str, Any]:
    names = dict.fromkeys(getattr(value, "__dict__", ()))
    names |= dict.fromkeys(slot for base in type(value).__mro__ for slot in _slots(base) if hasattr(value, slot))
    public = {name: getattr(value, name) for name in names if not name.startswith("_")}
    public = {name: item for name, item in public.items() if not callable(item)}
    code = inspect.isclass(value) or inspect.isroutine(value) or inspect.ismodule(value)
    if code or not public or isinstance(value, AsyncIterable):
        raise NotAcceptableError(f"a value of type {type(value).__name__} has no JSON form; return its parts")
    return public


def _slots(kind: type) -> tuple[str, ...]:
    slots = kind.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _scalar(value: Any) -> Any:
    if value.dtype.kind in "mM":
        return _moments(value)
    plain = value.item()
    return float(plain) if isinstance(plain, type(value)) else plain  # a long double is its own item


def _is_plain_array(value: Any) -> bool:
    """Whether orjson can read an array of NumPy's in place; of dates it misreads the missing ones."""
    dtype = value.dtype
    return bool(
        dtype.kind in "biuf"
        and dtype.itemsize <= 8  # noqa: PLR2004  (bytes of a double)
        and dtype.isnative
        and value.flags.c_contiguous
        and value.ndim
    )


def _nested(value: Any) -> Any:
    """Return a NumPy array as lists."""
    if value.dtype.kind in "mM":
        return _moments(value)
    if value.dtype.names:
        rows = [dict(zip(value.dtype.names, row, strict=True)) for row in value.ravel().tolist()]
        return rows if value.ndim else rows[0]
    return value.tolist()


def _moments(value: Any) -> Any:
    """Return NumPy's dates and durations as Python's, or as text where they have nanoseconds."""
    kind = value.dtype.kind
    if not value.dtype.str.endswith(("[ns]", "[ps]", "[fs]", "[as]")):
        return value.tolist()
    microseconds = value.astype(f"{kind}8[us]")
    exact = (microseconds == value) | (value != value)  # noqa: PLR0124  (NaT equals nothing)
    if kind == "m" or exact.all():
        return microseconds.tolist()
    texts = value.astype(str)
    if not value.ndim:
        return str(texts)
    texts = texts.astype(object)
    texts[value != value] = None  # noqa: PLR0124
    return texts.tolist()


def _iso(value: Any) -> str:
    text: str = value.isoformat()
    return text


def _values(column: Any) -> list[Any]:
    """Return the values of a pandas column, dates quickly where they have no nanoseconds."""
    if column.dtype.kind in "mM":
        moments: list[Any] = _nested(column.to_numpy())
        return moments
    values: list[Any] = column.tolist()
    return values


def _is_row_number(index: Any) -> bool:
    """Whether a pandas index says nothing: an unnamed one of integers is what is left of row numbers."""
    return index.nlevels == 1 and index.name is None and index.dtype.kind in "iu"


def _records(frame: Any) -> list[dict[str, Any]]:
    columns = [_values(frame.iloc[:, place]) for place in range(frame.shape[1])]
    names = [key_text(name) for name in frame.columns]
    if not _is_row_number(frame.index):
        levels = [frame.index.get_level_values(level) for level in range(frame.index.nlevels)]
        unnamed = "level_{}" if len(levels) > 1 else "index"  # as pandas itself calls them
        titles = [unnamed.format(n) if level.name is None else key_text(level.name) for n, level in enumerate(levels)]
        columns, names = [*map(_values, levels), *columns], [*titles, *names]
    names = _distinct(names)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _distinct(names: list[str]) -> list[str]:
    """Number the columns that share a name, so that none is lost: a, a.1, a.2."""
    taken: dict[str, None] = {}
    for name in names:
        candidate, count = name, 0
        while candidate in taken or (count and candidate in names):
            count += 1
            candidate = f"{name}.{count}"
        taken[candidate] = None
    return list(taken)


def _series(series: Any) -> Any:
    if _is_row_number(series.index):
        return _values(series)
    if series.index.nlevels == 1 and series.index.is_unique:
        return dict(zip(map(key_text, _values(series.index)), _values(series), strict=True))
    return _records(series.to_frame("value" if series.name is None else series.name))


class Form(NamedTuple):
    """What becomes of some types.

    Args:
        types: their names, with the first part of their module's.
        json: what they become, in words.
        step: what brings a value closer to JSON; ``None`` when it is written as it is.
    """

    types: tuple[str, ...]
    json: str
    step: Callable[[Any], Any] | None = None


_ITSELF = "itself; NaN and infinity are null"
_OF_ROWS = "array of objects, one per row"

MAPPING: tuple[Form, ...] = (
    Form(("pandas.NaTType", "pandas.NAType", "pandas.NaT", "pandas.NA"), "null", lambda _: None),
    Form(("builtins.NoneType",), "null"),
    Form(("builtins.bool", "builtins.int", "builtins.str"), "itself, integers with all their digits"),
    Form(("builtins.float",), _ITSELF, float),
    Form(("decimal.Decimal",), "number with all its digits; NaN and infinity are null", _number),
    Form(("fractions.Fraction",), "number", float),
    Form(("datetime.date", "datetime.time", "datetime.datetime", "pandas.Timestamp"), "ISO 8601 text", _iso),
    Form(("datetime.timedelta", "pandas.Timedelta"), "ISO 8601 duration in days and seconds: P1DT3600S", _duration),
    Form(("uuid.UUID",), "text", str),
    Form(("orjson.Fragment",), "itself"),
    Form(("enum.Enum",), "its value", lambda value: value.value),
    Form(("pathlib.PurePath",), "text", os.fspath),
    Form(("builtins.bytes", "builtins.bytearray", "builtins.memoryview"), "Base64 text (inside other values)", _base64),
    Form(("builtins.complex",), '{"real": …, "imag": …}', _complex),
    Form(("builtins.list", "builtins.dict"), "array, object; the parts of a tuple that is a key are joined by dots"),
    Form(("builtins.tuple",), "array; an object when its fields have names", _tuple),
    Form(("builtins.set", "builtins.frozenset"), "array, sorted where its items can be", _sorted),
    Form(("builtins.BaseException",), "text: type and message", lambda e: f"{type(e).__name__}: {e}"),
    Form(("pydantic.BaseModel",), "object, as the model's own settings say", lambda value: value.model_dump()),
    Form(("pydantic.SecretStr", "pydantic.SecretBytes"), "text of asterisks", str),
    Form(("numpy.generic",), "as the Python value of its type", _scalar),
    Form(("numpy.ndarray",), "nested arrays; a structured one is an array of objects", _nested),
    Form(("pandas.DataFrame",), f"{_OF_ROWS}; the index comes first unless it is one of unnamed integers", _records),
    Form(("pandas.Series",), "object by label; an array when the index is one of unnamed integers", _series),
    Form(("pandas.Index", "pandas.ExtensionArray"), "array", _values),
    Form(("pandas.Period", "pandas.Interval"), "text", str),
    Form(("polars.DataFrame",), _OF_ROWS, lambda frame: frame.to_dicts()),
    Form(("polars.LazyFrame",), f"{_OF_ROWS}, collected", lambda frame: frame.collect()),
    Form(("polars.Series",), "array", lambda series: series.to_list()),
)
"""Every type that has a form of its own.

Of all others, dataclasses and mappings are objects, iterables are arrays, and the rest is an object of its public
attributes.
"""

_BY_NAME: dict[str, Callable[[Any], Any] | None] = {
    **{name: form.step for form in MAPPING for name in form.types},
    "coflows_jupyter.JsonText": lambda value: orjson.Fragment(value.data),
}
