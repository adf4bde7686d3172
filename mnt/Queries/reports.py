### <info version="1.0.0">
###     <title>Reports</title>
###     <description>A picture of the portfolio, and its history month by month.</description>
###     <license name="Apache 2.0" url="https://www.apache.org/licenses/LICENSE-2.0"/>
### </info>

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from Base.portfolio import charts, data
from matplotlib.figure import Figure

from coflows_jupyter import progress


### <api name="chart">
###     <description>The portfolio's value and drawdown: a picture as .png or .svg, a page as .html.</description>
###     <returns>a picture</returns>
###     <param name="start" type="date">first day; from the beginning when left out</param>
###     <param name="end" type="date">last day; to the end when left out</param>
###     <permissions>
###         <group id="$WID$" permission="read"/>
###     </permissions>
### </api>
def chart(start: date | None = None, end: date | None = None) -> Figure:
    return charts.value(data.value(start, end))


### <api name="monthly">
###     <description>How each month went. A stream: a month is sent as soon as it is computed.</description>
###     <returns>one object a month: its name, the value at its end, its return and its worst day</returns>
###     <param name="start" type="date">first day; from the beginning when left out</param>
###     <permissions>
###         <group id="$WID$" permission="read"/>
###     </permissions>
### </api>
def monthly(start: date | None = None) -> Iterator[dict[str, str | float]]:
    value = data.value(start)
    if value.empty:
        return
    months = value.groupby(value.index.to_period("M"))
    before = float(value.iloc[0])
    for done, (month, days) in enumerate(months, 1):
        last, returns = float(days.iloc[-1]), value.pct_change()[days.index]
        yield {
            "month": str(month),
            "value": round(last, 2),
            "return": round(last / before - 1, 4),
            "worst_day": round(float(returns.min()), 4),
        }
        before = last
        progress(done, len(months), str(month))
