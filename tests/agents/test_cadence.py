"""Whether an Agent keeps its schedule's pace, as its last runs show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coflows_jupyter.agents.cadence import FEWEST, Pace, drift
from coflows_jupyter.agents.model import AgentRun

SKIPPED = None
BUSY = "run r of 2026-11-24T09:00:00Z was still going on"


def runs(late: Sequence[float | None], gap: float, reason: str = BUSY, **more: Any) -> list[AgentRun]:
    """Return runs that began so many seconds after their ticks, the latest first; ``SKIPPED`` ones did not begin."""
    found = []
    for number, seconds in enumerate(late):
        at = round((1_000_000 + number * gap) * 1_000_000)
        begun = {"state": "succeeded", "attempt": 1, "started_at": at + round((seconds or 0) * 1_000_000)}
        fate: dict[str, Any] = {"state": "skipped", "reason": reason} if seconds is SKIPPED else begun
        given: dict[str, Any] = {"key": f"{number}", "cause": "schedule", "function": "job", "argument": "[]"} | more
        found.append(AgentRun(run_id=f"r{number}", workflow="w", agent_id="a", fire_at=at, **(given | fate)))
    return found[::-1]


@given(st.lists(st.floats(0, 0.9), max_size=30), st.sampled_from([1.0, 60.0, 86400.0]))
def test_what_is_on_time_is_not_told(late: list[float], gap: float) -> None:
    """Runs that begin within a second are as punctual as anything, whatever the schedule."""
    assert drift(runs(late, gap)) == ""


@given(st.floats(2, 50), st.integers(FEWEST, 20))
def test_constant_lateness_is_no_drift(seconds: float, count: int) -> None:
    """A queue that always takes the same time keeps the schedule's gaps."""
    assert drift(runs([seconds] * count, 60)) == ""


def test_runs_that_begin_later_and_later_are_told() -> None:
    """The sentence has how late they were and how late they are."""
    found = drift(runs([0.1 + 2 * number for number in range(10)], 5))
    assert found == "its runs begin later and later: 0.1 s after their ticks 9 runs ago, 18.1 s now"


def test_an_agent_that_recovers_is_not_told() -> None:
    """What has begun on time again is no longer late."""
    assert drift(runs([0.1] * 10 + [8, 7, 6, 5, 4, 3, 2, 1, 0.1, 0.1], 20)) == ""


def test_runs_at_other_distances_than_their_ticks_are_told() -> None:
    """Lateness that comes and goes changes the gaps, though the mean is the schedule's."""
    found = drift(runs([0, 9] * 10, 60))
    assert found == "its runs begin up to 9 s late: gaps differ from the schedule's 1 min by 9 s"


def test_ticks_that_are_left_out_are_told() -> None:
    """Two of three ticks find the run before going on: the real gap is three times the schedule's."""
    found = drift(runs([0.0, SKIPPED, SKIPPED] * 6, 2))
    assert found.startswith("it runs every 6 s rather than every 2 s: of the last 18 ticks only 6 ran")
    assert drift(runs([SKIPPED] * 20, 2)).startswith("it runs less often than every 2 s")


@pytest.mark.parametrize("reason", ["paused by ada", "missed: no server was there, and catch-up is none"])
def test_what_is_left_out_on_purpose_is_no_drift(reason: str) -> None:
    """A pause, and a policy about missed ticks, say nothing of how the Agent keeps its pace."""
    assert drift(runs([0.0] * 7 + [SKIPPED] * 13, 2, reason)) == ""


def test_only_its_schedule_is_its_pace() -> None:
    """Backfilled and caught-up ticks begin late by their nature."""
    assert drift(runs([1000.0 * number for number in range(20)], 60, cause="catchup")) == ""


def test_a_pace_is_worked_out_once_for_each_run() -> None:
    """What was taken after a run is asked for again when another one is over."""
    pace = Pace()
    first, second = runs([0, 0], 1)[::-1]
    assert pace.stale([first]) == [first]
    pace.take([(first, "late")])
    assert pace.stale([first]) == []
    assert (pace.stale([second]), pace.drift("a"), pace.drift("b")) == ([second], "late", "")
