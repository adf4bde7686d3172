"""Why an Agent did or did not run: there is a sentence for everything that can become of a tick."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from coflows_jupyter.agents.explain import explain, named
from coflows_jupyter.agents.model import AgentRun, AgentState, micros
from coflows_jupyter.runtimes.agent import AgentEntry

NINE = datetime(2026, 11, 24, 9, tzinfo=UTC)
NOW = micros(NINE + timedelta(hours=3))
ENTRY = AgentEntry("a", "A", schedule="0 0 * * * ?", callbacks=("job",))
KNOWN = AgentState(workflow="w", agent_id="a", schedule=ENTRY.schedule, cursor=NOW)


def run(state: str, **more: Any) -> AgentRun:
    """Return a run that was due at nine."""
    given = {"key": "k", "cause": "schedule", "function": "job", "argument": "[]", "fire_at": micros(NINE), **more}
    return AgentRun(run_id="r1", workflow="w", agent_id="a", state=state, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (run("due"), "it waits for its turn"),
        (run("due", not_before=NOW, reason="attempt 1 failed: x"), "it is tried again at 2026-11-24T12:00:00Z"),
        (run("running", owner="me", started_at=micros(NINE)), "it goes on (run r1 on me, started 2026-11-24T09"),
        (run("succeeded", attempt=2), "it succeeded (run r1, attempt 2)"),
        (run("failed", reason="ValueError: x"), "it failed: ValueError: x"),
        (run("timed_out", reason="the call took longer than 5 s"), "it took too long and was stopped"),
        (run("cancelled", reason="by ada"), "it was cancelled: by ada"),
        (run("lost", reason="them vanished during attempt 1"), "it was lost: them vanished during attempt 1"),
        (run("skipped", reason="paused by ada"), "it was skipped: paused by ada"),
    ],
)
def test_every_state_has_its_sentence(found: AgentRun, words: str) -> None:
    """A tick with a row is told by it: state, reason, run, server, attempt and times."""
    (sentence,) = explain(ENTRY, KNOWN, [found], micros(NINE), NOW)
    assert sentence.startswith("2026-11-24T09:00:00Z (schedule): ")
    assert words in sentence


@pytest.mark.parametrize(
    ("state", "at", "words"),
    [
        (KNOWN, NINE + timedelta(minutes=30), "is no time of its schedule '0 0 * * * ?' (Every hour); the next time"),
        (KNOWN, NINE + timedelta(hours=4), "is still to come; it is started"),
        (None, NINE, "not known to the database"),
        (KNOWN, NINE, "the Agent was stopped or did not exist then"),
    ],
)
def test_without_a_row_the_reason_is_found(state: AgentState | None, at: datetime, words: str) -> None:
    """A time without a row is explained by the schedule, by the Agent's state, or by what is missing."""
    (sentence,) = explain(ENTRY, state, [], micros(at), NOW)
    assert words in sentence


def test_a_stopped_agent_says_how_to_start_it() -> None:
    """The sentence names who stopped it, and the command that starts it."""
    state = AgentState(workflow="w", agent_id="a", mode="stopped", why="by ada", schedule=ENTRY.schedule)
    (sentence,) = explain(ENTRY, state, [], NOW + 3_600_000_000, NOW)
    assert sentence == "it is stopped by ada; start it with: coflows agents start a"


def test_an_agent_without_schedule_says_what_it_runs_for() -> None:
    """What only listens has no times."""
    (sentence,) = explain(AgentEntry("a", "A", listens="prices"), KNOWN, [], NOW, NOW)
    assert sentence.endswith("when a message arrives, and when the M set prices changes")


def test_a_time_of_day_is_the_last_one_on_the_agents_clock() -> None:
    """``09:00`` is nine o'clock where the schedule is, today or yesterday; ISO 8601 is UTC unless it says more."""
    paris = AgentEntry("a", "A", schedule="0 0 9 * * ? @ Europe/Paris")
    nine = datetime(2026, 11, 24, 9, tzinfo=ZoneInfo("Europe/Paris"))
    assert named("09:00", paris, NOW) == micros(nine)
    assert named("9:00:30", paris, micros(nine)) == micros(nine - timedelta(days=1) + timedelta(seconds=30))
    assert named("2026-11-24T09:00", paris, NOW) == micros(NINE)
    with pytest.raises(ValueError, match="no point in time"):
        named("noon", paris, NOW)
