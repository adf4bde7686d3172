"""Results: from what a function returns to bytes."""

from __future__ import annotations

import asyncio
import collections
import csv
import dataclasses
import datetime as dt
import decimal
import enum
import io
import json
import math
import pathlib
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from coflows_jupyter import Response
from coflows_jupyter.errors import NotAcceptableError
from coflows_jupyter.queries.figures import HTML, PNG, SVG
from coflows_jupyter.queries.results import ARROW, CSV, JSON, NDJSON, TEXT, encode


@dataclasses.dataclass
class Point:
    """A dataclass."""

    x: int


class Plain:
    """An object of its own."""

    def __init__(self) -> None:
        self.shown = 1
        self._hidden = 2


class Colour(enum.Enum):
    """An enum."""

    RED = "red"


Pair = collections.namedtuple("Pair", "a b")  # noqa: PYI024  (as users write them)
NEW_YEAR = dt.datetime(2024, 1, 1, 12, 30)  # noqa: DTZ001  (naive, as most are)
FRAME = pd.DataFrame({"price": [1.5, None], "name": ["a", "b"]})

JSON_FORMS = [
    (None, "null"),
    (True, "true"),
    (math.nan, "null"),
    (math.inf, "null"),
    (2**70, "1180591620717411303424"),
    ([2**64, decimal.Decimal("1.10")], "[18446744073709551616,1.10]"),
    (decimal.Decimal("1.10"), "1.10"),
    (NEW_YEAR, '"2024-01-01T12:30:00"'),
    (NEW_YEAR.date(), '"2024-01-01"'),
    (dt.timedelta(days=1, seconds=1.5), '"P1DT1.5S"'),
    (Colour.RED, '"red"'),
    (uuid.UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
    (pathlib.Path("a/b"), '"a/b"'),
    ([b"x"], '["eA=="]'),
    (1 + 2j, '{"real":1.0,"imag":2.0}'),
    ((1, 2), "[1,2]"),
    (range(3), "[0,1,2]"),
    ({3, 1, 2}, "[1,2,3]"),
    ({1: "a"}, '{"1":"a"}'),
    (collections.OrderedDict(b=1, a=2), '{"b":1,"a":2}'),
    (Point(1), '{"x":1}'),
    (Pair(1, 2), '{"a":1,"b":2}'),
    (Plain(), '{"shown":1}'),
    (np.float64(1.5), "1.5"),
    (np.arange(4).reshape(2, 2), "[[0,1],[2,3]]"),
    (np.array([1.0, np.nan]), "[1.0,null]"),
    (FRAME, '[{"price":1.5,"name":"a"},{"price":null,"name":"b"}]'),
    (FRAME.set_index("name"), '[{"name":"a","price":1.5},{"name":"b","price":null}]'),
    (pd.Series([1, 2]), "[1,2]"),
    (pd.Series([1], index=["a"]), '{"a":1}'),
    (pd.Timestamp(NEW_YEAR), '"2024-01-01T12:30:00"'),
    ([pd.NaT, pd.NA], "[null,null]"),
    ({"inside": FRAME.head(1)}, '{"inside":[{"price":1.5,"name":"a"}]}'),
]


@pytest.mark.parametrize(("value", "text"), JSON_FORMS, ids=[repr(value)[:30] for value, _ in JSON_FORMS])
def test_json_forms(value: Any, text: str) -> None:
    """Every kind of value has one JSON form."""
    encoded = encode(value, "")
    assert encoded.content_type == JSON
    assert encoded.body == text.encode()


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON_VALUES)
def test_json_round_trip(value: Any) -> None:
    """What JSON can hold comes back equal, integers of any size among it."""
    body = encode(value, JSON).body
    assert isinstance(body, bytes)
    assert json.loads(body) == value


@given(st.recursive(st.floats() | st.binary() | st.integers(), lambda i: st.lists(i) | st.tuples(i, i)))
def test_json_is_strict(value: Any) -> None:
    """No result, however odd its numbers, is anything but JSON."""

    def refuse(constant: str) -> None:
        pytest.fail(f"{constant} is no JSON")

    encoded = encode([value], "").body
    assert isinstance(encoded, bytes)
    json.loads(encoded, parse_constant=refuse)


@pytest.mark.parametrize("value", [object(), print, [object()]])
def test_no_json_form(value: Any) -> None:
    """A value without a form is refused with a sentence."""
    with pytest.raises(NotAcceptableError, match="JSON form"):
        encode(value, "")


def test_cycles_are_refused() -> None:
    """A list that contains itself is an error, not the end of the host."""
    value: list[Any] = []
    value.append(value)
    with pytest.raises(NotAcceptableError, match="contains itself"):
        encode(value, "")


@pytest.mark.parametrize(
    ("value", "rows"),
    [
        (FRAME, [["price", "name"], ["1.5", "a"], ["", "b"]]),
        ([{"a": 1}, {"b": "x,y"}], [["a", "b"], ["1", ""], ["", "x,y"]]),
        ({"a": [1, 2], "b": [3]}, [["a", "b"], ["1", "3"], ["2", ""]]),
        (FRAME.head(0), [["price", "name"]]),
        ([[1, 2], [3, 4]], [["1", "2"], ["3", "4"]]),
        ({"a": 1}, [["key", "value"], ["a", "1"]]),
        ([1, 2], [["1"], ["2"]]),
        (5, [["5"]]),
    ],
)
def test_csv(value: Any, rows: list[list[str]]) -> None:
    """Tables of all kinds are CSV that a reader reads back."""
    encoded = encode(value, CSV)
    assert encoded.content_type == "text/csv; charset=utf-8"
    assert isinstance(encoded.body, bytes)
    assert list(csv.reader(io.StringIO(encoded.body.decode(), newline=""))) == rows


