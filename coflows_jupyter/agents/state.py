"""The life of an Agent's runs: what happens in, what is to be done out. Nothing here reads a clock or a database.

::

              overlap, catch-up, pause
    (tick) ──► due ────────────────────► skipped
                │ ▲
       admitted │ │ retry, lost and retried
                ▼ │
              running ──► succeeded │ failed │ timed_out │ cancelled │ lost
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal

import msgspec

from coflows_jupyter.agents.model import AgentRun, AgentState, Cause, State, instant, iso, micros
from coflows_jupyter.agents.schedule import Schedule, Tick
from coflows_jupyter.runtimes.agent import Policy

# A tick this late was missed rather than slow.
MISSED_SECONDS = 60.0
# How many ticks one look at a schedule gives rows of their own; of more, only the latest have.
MOST_TICKS = 1000

_SECOND = 1_000_000
# How the reasons of ticks begin that are not to run because somebody, or a policy, wants it so.
_PAUSED, _MISSED = "paused", "missed"

Outcome = Literal["succeeded", "failed", "timed_out", "cancelled"]


class Row(msgspec.Struct, frozen=True):
    """A row that a tick is to get: due, or skipped at once for a reason."""

    tick: Tick
    cause: Cause
    state: State
    reason: str = ""


class Plan(msgspec.Struct, frozen=True):
    """What follows from looking at an Agent's schedule.

    Args:
        rows: one for each tick since the last look.
        cursor: up to where ticks have rows now.
        next_at: the next instant, 0 when there is none.
    """

    rows: tuple[Row, ...]
    cursor: int
    next_at: int


class Admission(msgspec.Struct, frozen=True):
    """What is to be done about an Agent's due runs.

    Args:
        start: those whose turn it is.
        skip: those that will not run, with the reason as theirs.
        cancel: those whose owners are to stop them for the sake of a later one.
    """

    start: tuple[AgentRun, ...] = ()
    skip: tuple[AgentRun, ...] = ()
    cancel: tuple[AgentRun, ...] = ()


class Step(msgspec.Struct):
    """What one look at the database gave a server to do.

    Args:
        start: runs that are this server's now.
        stop: runs of this server that are to be stopped.
        lost: runs whose owners vanished.
        next_at: when to look again in microseconds, 0 for when something happens.
    """

    start: list[AgentRun] = []
    stop: list[AgentRun] = []
    lost: list[AgentRun] = []
    next_at: int = 0


def plan(schedule: Schedule, policy: Policy, agent: AgentState, now: int) -> Plan:
    """Give every tick since the last look a row.

    Args:
        schedule: when the Agent is due.
        policy: what happens to ticks that were missed.
        agent: what is remembered of it.
        now: microseconds.
    """
    seen, end = instant(agent.cursor), instant(max(now, agent.cursor))
    ticks = list(islice(schedule.between(seen, end), MOST_TICKS + 1))
    left_out = ""
    if len(ticks) > MOST_TICKS:
        left_out = f"; older ticks since {iso(micros(ticks[0].at))} have no rows"
        ticks = _latest(schedule, end)
    following = schedule.after(end)
    missed = [tick for tick in ticks if now - micros(tick.at) > MISSED_SECONDS * _SECOND]
    rows = [_row(tick, policy, agent, now, missed) for tick in ticks]
    if left_out:
        rows[0] = msgspec.structs.replace(rows[0], reason=rows[0].reason + left_out)
    return Plan(tuple(rows), micros(end), micros(following[0].at) if following else 0)


def _latest(schedule: Schedule, end: datetime) -> list[Tick]:
    """Return the last ``MOST_TICKS`` ticks until ``end``, of which there are more."""
    span = timedelta(minutes=1)
    while len(ticks := deque(schedule.between(end - span, end), MOST_TICKS)) < MOST_TICKS:
        span *= 2
    return list(ticks)


def _row(tick: Tick, policy: Policy, agent: AgentState, now: int, missed: Sequence[Tick]) -> Row:
    if agent.mode == "paused":
        return Row(tick, "schedule", "skipped", f"{_PAUSED}{' ' + agent.why if agent.why else ''}")
    if tick not in missed:
        return Row(tick, "schedule", "due")
    if policy.catchup == "none":
        return Row(tick, "schedule", "skipped", f"{_MISSED}: no server was there, and catch-up is none")
    if now - micros(tick.at) > policy.window * _SECOND:
        return Row(tick, "schedule", "skipped", f"{_MISSED} longer ago than the catch-up window of {policy.window:g} s")
    if policy.catchup == "last" and tick.at != missed[-1].at:
        return Row(tick, "schedule", "skipped", f"{_MISSED}: only the last of the missed ticks is caught up")
    return Row(tick, "catchup", "due", f"{_MISSED}: no server was there")


def deliberate(run: AgentRun) -> bool:
    """Return whether a tick did not run because the Agent was paused, or because no server was there for it."""
    return run.state == "skipped" and run.reason.startswith((_PAUSED, _MISSED))


def admit(due: Iterable[AgentRun], running: Sequence[AgentRun], policy: Policy, now: int) -> Admission:
    """Decide which of an Agent's due runs start.

    Only ticks on time are subject to ``overlap``: a change, a message or a tick that is caught up waits for its turn.

    Args:
        due: all due runs, whether or not their time has come.
        running: those that go on.
        policy: the Agent's.
        now: microseconds.
    """
    ordered = sorted(due, key=lambda run: (run.fire_at, len(run.run_id), run.run_id))
    # One set's changes are told in order: the next one waits for the retries of the one before.
    held = next((run for run in ordered if run.cause == "set" and run.not_before > now), None)
    ready = [run for run in ordered if run.not_before <= now and not (held and run.cause == "set")]
    if policy.overlap == "allow":
        changes = [run for run in ready if run.cause == "set"]
        busy = any(run.cause == "set" for run in running)
        others = tuple(run for run in ready if run.cause != "set")
        return Admission(start=(*others, *changes[: not busy]))
    start: tuple[AgentRun, ...] = ()
    skip: list[AgentRun] = []
    cancel: list[AgentRun] = []
    going = list(running)
    last_tick = max((run.fire_at for run in ready if run.cause == "schedule"), default=0)
    for run in ready:
        fresh = run.cause == "schedule" and run.attempt == 0
        if fresh and policy.overlap == "skip" and going:
            skip.append(_skipped(run, f"run {going[0].run_id} of {iso(going[0].fire_at)} was still going on", now))
        elif fresh and policy.overlap == "cancel" and run.fire_at < last_tick:
            skip.append(_skipped(run, f"the tick of {iso(last_tick)} is due as well", now))
        elif fresh and policy.overlap == "cancel" and running:
            reason = f"run {run.run_id} of {iso(run.fire_at)} takes its place"
            cancel = [msgspec.structs.replace(other, stop=reason) for other in running if not other.stop]
        elif not going:
            start = (run,)
            going.append(run)
    return Admission(start, tuple(skip), tuple(cancel))


def _skipped(run: AgentRun, reason: str, now: int) -> AgentRun:
    return msgspec.structs.replace(run, state="skipped", reason=reason, ended_at=now)


def start(run: AgentRun, owner: str, now: int, lease: float) -> AgentRun:
    """Return ``run`` as its owner's next attempt."""
    return msgspec.structs.replace(
        run,
        state="running",
        attempt=run.attempt + 1,
        owner=owner,
        lease_until=now + round(lease * _SECOND),
        started_at=now,
        ended_at=0,
        stop="",
    )


