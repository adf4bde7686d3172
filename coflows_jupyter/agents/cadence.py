"""Whether an Agent keeps its schedule's pace: what its ticks promised, against when its runs really began."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median

from coflows_jupyter.agents.model import AgentRun, late
from coflows_jupyter.agents.state import deliberate

# How many of an Agent's latest ticks are looked at, and how many there have to be.
TICKS = 20
FEWEST = 6
# What is late by less than this part of the schedule's gap, or than the seconds, is on time; by more than the last
# number of seconds never is.
_SHARE = 0.1
_SHORTEST_SECONDS = 1.0
_LONGEST_SECONDS = 60.0
# With fewer of its ticks run than this, an Agent has another pace than its schedule's.
_KEPT = 0.8


def drift(runs: Sequence[AgentRun]) -> str:
    """Say in a sentence how an Agent does not keep its schedule's pace; empty when it does, or when that is not known.

    Args:
        runs: those that its schedule made, the latest first; only ``TICKS`` of them count. What a person or a policy
            of missed ticks left out is nobody's drift.
    """
    ticks = [run for run in reversed(runs[:TICKS]) if run.cause == "schedule" and not deliberate(run)]
    if len(ticks) < FEWEST:
        return ""
    gap = median((after.fire_at - before.fire_at) / 1_000_000 for before, after in pairwise(ticks))
    tolerance = min(max(gap * _SHARE, _SHORTEST_SECONDS), _LONGEST_SECONDS)
    seconds = [value for run in ticks if (value := late(run)) is not None]
    return _left_out(ticks, gap) or _lateness(seconds, gap, tolerance)


class Pace:
    """What was last said of each Agent, so that it is worked out once for each tick."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, str]] = {}

    def stale(self, latest: Iterable[AgentRun]) -> list[AgentRun]:
        """Return those of the latest runs of all Agents that are over, and of which nothing has been taken yet."""
        return [
            run
            for run in latest
            if run.state not in {"due", "running"} and self._known.get(run.agent_id, ("", ""))[0] != run.run_id
        ]

    def take(self, drifts: Iterable[tuple[AgentRun, str]]) -> None:
        """Take what is said of Agents after their latest runs."""
        self._known |= {run.agent_id: (run.run_id, drift) for run, drift in drifts}

    def drift(self, agent_id: str) -> str:
        """Return what was last said of an Agent."""
        return self._known.get(agent_id, ("", ""))[1]


def _left_out(ticks: Sequence[AgentRun], gap: float) -> str:
    """Say that many ticks did not run because earlier ones still did."""
    ran = [run for run in ticks if run.state != "skipped"]
    if len(ran) >= _KEPT * len(ticks):
        return ""
    begun = [run.started_at for run in ran if run.started_at]
    real = f"every {_text((begun[-1] - begun[0]) / 1e6 / (len(begun) - 1))} rather" if len(begun) > 1 else "less often"
    return (
        f"it runs {real} than every {_text(gap)}: of the last {len(ticks)} ticks only {len(ran)} ran, "
        "because runs take longer than the schedule leaves them"
    )


def _lateness(seconds: Sequence[float], gap: float, tolerance: float) -> str:
    """Say that runs begin later and later, or at other distances than the schedule's."""
    if len(seconds) < FEWEST:
        return ""
    half = len(seconds) // 2
    early, recent = median(seconds[:half]), median(seconds[-half:])
    if recent - early > tolerance and seconds[-1] > early + tolerance:
        return (
            f"its runs begin later and later: {_text(seconds[0])} after their ticks {len(seconds) - 1} runs ago, "
            f"{_text(seconds[-1])} now"
        )
    off = median(abs(after - before) for before, after in pairwise(seconds))
    if off > tolerance:
        differ = f"gaps differ from the schedule's {_text(gap)} by {_text(off)}"
        return f"its runs begin up to {_text(max(seconds))} late: {differ}"
    return ""


def _text(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if abs(seconds) >= length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:.3g} s"
