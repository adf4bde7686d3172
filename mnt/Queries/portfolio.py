### <info version="1.0.0">
###     <title>Portfolio</title>
###     <description>What the portfolio holds and how it has done.</description>
###     <license name="Apache 2.0" url="https://www.apache.org/licenses/LICENSE-2.0"/>
### </info>

from __future__ import annotations

from datetime import date

import pandas as pd
from Base.portfolio import data, performance


### <api name="prices">
###     <description>Daily closing prices of every asset.</description>
###     <returns>a table: one row a trading day, one column an asset</returns>
###     <param name="start" type="date">first day; from the beginning when left out</param>
###     <param name="end" type="date">last day; to the end when left out</param>
###     <permissions>
###         <group id="$WID$" permission="read"/>
###     </permissions>
### </api>
def prices(start: date | None = None, end: date | None = None) -> pd.DataFrame:
    return data.prices(start, end)


### <api name="holdings">
###     <description>What the portfolio holds on its last day.</description>
###     <returns>a table: units, price, value and weight of each asset</returns>
###     <permissions>
###         <group id="$WID$" permission="read"/>
###     </permissions>
### </api>
def holdings() -> pd.DataFrame:
    table = data.units().to_frame()
    table["price"] = data.prices().iloc[-1]
    table["value"] = (table["units"] * table["price"]).round(2)
    table["weight"] = (table["value"] / table["value"].sum()).round(4)
    return table


### <api name="summary">
###     <description>Yearly return, volatility and worst drawdown of each asset and of the portfolio.</description>
###     <returns>a table: one row an asset, the last one the portfolio</returns>
###     <param name="start" type="date">first day; from the beginning when left out</param>
###     <permissions>
###         <group id="$WID$" permission="read"/>
###     </permissions>
### </api>
def summary(start: date | None = None) -> pd.DataFrame:
    table = data.prices(start)
    table["portfolio"] = data.value(start)
    return performance.summary(table)


### <api name="total">
###     <description>What the portfolio is worth on its last day.</description>
###     <returns>a number</returns>
###     <permissions>
###         <group id="$WID$" permission="view"/>
###     </permissions>
### </api>
def total() -> float:
    return round(float(data.value().iloc[-1]), 2)