def end(run: AgentRun, outcome: Outcome, error: str, policy: Policy, now: int) -> AgentRun:
    """Return ``run`` after its attempt ended: over, or due again.

    Args:
        run: running.
        outcome: how the attempt ended.
        error: what went wrong, in a sentence.
        policy: the Agent's.
        now: microseconds.
    """
    if outcome in {"failed", "timed_out"} and run.attempt <= policy.retries:
        wait = policy.backoff * 2 ** (run.attempt - 1)
        reason = f"attempt {run.attempt} {outcome.replace('_', ' ')}: {error}; again in {wait:g} s"
        return _again(run, reason, now + round(wait * _SECOND), now)
    return msgspec.structs.replace(run, state=outcome, reason=error, ended_at=now, lease_until=0)


def expire(run: AgentRun, policy: Policy, now: int) -> AgentRun:
    """Return ``run`` after its owner let the lease pass."""
    reason = f"{run.owner} vanished during attempt {run.attempt}"
    # A change of an M set is told at least once.
    if (policy.retry_on_lost or run.cause == "set") and run.attempt <= max(policy.retries, 1):
        return _again(run, reason + "; it is tried again", now, now)
    return msgspec.structs.replace(run, state="lost", reason=reason, ended_at=now, lease_until=0)


def _again(run: AgentRun, reason: str, when: int, now: int) -> AgentRun:
    return msgspec.structs.replace(run, state="due", reason=reason, not_before=when, ended_at=now, lease_until=0)


def own_schedules(agents: Iterable[AgentState]) -> list[tuple[AgentState, Schedule]]:
    """Return Agents with the schedules that their ticks have gone by until now."""
    return [(agent, Schedule(agent.schedule)) for agent in agents if agent.schedule]


def following(schedule: Schedule | None, after: int) -> int:
    """Return the first instant of a schedule after another, 0 when there is none."""
    ticks = schedule.after(instant(after)) if schedule else ()
    return micros(ticks[0].at) if ticks else 0
