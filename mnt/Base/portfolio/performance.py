"""Returns, volatility and drawdowns of price series, given as columns of a frame or as one series."""

from __future__ import annotations

import numpy as np
import pandas as pd

TRADING_DAYS = 252


def returns(prices: pd.DataFrame) -> pd.DataFrame:
    """Return each day's relative change; the first day has none."""
    return prices.pct_change().iloc[1:]


def annual_return(prices: pd.DataFrame) -> pd.Series[float]:
    """Return the constant yearly growth that leads from the first price to the last; NaN where there are not two."""
    if len(prices) < 2:  # noqa: PLR2004
        return pd.Series(np.nan, index=prices.columns)
    years = (len(prices) - 1) / TRADING_DAYS
    return (prices.iloc[-1] / prices.iloc[0]) ** (1 / years) - 1


def volatility(prices: pd.DataFrame) -> pd.Series[float]:
    """Return the yearly standard deviation of the daily returns."""
    return returns(prices).std() * np.sqrt(TRADING_DAYS)


def drawdown(prices: pd.DataFrame) -> pd.DataFrame:
    """Return how far each day's price lies below the highest one before it (0 or negative)."""
    return prices / prices.cummax() - 1


def summary(prices: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each column of `prices`, with what matters most about it."""
    growth, risk = annual_return(prices), volatility(prices)
    return pd.DataFrame(
        {
            "annual_return": growth,
            "volatility": risk,
            "return_per_risk": growth / risk,
            "max_drawdown": drawdown(prices).min(),
        }
    ).round(4)
