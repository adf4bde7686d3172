"""The life of runs, without a clock or a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from coflows_jupyter.agents.model import AgentRun, AgentState, Mode, micros
from coflows_jupyter.agents.schedule import Schedule
from coflows_jupyter.agents.state import MOST_TICKS, admit, end, expire, plan, start
from coflows_jupyter.runtimes.agent import CatchUp, Overlap, Policy

NINE = datetime(2026, 11, 24, 9, tzinfo=UTC)
HOURLY = Schedule("0 0 * * * ?")


def at(minutes: float) -> int:
    """Return the instant so many minutes after nine."""
    return micros(NINE + timedelta(minutes=minutes))


def known(minutes: float, mode: Mode = "started") -> AgentState:
    """Return an Agent whose ticks have rows until then."""
    return AgentState(workflow="w", agent_id="a", mode=mode, cursor=at(minutes))


def run(name: str, minutes: float = 0, **more: object) -> AgentRun:
    """Return a run that is due then."""
    given = {"cause": "schedule", "function": "job", "argument": "[]", "key": name, "fire_at": at(minutes), **more}
    return AgentRun(run_id=name, workflow="w", agent_id="a", **given)  # type: ignore[arg-type]


def test_a_tick_on_time_is_due() -> None:
    """A tick that has come is due, once, and the next look is at the next one."""
    first = plan(HOURLY, Policy(), known(-1), at(0.01))
    assert [(row.state, row.cause) for row in first.rows] == [("due", "schedule")]
    assert (first.cursor, first.next_at) == (at(0.01), at(60))
    again = plan(HOURLY, Policy(), msgspec.structs.replace(known(0), cursor=first.cursor), at(0.02))
    assert again.rows == ()


@pytest.mark.parametrize(
    ("catchup", "expected"),
    [
        ("none", ["skipped", "skipped", "skipped", "due"]),
        ("last", ["skipped", "skipped", "due", "due"]),
        ("all", ["skipped", "due", "due", "due"]),
    ],
)
def test_what_was_missed_is_caught_up_as_the_policy_says(catchup: CatchUp, expected: list[str]) -> None:
    """Of four ticks, one past the window, two missed and one on time, the policy's are due; each has its row."""
    found = plan(HOURLY, Policy(catchup=catchup, window=2.5 * 3600), known(-181), at(0.5))
    assert [row.state for row in found.rows] == expected
    assert all(row.reason for row in found.rows[:3])
    assert found.rows[3].cause == "schedule"


def test_a_paused_agents_ticks_are_skipped() -> None:
    """Ticks of a paused Agent have rows that say so."""
    found = plan(HOURLY, Policy(), msgspec.structs.replace(known(-1, "paused"), why="by ada"), at(0.01))
    assert [(row.state, row.reason) for row in found.rows] == [("skipped", "paused by ada")]


def test_clocks_that_go_back_fire_nothing_twice() -> None:
    """What has a row is not due again when the machine's clock is set back, and later ticks come when it is time."""
    found = plan(HOURLY, Policy(), known(30), at(-30))
    assert found.rows == ()
    assert (found.cursor, found.next_at) == (at(30), at(60))


def test_clocks_that_leap_do_not_drown_the_ledger() -> None:
    """Of more ticks than rows may be made at once the latest have rows, and the first of those tells of the others."""
    found = plan(Schedule("* * * * * ?"), Policy(), known(-60 * 24 * 365), at(0))
    assert len(found.rows) == MOST_TICKS
    assert found.rows[-1].tick.at == NINE
    assert "since 2025-11-24T09:00:01Z have no rows" in found.rows[0].reason


@pytest.mark.parametrize(
    ("overlap", "started", "skipped", "cancelled"),
    [
        ("skip", [], ["b"], []),
        ("queue", [], [], []),
        ("cancel", [], [], ["a"]),
        ("allow", ["b"], [], []),
    ],
)
def test_a_tick_during_a_run(overlap: Overlap, started: list[str], skipped: list[str], cancelled: list[str]) -> None:
    """A tick that comes while an earlier run goes on is treated as the policy says."""
    found = admit([run("b", 1)], [run("a")], Policy(overlap=overlap), at(1))
    assert [r.run_id for r in found.start] == started
    assert [r.run_id for r in found.skip] == skipped
    assert [r.run_id for r in found.cancel] == cancelled
    assert all(r.reason for r in found.skip)
    assert all(r.stop for r in found.cancel)


def test_only_the_last_of_several_takes_the_place() -> None:
    """Of several ticks that are to cancel a run, the latest waits for its end and the others are skipped."""
    found = admit([run("b", 1), run("c", 2)], [run("a")], Policy(overlap="cancel"), at(2))
    assert ([r.run_id for r in found.skip], [r.run_id for r in found.cancel]) == (["b"], ["a"])
    assert [r.run_id for r in admit([run("c", 2)], [], Policy(overlap="cancel"), at(2)).start] == ["c"]


@pytest.mark.parametrize("cause", ["catchup", "set", "message", "manual", "backfill"])
def test_what_is_no_tick_waits_for_its_turn(cause: str) -> None:
    """Nothing but a tick on time is skipped because of a run that goes on, and the order is that of time."""
    due = [run("c", 2, cause=cause), run("b", 1, cause=cause)]
    assert admit(due, [run("a")], Policy(), at(3)).skip == ()
    assert [r.run_id for r in admit(due, [], Policy(), at(3)).start] == ["b"]


def test_a_retry_waits_longer_each_time_and_ends() -> None:
    """Failures are tried again after 10, 20 seconds, then it is over; a success ends it at once."""
    policy, now, current = Policy(retries=2), at(0), run("a")
    waits = []
    for _ in range(2):
        current = end(start(current, "me", now, 15), "failed", "it broke", policy, now)
        assert current.state == "due"
        assert "it broke" in current.reason
        waits.append((current.not_before - now) / 1_000_000)
        assert admit([current], [], policy, current.not_before - 1).start == ()
        now = current.not_before
    assert waits == [10, 20]
    last = start(current, "me", now, 15)
    assert last.attempt == 3
    assert end(last, "failed", "it broke", policy, now).state == "failed"
    assert end(last, "succeeded", "", policy, now).state == "succeeded"


def test_what_was_cancelled_is_not_tried_again() -> None:
    """Retries are for failures, not for what somebody stopped."""
    assert end(start(run("a"), "me", at(0), 15), "cancelled", "by ada", Policy(retries=5), at(1)).state == "cancelled"


def test_a_run_whose_server_vanished() -> None:
    """It is lost with a reason, and tried again only where the Agent says that this is harmless, and not for ever."""
    going = start(run("a"), "them", at(0), 15)
    assert expire(going, Policy(), at(1)).state == "lost"
    assert "them vanished" in expire(going, Policy(), at(1)).reason
    again = expire(going, Policy(retry_on_lost=True), at(1))
    assert (again.state, again.not_before) == ("due", at(1))
    assert expire(start(again, "me", at(1), 15), Policy(retry_on_lost=True), at(2)).state == "lost"
