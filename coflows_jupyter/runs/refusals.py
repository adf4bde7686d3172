"""How many calls that never came to a function get a row.

Whoever finds the address can make as many of them as the network takes. All are counted in the metrics; rows they get
only so many that they never push the runs out of the history.
"""

from __future__ import annotations

import time
from collections.abc import Callable


class Allowance:
    """Lets ``burst`` pass at once, and one more every ``seconds``.

    Args:
        burst: how many at once.
        seconds: after how long there is room for one more.
        clock: seconds that only grow.
    """

    def __init__(self, burst: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst = burst
        self._seconds = seconds
        self._clock = clock
        self._full = clock()

    def take(self) -> bool:
        """Return whether there is room for one more, and use it."""
        now = self._clock()
        # The moment at which all of the burst would be there again says everything that there is to keep.
        full = max(self._full, now) + self._seconds
        if full - now > self._burst * self._seconds:
            return False
        self._full = full
        return True


class Refusals:
    """Decides which refused calls get a row: fewer of those that nobody answers for."""

    def __init__(self) -> None:
        self._unknown = Allowance(20, 30.0)
        self._known = Allowance(100, 1.0)

    def keeps(self, *, known: bool) -> bool:
        """Return whether this one gets a row.

        Args:
            known: whether the caller is identified.
        """
        return (self._known if known else self._unknown).take()
