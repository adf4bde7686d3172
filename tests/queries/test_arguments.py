"""Arguments: from the raw text of a call to what the function takes."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

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


class Size(enum.IntEnum):
    """An enum of numbers."""

    SMALL = 1
    LARGE = 2


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


@pytest.mark.parametrize(
    ("query", "expected"), [("=1", "1"), ("=1&=2", "12"), ("&&x=1&", "1"), ("x", ""), ("y=%zz", "%zz")]
)
def test_odd_query_strings(query: str, expected: str) -> None:
    """Names and values may be empty, empty parts count for nothing, and a bare percent sign stands for itself."""

    def take(x: str = "", y: str = "") -> str:
        return x + y

    assert called(take, "query", query) == expected


def test_only_position() -> None:
    """A parameter that Python takes by position only may still be given by its name."""

    def take(a: int, b: int = 2, /, c: int = 3, *rest: int, d: int = 4) -> tuple[Any, ...]:
        return a, b, c, rest, d

    for form, data in (
        ("query", "a=1&c=5"),
        ("json", '{"a": 1, "c": 5}'),
        ("json", "[1, 2, 5]"),
        ("query", "p[0]=1&p[1]=2&p[2]=5"),
    ):
        assert called(take, form, data) == (1, 2, 5, (), 4)  # type: ignore[arg-type]  # the forms
    assert called(take, "json", '{"a": 1, "rest": [8, 9], "d": 0}') == (1, 2, 3, (8, 9), 0)
    assert called(take, "query", "a=1&rest=8&rest=9&d=0") == (1, 2, 3, (8, 9), 0)
    assert misfits(take, "query", "b=1") == {"a": "is missing"}
    assert misfits(take, "json", '{"a": 1, "rest": 5}') == {"rest": "should be an array"}
    assert misfits(take, "json", '{"a": 1, "rest": [5, "x"]}') == {"rest[1]": "should be a whole number"}


def test_args_in_query_strings() -> None:
    """Items of *args are text or JSON, by name as by position."""

    def take(*orders: Order) -> list[float]:
        return [order.price for order in orders]

    assert called(take, "query", 'orders={"price":1}&orders={"price":2}') == [1, 2]
    assert called(take, "query", 'p[0]={"price":1}&p[1]={"price":2}') == [1, 2]
    assert misfits(take, "query", 'orders={"price":1}&orders={}') == {"orders[1].price": "is missing"}


def test_only_name() -> None:
    """What Python takes by name only has no position."""

    def take(*, a: int) -> int:
        return a

    assert called(take, "query", "a=1") == 1
    assert called(take, "json", "5") == 5
    assert "too many" in misfits(take, "query", "p[0]=1")["p[0]"]


def test_open_functions_take_any_name() -> None:
    """With **kwargs no name is foreign, so nothing but p[i] is a position."""

    def take(a: int = 0, **named: float) -> tuple[int, dict[str, float]]:
        return a, named

    assert called(take, "query", "z=1") == (0, {"z": 1.0})
    assert called(take, "query", "=1") == (0, {"": 1.0})
    assert called(take, "query", "p[0]=1") == (1, {})
    assert called(take, "json", '{"a": 1, "b": 2}') == (1, {"b": 2.0})
    assert misfits(take, "query", "z=1&z=2") == {"z": "is given more than once"}
    assert misfits(take, "query", "z=x") == {"z": "should be a number"}


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ("p[0]=1&p[0]=2", "p[0]", "more than once"),
        ("p[1]=1", "p[0]", "missing"),
        ("x=1&x=2&y=3", "x", "more than once"),
        ("x=1&q=2", "q", "the parameters are: x, y"),
    ],
)
def test_contradictory_query_strings(query: str, field: str, message: str) -> None:
    """A gap, a repetition and a mixture of names are told, not guessed."""
    assert message in misfits(add, "query", query)[field]


class Order(BaseModel):
    """A model that holds itself."""

    price: float
    parts: list[Order] = []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"price": "x"}', "order.price"),
        ('{"price": 1, "parts": [{"price": 2}, {}]}', "order.parts[1].price"),
        ('{"order": {}}', "order.price"),
        ('[{"price": []}]', "order.price"),
        ('{"order": 5}', "order"),
    ],
)
def test_place_inside_a_value(body: str, field: str) -> None:
    """What is wrong inside a value is named by its place in it."""

    def take(order: Order) -> Order:
        return order

    assert list(misfits(take, "json", body)) == [field]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("[1, 2]", [1, 2]),
        ("[[1, 2]]", [1, 2]),
        ("[5]", [5]),
        ("[]", []),
        ('{"items": [1]}', [1]),
        ("[[]]", []),
    ],
)
def test_one_parameter_that_is_a_list(body: str, expected: list[int]) -> None:
    """An array is the arguments where that fits, else the only one."""

    def take(items: list[int]) -> list[int]:
        return items

    assert called(take, "json", body) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("items=1", [1]),
        ("items=1&items=2", [1, 2]),
        ("items=[1,2]", [1, 2]),
        ("items=[]", []),
        ("p=[1,2]", [1, 2]),
        ("p[0]=[1,2]", [1, 2]),
    ],
)
def test_lists_in_query_strings(query: str, expected: list[int]) -> None:
    """A list is one item, a repeated name or JSON."""

    def take(items: list[int]) -> list[int]:
        return items

    assert called(take, "query", query) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("true", True), ("1", True), ("yes", True), ("False", False), ("0", False)]
)
def test_bool_in_query_strings(text: str, expected: bool) -> None:
    """Truth has the words that pydantic knows; any other is a misfit."""

    def take(*, flag: bool) -> bool:
        return flag

    assert called(take, "query", f"flag={text}") is expected
    assert misfits(take, "query", "flag=2") == {"flag": "should be true or false"}


@pytest.mark.parametrize("text", ["null", ""])
def test_none_in_query_strings(text: str) -> None:
    """An optional value is none where it is ``null`` or empty; where text will do, it is that text."""

    def take(number: int | None = 1, name: str | None = "x") -> tuple[Any, ...]:
        return number, name

    assert called(take, "query", f"number={text}&name={text}") == (None, text)


def test_fields_of_pydantic() -> None:
    """``Field`` as a default gives the default, the constraint and what is required."""

    def take(
        a: int = Field(3, ge=1),
        *,
        b: Annotated[int, Field(lt=9)] = 5,
        c: int = Field(ge=2),
        d: list[int] = Field([]),  # noqa: B008  (as users write)
    ) -> tuple[Any, ...]:
        return a, b, c, d

    assert called(take, "query", "c=2") == (3, 5, 2, [])
    assert set(misfits(take, "query", "a=0&b=9&c=1")) == {"a", "b", "c"}
    assert misfits(take, "json", "{}") == {"c": "is missing"}

    def disordered(a: int = Field(3), b: int = Field(ge=2)) -> tuple[int, int]:
        return a, b

    assert called(disordered, "json", "[1, 2]") == (1, 2)
    assert misfits(disordered, "query", "b=2") == {"a": "is missing"}


def test_annotations_that_mean_nothing() -> None:
    """A type that can't be resolved or hashed takes what it gets; the function stays callable."""

    def take(a: Annotated[dict[str, int], []], b: Missing = 1) -> tuple[Any, ...]:  # type: ignore[name-defined]  # noqa: F821
        return a, b

    assert called(take, "query", 'a={"x":1}&b=2') == ({"x": 1}, "2")

    def alone(a: Annotated[dict[str, int], []]) -> dict[str, int]:
        return a

    assert called(alone, "json", '{"x": 1}') == {"x": 1}


