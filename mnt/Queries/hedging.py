### <info version="1.0.0">
###     <title>Hedging</title>
###     <description>What protection does to the portfolio: Python, with prices of C#'s.</description>
### </info>

from __future__ import annotations

import pandas as pd
from Base.portfolio import data


### <api name="ladder">
###     <description>Puts on one asset for several floors.</description>
###     <returns>a table: one row a floor, with the price of a put and how it moves with the asset</returns>
###     <param name="asset" type="str">name of the asset</param>
###     <param name="months" type="float">how long</param>
###     <permissions>
###         <group id="$WID$" permission="read"/>
###     </permissions>
### </api>
def ladder(asset: str = "", months: float = 6) -> pd.DataFrame:
    from Pricing import Options  # a namespace of C#'s: without .NET only this function fails

    name, _, price, volatility = next(row for row in data.positions() if asset in {"", row[0]})
    floors = [0.8, 0.85, 0.9, 0.95, 1.0]
    quotes = [Options.Put(price, floor * price, months / 12, volatility) for floor in floors]
    rows = [(name, floor, round(q.Price, 4), round(q.Delta, 4)) for floor, q in zip(floors, quotes, strict=True)]
    return pd.DataFrame(rows, columns=["asset", "floor", "put", "delta"])
