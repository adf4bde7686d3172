"""Arguments: from the raw text of a call to what the function takes."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coflows_jupyter.errors import ArgumentsError
from coflows_jupyter.queries.arguments import Binder
from coflows_jupyter.runtimes.signature import describe


def binder(function: Callable[..., Any]) -> Binder:
    """Make the binder of a function."""
    return Binder(function, describe(function))


def called(function: Callable[..., Any], form: Literal["query", "json"], data: str | bytes) -> Any:
    """Bind and call."""
    args, kwargs = binder(function).bind(form, data.encode() if isinstance(data, str) else data)
    return function(*args, **kwargs)


def misfits(function: Callable[..., Any], form: Literal["query", "json"], data: str) -> dict[str, str]:
    """Return the message of every field that does not fit."""
    with pytest.raises(ArgumentsError) as caught:
        binder(function).bind(form, data.encode())
    return {field.field: field.message for field in caught.value.fields}


def add(x: int, y: int = 10) -> tuple[int, int]:
    """Take two numbers, one of them optional."""
    return x, y


class Colour(enum.Enum):
    """An enum."""

    RED = "red"


@dataclass
class Trade:
    """A dataclass."""

    price: float
    name: str


def typed(
    items: list[int], colour: Colour, day: dt.date, maybe: int | None = None, *, flag: bool = False
) -> tuple[Any, ...]:
    """Take one of each."""
    return items, colour, day, maybe, flag


def anything(value):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201  (as users write)
    """Take something."""
    return value


@pytest.mark.parametrize(
    "query", ["x=1&y=2", "y=2&x=1", "p[0]=1&p[1]=2", "p[1]=2&p[0]=1", "p%5B0%5D=1&p%5B1%5D=2", "p=1&p=2", "a=1&b=2"]
)
def test_query_strings(query: str) -> None:
    """By name in any order, by index, or by position with any other names."""
    assert called(add, "query", query) == (1, 2)


@pytest.mark.parametrize("body", ['{"x":1,"y":2}', "[1,2]", '{"y":"2","x":1.0}'])
def test_json(body: str) -> None:
    """An object by name, an array by position."""
    assert called(add, "json", body) == (1, 2)


def test_defaults() -> None:
    """What is left out has its default, and no arguments at all is an empty text."""
    assert called(add, "query", "x=1") == (1, 10)
    assert called(add, "json", "[1]") == (1, 10)
    assert called(lambda: "called", "query", "") == "called"
    assert called(lambda: "called", "json", "{}") == "called"


def test_types_in_query_strings() -> None:
    """Text becomes the annotated type; lists are JSON or repeated names."""
    expected = ([1, 2], Colour.RED, dt.date(2024, 12, 31), None, True)
    assert called(typed, "query", "items=[1,2]&colour=red&day=2024-12-31&flag=true") == expected
    assert called(typed, "query", "items=1&items=2&colour=red&day=2024-12-31&maybe=null&flag=1") == expected


def test_objects() -> None:
    """A dataclass is an object, in a body and as JSON text in a query string."""

    def price(trade: Trade) -> float:
        return trade.price

    assert called(price, "json", '{"trade": {"price": 1.5, "name": "a"}}') == 1.5
    assert called(price, "json", '{"price": 1.5, "name": "a"}') == 1.5
    assert called(price, "query", urlencode({"trade": '{"price": 2, "name": "b"}'})) == 2.0


def test_text_stays_text() -> None:
    """Without a type an argument of a query string is text, as it was in the original."""
    assert called(anything, "query", "value=1") == "1"
    assert called(anything, "query", "p[0]=%C3%A4+b%2B") == "ä b+"


def test_whole_body() -> None:
    """A function with one untyped parameter gets the whole body as JSON text, as it did in the original."""
    assert called(anything, "json", '{"a": 1}') == '{"a": 1}'
    assert called(anything, "json", '{"value": 1}') == 1


def test_variadics() -> None:
    """*args take what is left by position, **kwargs any other name."""

    def all_of_it(first: int, *rest: float, **named: str) -> tuple[Any, ...]:
        return first, rest, named

    assert called(all_of_it, "json", '[1, 2.5, "3"]') == (1, (2.5, 3.0), {})
    assert called(all_of_it, "query", "first=1&other=x") == (1, (), {"other": "x"})


@pytest.mark.parametrize(
    ("form", "data", "fields"),
    [
        ("query", "y=1", {"x": "missing"}),
        ("query", "x=a&y=b", {"x": "whole number", "y": "whole number"}),
        ("query", "x=1&z=2", {"z": "no parameter"}),
        ("json", '{"xx": 1}', {"x": "missing", "xx": "did you mean x?"}),
        ("json", '{"x": 2.5}', {"x": "whole number"}),
        ("json", "{", {"body": ""}),
        ("json", "5", {"body": ""}),
        ("query", "x=%ff", {}),
    ],
)
def test_misfits(form: Literal["query", "json"], data: str, fields: dict[str, str]) -> None:
    """Every field that does not fit is named, with what is wrong with it."""
    found = misfits(add, form, data)
    if fields and "body" not in fields:
        assert set(found) == set(fields)
        for field, text in fields.items():
            assert text in found[field]
    else:
        assert found


def test_too_many() -> None:
    """Surplus arguments are refused, not dropped."""
    assert misfits(add, "json", "[1, 2, 3]")
    assert misfits(add, "query", "p[0]=1&p[1]=2&p[2]=3")


SCALARS: list[tuple[Any, st.SearchStrategy[Any], Callable[[Any], str]]] = [
    (int, st.integers(), str),
    (float, st.floats(allow_nan=False, allow_infinity=False), repr),
    (str, st.text(), str),
    (bool, st.booleans(), lambda value: str(value).lower()),
    (dt.date, st.dates(), str),
    (dt.datetime, st.datetimes(), lambda value: value.isoformat()),
    (decimal.Decimal, st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9), str),
    (list[int], st.lists(st.integers(-(2**63), 2**63)), json.dumps),
    (dict[str, int], st.dictionaries(st.text(), st.integers(-(2**63), 2**63)), json.dumps),
]


@pytest.mark.parametrize(("kind", "values", "text"), SCALARS, ids=[str(kind) for kind, _, _ in SCALARS])
def test_round_trip(kind: Any, values: st.SearchStrategy[Any], text: Callable[[Any], str]) -> None:
    """A value written into a query string or a body comes out equal."""

    def echo(value: Any) -> Any:
        return value

    echo.__annotations__ = {"value": kind}
    bound = binder(echo)

    @given(values)
    def check(value: Any) -> None:
        args, kwargs = bound.bind("query", urlencode({"value": text(value)}).encode())
        assert echo(*args, **kwargs) == value
        body = value if kind in {int, float, str, bool, list[int], dict[str, int]} else text(value)
        args, kwargs = bound.bind("json", json.dumps({"value": body}).encode())
        assert echo(*args, **kwargs) == value

    check()
