"""Prices and holdings, as they lie in Files/."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

import pandas as pd

FILES = Path(__file__).resolve().parents[2] / "Files"


@cache
def _prices() -> pd.DataFrame:
    return pd.read_csv(FILES / "prices.csv", index_col="date", parse_dates=True)


def prices(start: date | None = None, end: date | None = None) -> pd.DataFrame:
    """Return daily closing prices: one row a trading day, one column an asset."""
    return _prices().loc[start:end].copy()


def units() -> pd.Series[float]:
    """Return how many units of each asset the portfolio holds."""
    return pd.read_csv(FILES / "holdings.csv", index_col="asset")["units"]


def value(start: date | None = None, end: date | None = None) -> pd.Series[float]:
    """Return the value of the whole portfolio on each trading day."""
    return prices(start, end).mul(units()).sum(axis="columns").rename("value")


def positions() -> list[tuple[str, float, float, float]]:
    """Return of each asset its name, how many units there are, its last price and its yearly volatility."""
    daily = prices().pct_change().std() * 252**0.5
    table = pd.DataFrame({"units": units(), "price": prices().iloc[-1], "volatility": daily})
    return [(str(row[0]), float(row[1]), float(row[2]), float(row[3])) for row in table.itertuples()]
