"""Pictures of the portfolio."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from . import performance


def value(series: pd.Series[float]) -> Figure:
    """Draw what the portfolio was worth, and below it how far that was from its highest value before."""
    figure = Figure(figsize=(9, 5), layout="constrained")
    upper, lower = figure.subplots(2, sharex=True, height_ratios=(3, 1))
    upper.plot(series.index, series)
    upper.set_title("Value of the portfolio")
    upper.grid(alpha=0.3)
    drawdown = 100 * performance.drawdown(series.to_frame())[series.name]
    lower.fill_between(drawdown.index, drawdown, color="tab:red", alpha=0.5)
    lower.set_ylabel("drawdown, %")
    lower.grid(alpha=0.3)
    return figure
