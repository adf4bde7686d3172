"""One function for each kind of result, which all doors are asked for in each format."""

# ruff: noqa: N802  (named as Workflows name theirs)

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import plotly.graph_objects as go
import polars as pl
import pydantic
from matplotlib.figure import Figure

from coflows_jupyter import Response


class Colour(enum.Enum):
    """An enum."""

    RED = "red"


@dataclasses.dataclass
class Point:
    """A dataclass."""

    x: int
    y: float


class Model(pydantic.BaseModel):
    """A pydantic model."""

    name: str
    day: dt.date


def Nothing() -> None:
    """Return nothing."""


def Number() -> float:
    """Return a number."""
    return 1.5


def NotANumber() -> list[float]:
    """Return what JSON has no word for."""
    return [float("nan"), float("inf")]


def Large() -> int:
    """Return an integer of more than 64 bits."""
    return 2**70


def Text() -> str:
    """Return text with what has to be escaped somewhere."""
    return 'häß,"<b>'


def Decimal() -> decimal.Decimal:
    """Return a decimal."""
    return decimal.Decimal("1.10")


def Moment() -> dt.datetime:
    """Return a moment."""
    return dt.datetime(2024, 2, 29, 12, 30, tzinfo=dt.UTC)


def Duration() -> dt.timedelta:
    """Return a duration."""
    return dt.timedelta(days=1, seconds=1.5)


def Enum() -> Colour:
    """Return a member of an enum."""
    return Colour.RED


def Dataclass() -> Point:
    """Return a dataclass."""
    return Point(1, 2.5)


def Models() -> list[Model]:
    """Return pydantic models."""
    return [Model(name="a", day=dt.date(2024, 1, 1)), Model(name="b", day=dt.date(2024, 1, 2))]


def Columns() -> dict[str, list[int]]:
    """Return an object of lists."""
    return {"a": [1, 2], "b": [3]}


def Array() -> Any:
    """Return an array."""
    return np.arange(4.0).reshape(2, 2)


def Series() -> Any:
    """Return a labelled series."""
    return pd.Series([1.5, None], index=["a", "b"])


def Frame() -> pd.DataFrame:
    """Return a frame of pandas with an index."""
    days = pd.date_range("2024-01-01", periods=2, name="day")
    return pd.DataFrame({"price": [1.5, None], "name": ["a,b", "c"]}, index=days)


def Polars() -> pl.DataFrame:
    """Return a frame of polars."""
    return pl.DataFrame({"price": [1.5, None], "name": ["a", "b"]})


def Bytes() -> bytes:
    """Return bytes."""
    return bytes(range(256))


def File() -> Path:
    """Return a file."""
    return Path(__file__).with_name("report.csv")


def Lines() -> Iterator[dict[str, int]]:
    """Yield objects."""
    for i in range(3):
        yield {"i": i}


async def LinesLater() -> AsyncIterator[int]:
    """Yield numbers on an event loop."""
    for i in range(3):
        yield i


def Reply() -> Response:
    """Return a status and a header beside a table."""
    return Response([{"a": 1}], status=201, headers={"X-Mark": "yes"})


def Page() -> Response:
    """Return a page."""
    return Response("<h1>hi</h1>", content_type="text/html")


def Chart() -> Figure:
    """Return a figure of Matplotlib."""
    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([1, 3, 2])
    return figure


def Plotly() -> go.Figure:
    """Return a figure of Plotly."""
    return go.Figure(go.Bar(y=[1, 3, 2]))


def Altair() -> Any:
    """Return a chart of Altair."""
    return alt.Chart(pd.DataFrame({"a": ["x", "y"], "b": [1, 2]})).mark_bar().encode(x="a", y="b")
