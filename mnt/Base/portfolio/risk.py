"""What the portfolio may lose: from its history, and from simulated futures."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def value_at_risk(returns: pd.Series[float], confidence: float = 0.95) -> float:
    """Return the loss that a day exceeds with probability ``1 - confidence``, as a positive fraction."""
    return float(-returns.quantile(1 - confidence))


def expected_shortfall(returns: pd.Series[float], confidence: float = 0.95) -> float:
    """Return the mean loss of the days that exceed the value at risk, as a positive fraction."""
    return float(-returns[returns <= returns.quantile(1 - confidence)].mean())


def simulate(
    returns: pd.DataFrame, weights: pd.Series[float], days: int, paths: int, seed: int
) -> Iterator[NDArray[np.float64]]:
    """Draw possible futures, in batches of 500: each day repeats the returns of a random day of the past.

    Yields:
        The growth factors of the portfolio after `days`, one for each path of the batch.
    """
    random = np.random.default_rng(seed)
    history = returns.to_numpy() @ weights.to_numpy()
    for first in range(0, paths, 500):
        drawn = random.choice(history, size=(min(500, paths - first), days))
        yield np.prod(1 + drawn, axis=1)