@pytest.mark.parametrize(
    "body", ["[" * 100_000, "\xff", '"\\ud800"', "[1,]", "NaN", "{'x': 1}", '{"x": [' + "9" * 400 + "]}"]
)
def test_hostile_bodies(body: str) -> None:
    """No body makes anything but arguments or a misfit of them."""
    assert misfits(add, "json", body)


def test_numbers_of_any_size() -> None:
    """Integers have no limit that a user meets; beyond it is a misfit."""
    assert called(add, "query", "x=" + "9" * 1000)[0] == int("9" * 1000)
    assert called(add, "json", '{"x": ' + "9" * 1000 + "}")[0] == int("9" * 1000)
    assert "fewer digits" in misfits(add, "query", "x=" + "9" * 5000)["x"]


def test_many_misfits_are_told_by_the_first() -> None:
    """A long list of wrong items makes neither a long answer nor a long wait."""

    def take(items: list[int]) -> None:
        """Take numbers."""

    assert len(misfits(take, "json", json.dumps([["x"] * 20_000]))) <= 100


@given(st.binary(), st.sampled_from(["query", "json"]))
def test_any_bytes(data: bytes, form: Literal["query", "json"]) -> None:
    """Whatever a caller sends is bound or refused."""
    for bound in (_ADD, _TYPED, _ANYTHING):
        try:
            bound.bind(form, data)
        except ArgumentsError as error:
            assert error.fields  # noqa: PT017  (a bound call is as good)


@given(st.lists(st.tuples(st.sampled_from(["x", "y", "p[0]", "p[1]", "p", "z", ""]), st.text(max_size=3))))
def test_any_pairs(pairs: list[tuple[str, str]]) -> None:
    """Whatever names a query string mixes, it is bound or refused."""
    try:
        _ADD.bind("query", urlencode(pairs).encode())
    except ArgumentsError as error:
        assert error.fields  # noqa: PT017


_ADD, _TYPED, _ANYTHING = binder(add), binder(typed), binder(anything)

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
    (Literal[1, "b"], st.sampled_from([1, "b"]), str),
    (Colour, st.sampled_from(Colour), lambda value: value.value),
    (Size, st.sampled_from(Size), lambda value: str(int(value))),
    (int | None, st.none() | st.integers(), json.dumps),
    (float | None, st.none() | st.floats(allow_nan=False, allow_infinity=False), json.dumps),
    (dt.time, st.times(), lambda value: value.isoformat()),
    (dt.datetime, st.datetimes(timezones=st.just(dt.UTC)), lambda value: value.isoformat()),
    (tuple[int, str], st.tuples(st.integers(), st.text()), json.dumps),
    (set[int], st.sets(st.integers()), lambda value: json.dumps(list(value))),
    (list[str], st.lists(st.text()), json.dumps),
    (Trade, st.builds(Trade, st.floats(allow_nan=False), st.text()), lambda value: json.dumps(vars(value))),
]
AS_TEXT = {dt.date, dt.datetime, dt.time, decimal.Decimal, Colour}
AS_DOCUMENT = {set[int], Size, Trade}


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
        body = text(value) if kind in AS_TEXT else json.loads(text(value)) if kind in AS_DOCUMENT else value
        args, kwargs = bound.bind("json", json.dumps({"value": body}).encode())
        assert echo(*args, **kwargs) == value

    check()
