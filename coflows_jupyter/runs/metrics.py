"""Counts of runs, in plain Python; ``server/metrics.py`` shows them to Prometheus."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from typing import NamedTuple

from coflows_jupyter.runs.live import Run

# Upper bounds in seconds; a call costs a tenth of a millisecond at least, and 60 s is the default deadline.
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Labels(NamedTuple):
    """What runs are told apart by."""

    query: str
    function: str
    outcome: str
    door: str


class Count:
    """Runs with the same labels.

    Attributes:
        total: how many ended.
        seconds: how long they took together.
        buckets: how many took at most as long as each of ``BOUNDS``, but longer than the one before; the last are
            those that took longer than all.
    """

    __slots__ = ("buckets", "seconds", "total")

    def __init__(self) -> None:
        self.total = 0
        self.seconds = 0.0
        self.buckets = [0] * (len(BOUNDS) + 1)


class Metrics:
    """Counts the runs of one Workflow since the server started."""

    def __init__(self) -> None:
        self.counts: dict[Labels, Count] = {}
        self.refused: Counter[Labels] = Counter()

    def add(self, run: Run) -> None:
        """Take a run that ended."""
        call = run.call
        labels = Labels(call.query, call.function, run.outcome, call.caller.door)
        count = self.counts.get(labels)
        if count is None:
            count = self.counts[labels] = Count()
        count.total += 1
        count.seconds += run.seconds
        count.buckets[bisect_left(BOUNDS, run.seconds)] += 1

    def refuse(self, query: str, function: str, *, outcome: str, door: str) -> None:
        """Take a call that never came to its function; the names are empty where there is none of that name."""
        self.refused[Labels(query, function, outcome, door)] += 1
