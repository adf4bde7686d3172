### <info version="1.0.0">
###     <title>Risk</title>
###     <description>What the portfolio may lose.</description>
###     <license name="Apache 2.0" url="https://www.apache.org/licenses/LICENSE-2.0"/>
### </info>

from __future__ import annotations

from typing import Annotated

import numpy as np
import pandas as pd
from Base.portfolio import data, performance, risk
from pydantic import Field


### <api name="value_at_risk">
###     <description>The loss that a day of the past exceeded with probability 1 - confidence.</description>
###     <returns>an amount of money</returns>
###     <param name="confidence" type="float">between 0 and 1, e.g. 0.95</param>
###     <permissions>
###         <group id="$WID$" permission="read"/>
###     </permissions>
### </api>
def value_at_risk(confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95) -> float:
    value = data.value()
    returns = performance.returns(value.to_frame())["value"]
    return round(risk.value_at_risk(returns, confidence) * float(value.iloc[-1]), 2)


### <api name="worst_days">
###     <description>The days on which the portfolio lost most.</description>
###     <returns>a table: day, return and value, the worst first</returns>
###     <param name="count" type="int">how many days</param>
###     <permissions>
###         <group id="$WID$" permission="read"/>
###     </permissions>
### </api>
def worst_days(count: Annotated[int, Field(ge=1, le=1000)] = 5) -> pd.DataFrame:
    table = data.value().to_frame()
    table.insert(0, "return", table["value"].pct_change().round(5))
    return table.nsmallest(count, "return")


### <api name="simulate" timeout="30s">
###     <description>Where the portfolio may stand after some days. Slow on purpose: it draws each day.</description>
###     <returns>the mean and the quantiles of the portfolio's simulated value</returns>
###     <param name="days" type="int">how many trading days ahead</param>
###     <param name="paths" type="int">how many futures to draw</param>
###     <param name="seed" type="int">the same seed draws the same futures</param>
###     <permissions>
###         <group id="$WID$" permission="read"/>
###     </permissions>
### </api>
def simulate(
    days: Annotated[int, Field(ge=1, le=504)] = 252,
    paths: Annotated[int, Field(ge=1, le=2_000_000)] = 2_000_000,
    seed: Annotated[int, Field(ge=0)] = 1,
) -> dict[str, float]:
    prices, value = data.prices(), float(data.value().iloc[-1])
    weights = data.units() * prices.iloc[-1] / value
    growth: list[np.ndarray] = []
    for batch in risk.simulate(performance.returns(prices), weights, days, paths, seed):
        growth.append(batch)
        if len(growth) % 400 == 0:
            print(f"{500 * len(growth):,} of {paths:,} paths")
    values = np.concatenate(growth) * value
    quantiles = {f"{q:.0%}": round(float(np.quantile(values, q)), 2) for q in (0.01, 0.05, 0.5, 0.95, 0.99)}
    return {"mean": round(float(values.mean()), 2), **quantiles}