def test_text() -> None:
    """Text is text, and a table is aligned."""
    assert encode("ä", TEXT).body == "ä".encode()
    assert encode(5, TEXT).body == b"5"
    assert encode([{"a": 10, "b": 2}, {"a": 1, "b": 3}], TEXT).body == b"a   b\n10  2\n1   3"


def numbers() -> Iterator[int]:
    """Yield two numbers."""
    yield 1
    yield 2


async def later() -> AsyncIterator[int]:
    """Yield two numbers on an event loop."""
    yield 1
    yield 2


def test_streams() -> None:
    """Generators are lines of JSON, or one array where that is asked for."""
    for accept, expected in (("", b"1\n2\n"), (NDJSON, b"1\n2\n"), (JSON, b"[1,2]")):
        body = encode(numbers(), accept).body
        assert isinstance(body, Iterator)
        assert b"".join(body) == expected

        async def collect(accept: str) -> bytes:
            body = encode(later(), accept).body
            assert isinstance(body, AsyncIterator)
            return b"".join([chunk async for chunk in body])

        assert asyncio.run(collect(accept)) == expected
    assert b"".join(encode(iter(()), JSON).body) == b"[]"  # type: ignore[arg-type]  # an iterator here


def test_bytes() -> None:
    """Bytes are bytes."""
    encoded = encode(b"\x00", "")
    assert (encoded.content_type, encoded.body) == ("application/octet-stream", b"\x00")


def test_not_acceptable() -> None:
    """A form that a value does not have is refused, and those that it has are named."""
    with pytest.raises(NotAcceptableError, match="application/json, text/csv"):
        encode(1, "image/png")
    with pytest.raises(NotAcceptableError, match="octet-stream"):
        encode(b"", CSV)


def test_html() -> None:
    """A table is a page with a table; text in it is text, whatever it looks like."""
    body = encode([{"a": 1, "b": "<script>"}], HTML).body
    assert isinstance(body, bytes)
    assert b"<td class=n>1</td><td>&lt;script&gt;</td>" in body
    assert encode("<b>", HTML).body.endswith(b"<pre>&lt;b&gt;</pre>")  # type: ignore[union-attr]  # bytes


def test_arrow() -> None:
    """A frame is an Arrow stream that reads back equal; other data has no such form."""
    frame = pd.DataFrame({"price": [1.5, None], "day": pd.to_datetime(["2024-01-01", "2024-01-02"])})
    body = encode(frame, ARROW).body
    assert isinstance(body, memoryview)
    pd.testing.assert_frame_equal(pa.ipc.open_stream(body).read_pandas(), frame)
    with pytest.raises(NotAcceptableError, match="text/csv"):
        encode([1], ARROW)


def matplotlib_figure() -> Figure:
    """Draw a line."""
    figure = Figure()
    figure.subplots().plot([1, 2])
    return figure


def altair_chart() -> Any:
    """Draw a bar."""
    return alt.Chart(pd.DataFrame({"a": ["x"], "b": [1]})).mark_bar().encode(x="a", y="b")


STARTS = {PNG: b"\x89PNG", SVG: b"<", HTML: b"<", JSON: b"{"}


@pytest.mark.parametrize(
    ("figure", "kinds"),
    [
        (matplotlib_figure, [PNG, SVG, HTML]),
        (lambda: go.Figure(go.Bar(y=[1])), [HTML, JSON]),
        (altair_chart, [HTML, JSON, PNG, SVG]),
    ],
    ids=["matplotlib", "plotly", "altair"],
)
def test_figures(figure: Any, kinds: list[str]) -> None:
    """Figures are pictures and pages; the first of their forms is what they come as unasked."""
    assert encode(figure(), "").content_type.startswith(kinds[0])
    for kind in kinds:
        body = encode(figure(), kind).body
        assert isinstance(body, bytes)
        assert body.lstrip().startswith(STARTS[kind])
        assert b'src="http' not in body
    with pytest.raises(NotAcceptableError):
        encode(figure(), CSV)


def test_equal_figures_are_equal_bytes() -> None:
    """A picture holds no time and no version."""
    assert encode(matplotlib_figure(), PNG).body == encode(matplotlib_figure(), PNG).body


def test_files(tmp_path: pathlib.Path) -> None:
    """The path of a file is its content, under the media type of its name."""
    file = tmp_path / "report.csv"
    file.write_bytes(b"a\n" * 300_000)
    encoded = encode(file, "")
    assert encoded.content_type == "text/csv"
    assert isinstance(encoded.body, Iterator)
    assert b"".join(encoded.body) == file.read_bytes()
    assert encode(file, CSV).content_type == "text/csv"
    with pytest.raises(NotAcceptableError, match="comes as text/csv"):
        encode(file, PNG)


def test_response() -> None:
    """A Response has a status, headers and a media type of its own; without the last its body decides."""
    encoded = encode(Response({"id": 1}, 201, {"Location": "/1"}), "")
    assert (encoded.status, encoded.headers, encoded.content_type) == (201, (("Location", "/1"),), JSON)
    assert encoded.body == b'{"id":1}'
    encoded = encode(Response("<b>hi</b>", content_type="text/html"), JSON)
    assert (encoded.content_type, encoded.body) == ("text/html", b"<b>hi</b>")
    with pytest.raises(ValueError, match="200 to 599"):
        Response(status=99)
