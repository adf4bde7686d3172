"""Why an Agent did or did not run, in sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from coflows_jupyter.agents.model import AgentRun, AgentState, instant, iso, late, micros
from coflows_jupyter.agents.schedule import Schedule
from coflows_jupyter.runs.model import moment
from coflows_jupyter.runtimes.agent import AgentEntry

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from coflows_jupyter.agents.store import AgentStore

_MINUTE = 60_000_000
# What begins this late is told so.
_SLOW_SECONDS = 1.0

_SENTENCES = {
    "due": "it waits for its turn",
    "running": "it goes on",
    "succeeded": "it succeeded",
    "failed": "it failed",
    "timed_out": "it took too long and was stopped",
    "cancelled": "it was cancelled",
    "lost": "it was lost",
    "skipped": "it was skipped",
}


def explain_at(store: AgentStore, connection: Connection, entry: AgentEntry, text: str, now: int) -> list[str]:
    """Say what became of an Agent at the time that a text names; see ``named`` and ``explain``.

    Args:
        store: the Workflow's.
        connection: in a transaction.
        entry: the Agent.
        text: names the time.
        now: microseconds.

    Raises:
        ValueError: it names none.
    """
    at = named(text, entry, now)
    state = next((agent for agent in store.agents(connection) if agent.agent_id == entry.id), None)
    found = explain(entry, state, store.runs(connection, entry.id, until=at + _MINUTE, limit=20), at, now)
    drift = store.drift(connection, entry.id, at + _MINUTE) if entry.schedule else ""
    return [*found, f"around then, {drift}"] if drift else found


def explain(entry: AgentEntry, state: AgentState | None, runs: Sequence[AgentRun], at: int, now: int) -> list[str]:
    """Say what became of an Agent at an instant.

    Args:
        entry: the Agent.
        state: what is remembered of it.
        runs: its runs around then, the latest first.
        at: microseconds; the minute that begins there is meant.
        now: microseconds.
    """
    found = [run for run in runs if at <= run.fire_at < at + _MINUTE]
    if found:
        return [_sentence(run) for run in reversed(found)]
    if state is None:
        return [f"{entry.id} is not known to the database: no server has opened it yet"]
    if not entry.schedule:
        listens = f", and when the M set {entry.listens} changes" if entry.listens else ""
        return [f"{entry.id} has no schedule: it runs when a message arrives{listens}"]
    return _without_row(entry, state, runs, at, now)


def named(text: str, entry: AgentEntry, now: int) -> int:
    """Return the instant that a text names, in microseconds.

    Args:
        text: ISO 8601, a duration until now, or a time of day: the last one, on the clock of the Agent's schedule.
        entry: the Agent.
        now: microseconds.

    Raises:
        ValueError: it names none.
    """
    if not re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", text):
        return micros(datetime.fromisoformat(moment(text)))
    zone = Schedule(entry.schedule).entries[0].zone if entry.schedule else UTC
    clock = instant(now).astimezone(zone)
    hour, minute, second = [int(part) for part in f"{text}:0".split(":")][:3]
    asked = clock.replace(hour=hour, minute=minute, second=second, microsecond=0)
    return micros(asked if asked <= clock else asked - timedelta(days=1))


def _sentence(run: AgentRun) -> str:
    what = _SENTENCES[run.state]
    if run.state == "due" and run.not_before:
        what = f"it is tried again at {iso(run.not_before)}"
    where = f" on {run.owner}" if run.owner else ""
    times = f", started {iso(run.started_at)}" if run.started_at else ""
    times += f" which is {seconds:.3g} s late" if (seconds := late(run)) and seconds >= _SLOW_SECONDS else ""
    times += f", ended {iso(run.ended_at)}" if run.ended_at and run.started_at else ""
    attempt = f", attempt {run.attempt}" if run.attempt > 1 else ""
    reason = f": {run.reason}" if run.reason else ""
    return f"{iso(run.fire_at)} ({run.cause}): {what}{reason} (run {run.run_id}{where}{attempt}{times})"


def _without_row(entry: AgentEntry, state: AgentState, runs: Sequence[AgentRun], at: int, now: int) -> list[str]:
    schedule = Schedule(entry.schedule)
    ticks = list(schedule.between(instant(at - 1), instant(at + _MINUTE - 1)))
    words = schedule.describe()
    if not ticks:
        following = schedule.after(instant(at))
        when = f"; the next time after it is {iso(micros(following[0].at))}" if following else ""
        return [f"{iso(at)} is no time of its schedule {entry.schedule!r} ({words}){when}"]
    if state.mode == "stopped":
        return [f"it is stopped{' ' + state.why if state.why else ''}; start it with: coflows agents start {entry.id}"]
    if at > now:
        return [f"{iso(at)} is still to come; it is {state.mode}"]
    if state.cursor < at:
        return ["no server has looked at this tick yet"]
    oldest = f"; the oldest row is of {iso(runs[-1].fire_at)}" if runs else ""
    return [f"there is no row: the Agent was stopped or did not exist then, or the row was deleted by age{oldest}"]
