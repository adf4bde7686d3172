"""A market that moves: one Agent quotes prices on a schedule, another watches what it quotes."""

from __future__ import annotations

import random
from datetime import datetime

from Base.portfolio import data

from coflows_jupyter import Change, M, agent

ALARM = 0.01


@agent("0/10 * * * * ?", name="quotes")
def quote(timestamp: datetime, _kind: str) -> None:
    """Quotes every asset anew, every ten seconds: its last price, moved a little."""
    quotes = M.Base("quotes")
    closing = data.prices().iloc[-1]
    for asset, close in closing.items():
        known = quotes.get(asset) or {"price": close}
        price = round(known["price"] * random.gauss(1, 0.004), 2)
        quotes.put(asset, {"asset": asset, "price": price, "close": float(close), "time": f"{timestamp:%H:%M:%S}"})


@agent(listens="quotes", name="watch")
def watch(change: Change) -> None:
    """Raises an alarm when an asset moves by more than one percent from its last closing price."""
    quote = change.value
    move = quote["price"] / quote["close"] - 1
    if change.kind != "remove" and abs(move) > ALARM:
        print(f"{quote['asset']} moved by {move:+.2%}")
        M.Base("alarms").put(quote["asset"], {"asset": quote["asset"], "move": round(move, 4), "time": quote["time"]})
