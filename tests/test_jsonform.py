"""The JSON form of values: what data libraries, odd numbers, odd keys and odd objects become."""

from __future__ import annotations

import collections
import csv
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import io
import json
import timeit
from collections.abc import Iterator
from typing import Any, ClassVar

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from coflows_jupyter.errors import NotAcceptableError
from coflows_jupyter.jsonform import MAPPING, to_json
from coflows_jupyter.queries.tables import to_csv, to_text
from coflows_jupyter.runtimes.interrupt import CallCancelled


class Price(enum.Enum):
    """An enum whose value is no JSON by itself."""

    LOW = decimal.Decimal("1.50")


class Slotted:
    """An object without a dictionary."""

    __slots__ = ("_hidden", "shown")

    def __init__(self) -> None:
        self.shown = 1
        self._hidden = 2


class Model(BaseModel):
    """A pydantic model with a secret in it."""

    key: SecretStr = SecretStr("secret")
    day: dt.date = dt.date(2024, 1, 1)


class Struct(msgspec.Struct):
    """A struct of msgspec."""

    x: int = 1


@dataclasses.dataclass
class Holder:
    """A dataclass that holds anything."""

    shared: ClassVar[int] = 1
    value: Any


Pair = collections.namedtuple("Pair", "a b")  # noqa: PYI024  (as users write them)


def frame(**columns: Any) -> pd.DataFrame:
    """Make a frame."""
    return pd.DataFrame(columns)


def nanoseconds(*texts: str) -> np.ndarray[Any, Any]:
    """Make an array of dates as pandas holds them."""
    return np.array(texts, dtype="M8[ns]")


VALUES = [
    (
        {"a": [2**70, -(2**64)], "b": Pair(1, 2**70)},
        '{"a":[1180591620717411303424,-18446744073709551616],"b":{"a":1,"b":1180591620717411303424}}',
    ),
    (Holder(2**70), '{"value":1180591620717411303424}'),
    (["\ud800", {"\ud800": 1}], '["?",{"?":1}]'),
    ({Price.LOW: 1, np.int64(2): 2, (3, "c"): 3}, '{"1.50":1,"2":2,"3.c":3}'),
    ({None: 1, True: 2, 1.5: 3, dt.date(2024, 1, 1): 4}, '{"null":1,"true":2,"1.5":3,"2024-01-01":4}'),
    ({"once": (i for i in range(3)), "large": 2**70}, '{"once":[0,1,2],"large":1180591620717411303424}'),
    (decimal.Decimal("1E+9"), "1E+9"),
    ([decimal.Decimal("NaN"), decimal.Decimal("-Infinity")], "[null,null]"),
    (fractions.Fraction(1, 4), "0.25"),
    (dt.time(1, tzinfo=dt.UTC), '"01:00:00+00:00"'),
    (-dt.timedelta(microseconds=5), '"-P0DT0.000005S"'),
    (Price.LOW, "1.50"),
    (Slotted(), '{"shown":1}'),
    (Model(), '{"key":"**********","day":"2024-01-01"}'),
    (Struct(), '{"x":1}'),
    ({"a": 1}.items(), '[["a",1]]'),
    (memoryview(b"ab"), '"YWI="'),
    # NumPy
    (nanoseconds("2024-01-01", "NaT"), '["2024-01-01T00:00:00",null]'),
    (nanoseconds("2024-01-01T00:00:00.000000001", "NaT"), '["2024-01-01T00:00:00.000000001",null]'),
    (nanoseconds("2024-01-01T00:00:00.000000001")[0], '"2024-01-01T00:00:00.000000001"'),
    ([np.datetime64("NaT"), np.datetime64("2024-01-01")], '[null,"2024-01-01"]'),
    (np.array([1500], dtype="m8[ms]"), '["P0DT1.5S"]'),
    (np.array(5.0), "5.0"),
    (np.zeros((2, 2))[:, 0], "[0.0,0.0]"),
    (np.arange(2, dtype=">i4"), "[0,1]"),
    (np.longdouble(1.5), "1.5"),
    (np.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")]), '[{"a":1,"b":2.5}]'),
    (np.array(["a", None], dtype=object), '["a",null]'),
    # pandas
    (frame(a=[1, 2, 3]).query("a > 1"), '[{"a":2},{"a":3}]'),
    (frame(a=[1]).set_index(pd.Index(["k"])), '[{"index":"k","a":1}]'),
    (frame(index=[1]).set_index(pd.Index(["k"])), '[{"index":"k","index.1":1}]'),
    (frame(a=[1], b=[2]).set_axis(["a", "a"], axis=1), '[{"a":1,"a.1":2}]'),
    (frame(v=[1], k=["x"], n=[2]).set_index(["k", "n"]), '[{"k":"x","n":2,"v":1}]'),
    (frame(v=[1]).set_axis(pd.MultiIndex.from_tuples([("p", 1)]), axis=1), '[{"p.1":1}]'),
    (frame(v=pd.array([1, None], dtype="Int64")), '[{"v":1},{"v":null}]'),
    (frame(t=pd.to_datetime(["2024-01-01", "NaT"], utc=True)), '[{"t":"2024-01-01T00:00:00+00:00"},{"t":null}]'),
    (frame(c=pd.Categorical(["x"])), '[{"c":"x"}]'),
    (pd.Series([1.0], index=pd.to_datetime(["2024-01-01"])), '{"2024-01-01T00:00:00":1.0}'),
    (pd.Series([1, 2], index=["a", "a"]), '[{"index":"a","value":1},{"index":"a","value":2}]'),
    (pd.Series([1, 2])[[1]], "[2]"),
    (pd.Index([1, 2]), "[1,2]"),
    ([pd.Period("2024-01"), pd.Timedelta("1h")], '["2024-01","P0DT3600S"]'),
]


@pytest.mark.parametrize(("value", "text"), VALUES, ids=[f"{n}-{type(v).__name__}" for n, (v, _) in enumerate(VALUES)])
def test_forms(value: Any, text: str) -> None:
    """Every kind of value has one form, the same at the top and inside of others."""
    assert to_json(value).decode() == text
    if not isinstance(value, dict) or "once" not in value:
        assert to_json({"in": [value]}).decode() == '{"in":[' + text + "]}"
        assert to_json([value, 2**70]).decode() == f"[{text},{2**70}]"


def test_polars() -> None:
    """Frames of polars are as those of pandas."""
    pl = pytest.importorskip("polars")
    table = pl.DataFrame({"a": [1, None], "d": [dt.date(2024, 1, 1), None]})
    assert to_json(table) == b'[{"a":1,"d":"2024-01-01"},{"a":null,"d":null}]'
    assert to_json(table.lazy()) == to_json(table)
    assert to_json(table["a"]) == b"[1,null]"


class Tree:
    """A node that knows its parent: every path through it goes round in circles."""

    def __init__(self) -> None:
        self.children: list[Tree] = []
        self.parent: Tree | None = None


def test_cycles_end_soon() -> None:
    """A web of objects is refused at the first circle, not after trying every way through it."""
    root = Tree()
    for _ in range(10):
        child = Tree()
        child.parent = root
        root.children.append(child)
    with pytest.raises(NotAcceptableError, match="contains itself"):
        to_json(root)


@pytest.mark.parametrize("value", [object(), len, json, Tree, lambda: 1, 10**5000], ids=range(6))
def test_no_form(value: Any) -> None:
    """Code, empty objects and absurd numbers are refused in a sentence."""
    with pytest.raises(NotAcceptableError, match="JSON form"):
        to_json({"a": [value]})


def test_interrupts_come_through() -> None:
    """A call that is cancelled while its result is encoded ends, and is not encoded once more."""

    class Slow:
        def __iter__(self) -> Iterator[int]:
            raise CallCancelled

    with pytest.raises(CallCancelled):
        to_json([Slow()])


def test_the_users_own_error_comes_through() -> None:
    """What an object of the user's raises while it is read is the user's to see."""

    def broken() -> Iterator[int]:
        yield 1
        raise LookupError("no more")

    for value in ([broken()], {"a": {"b": broken()}}):
        with pytest.raises(LookupError, match="no more"):
            to_json(value)


@given(st.lists(st.datetimes() | st.none(), min_size=1))
def test_dates_are_the_same_everywhere(dates: list[dt.datetime | None]) -> None:
    """A date has one text, be it a Python value, an item of an array, or in a frame."""
    expected = to_json(dates)
    assert to_json(np.array(dates, dtype="M8[us]")) == expected
    column = pd.Series(np.array(dates, dtype="M8[us]"))
    assert to_json(column) == expected
    assert json.loads(to_json(pd.DataFrame({"d": column}))) == [{"d": d} for d in json.loads(expected)]


CELLS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec="utf-8"))
    | st.decimals()
    | st.dates()
)


