### <info version="1.0.0">
###     <title>Market</title>
###     <description>What the Agents of Agents/market.py quote, and their alarms.</description>
###     <license name="Apache 2.0" url="https://www.apache.org/licenses/LICENSE-2.0"/>
### </info>

from __future__ import annotations

import pandas as pd

from coflows_jupyter import M


### <api name="quotes">
###     <description>The latest quote of every asset; none before the Agent has run.</description>
###     <returns>a table: price, last closing price and time of each asset</returns>
###     <permissions>
###         <group id="$WID$" permission="read"/>
###     </permissions>
### </api>
def quotes() -> pd.DataFrame:
    return M.Base("quotes").to_frame()


### <api name="alarms">
###     <description>The latest move of more than one percent of every asset.</description>
###     <returns>a table: move and time of each asset</returns>
###     <permissions>
###         <group id="$WID$" permission="read"/>
###     </permissions>
### </api>
def alarms() -> pd.DataFrame:
    return M.Base("alarms").to_frame()
