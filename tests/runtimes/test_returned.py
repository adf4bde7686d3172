"""Schemas of what functions return agree with what the encoding of results writes."""

from __future__ import annotations

import datetime as dt
import decimal
import json
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import pandas as pd
import pytest

from coflows_jupyter.queries.results import JSON, encode
from coflows_jupyter.runtimes.signature import returned


class Point(NamedTuple):
    """A named tuple, which is answered as an object."""

    x: int


class Row(TypedDict):
    """A dictionary with known keys."""

    name: str


@dataclass
class Order:
    """A dataclass with what pydantic would write otherwise."""

    price: decimal.Decimal
    at: dt.date


JSON_TYPES = {"integer": int, "number": float, "string": str, "boolean": bool, "null": type(None), "array": list}


@pytest.mark.parametrize(
    ("annotation", "value", "kind"),
    [
        (int, 1, "integer"),
        (float, 1.5, "number"),
        (bool, True, "boolean"),
        (None, None, "null"),
        (decimal.Decimal, decimal.Decimal("1.5"), "number"),
        (dt.datetime, dt.datetime(2026, 1, 2, tzinfo=dt.UTC), "string"),
        (list[int], [1], "array"),
        (Point, Point(1), "object"),
        (Row, {"name": "a"}, "object"),
        (Order, Order(decimal.Decimal(1), dt.date(2026, 1, 2)), "object"),
        (pd.DataFrame, pd.DataFrame({"a": [1]}), "array"),
    ],
)
def test_schema_agrees_with_the_answer(annotation: Any, value: Any, kind: str) -> None:
    """The JSON type that the schema names is the one that is answered."""
    assert returned(annotation)["type"] == kind
    body = encode(value, JSON).body
    assert isinstance(body, bytes)
    assert isinstance(json.loads(body), JSON_TYPES.get(kind, dict))


def test_a_decimal_inside_is_a_number() -> None:
    """Our own encoding counts inside of other types, too."""
    assert returned(Order)["properties"]["price"]["type"] == "number"
    assert returned(pd.DataFrame) == {"type": "array", "items": {"type": "object"}}


@pytest.mark.parametrize(
    "annotation",
    [Any, bytes, Path, Iterator[int], AsyncIterator[int], Iterable[int], pd.Series, list[pd.DataFrame]],
)
def test_what_is_unknown_has_no_schema(annotation: Any) -> None:
    """Streams, bytes and types without a JSON form promise nothing."""
    assert returned(annotation) == {}