@given(st.lists(st.fixed_dictionaries({"a": CELLS, "b": CELLS})))
def test_any_table_is_csv_and_text(rows: list[dict[str, Any]]) -> None:
    """Every table has both forms, and a reader of CSV finds each cell in its place."""
    read = csv.DictReader(io.StringIO(to_csv(rows).decode(), newline=""))
    for found, row in zip(read, rows, strict=True):
        assert {n: found[n] for n, v in row.items() if type(v) is str} == {
            n: v for n, v in row.items() if type(v) is str
        }
    assert to_text(rows) or not rows


def test_cells_keep_their_digits() -> None:
    """A cell is what JSON has, so numbers lose nothing on the way; text under .csv is CSV already."""
    assert to_csv([{"a": decimal.Decimal("1.10"), "b": 2**70, "c": [1], "d": dt.date(2024, 1, 1), "e": True}]) == (
        b"a,b,c,d,e\r\n1.10,1180591620717411303424,[1],2024-01-01,true\r\n"
    )
    assert to_csv([{"a": "=1+1"}]) == b"a\r\n=1+1\r\n"
    assert to_csv("x;y\n") == b"x;y\n"


def test_every_type_of_the_table_is_named_once() -> None:
    """The table is what the code goes by, so a type can't have two forms."""
    names = [name for form in MAPPING for name in form.types]
    assert len(names) == len(set(names))
    assert all(form.json for form in MAPPING)


def test_small_results_are_quick() -> None:
    """A small result takes microseconds; the bound is loose enough for a busy machine."""
    value = {"a": 1, "b": [1.5, 2.5]}
    best = min(timeit.repeat(lambda: to_json(value), number=1000, repeat=5)) / 1000
    assert best < 20e-6
