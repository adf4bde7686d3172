"""What there is to know about Agents and their runs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from coflows_jupyter.host.protocol import new_run_id
from coflows_jupyter.runtimes.agent import Callback

Mode = Literal["started", "paused", "stopped"]
Cause = Literal["schedule", "catchup", "set", "message", "manual", "backfill"]
State = Literal["due", "running", "succeeded", "failed", "timed_out", "cancelled", "lost", "skipped"]


class AgentRun(msgspec.Struct, frozen=True, kw_only=True):
    """One reason for an Agent to run, and what became of it. Times are microseconds since 1970 in UTC, 0 for never.

    Args:
        run_id: names it everywhere.
        workflow: the Workflow's ID.
        agent_id: the Agent's ID.
        key: what makes it unique for the Agent: the tick, the change of the M set, or the run's own ID.
        cause: why.
        function: which of the Agent's functions runs.
        argument: its arguments as a JSON array.
        fire_at: when it is due.
        state: what became of it; ``due`` waits, for its turn or for a retry.
        attempt: how often it was started; a result of an earlier attempt is refused.
        not_before: when a retry is due.
        owner: the server that runs it or ran it last.
        lease_until: when others may take it that its owner has vanished.
        started_at: when its last attempt began.
        ended_at: when that was over.
        reason: why it is in this state, in a sentence.
        stop: why its owner is asked to stop it, empty while it is not.
    """

    run_id: str
    workflow: str
    agent_id: str
    key: str
    cause: Cause
    function: Callback
    argument: str
    fire_at: int
    state: State = "due"
    attempt: int = 0
    not_before: int = 0
    owner: str = ""
    lease_until: int = 0
    started_at: int = 0
    ended_at: int = 0
    reason: str = ""
    stop: str = ""


def new_run(
    workflow: str, agent_id: str, cause: Cause, function: Callback, argument: str, fire_at: int, key: str = ""
) -> AgentRun:
    """Return a run that is due; see ``AgentRun``. Without a key it is like no other."""
    run_id = new_run_id()
    return AgentRun(
        run_id=run_id,
        workflow=workflow,
        agent_id=agent_id,
        key=key or run_id,
        cause=cause,
        function=function,
        argument=argument,
        fire_at=fire_at,
    )


class AgentState(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of an Agent between servers.

    Args:
        workflow: the Workflow's ID.
        agent_id: the Agent's ID.
        name: what to show, as its last Build said.
        mode: whether it is started; a paused Agent's ticks get rows, a stopped one has none.
        schedule: text of the schedule that ``cursor`` belongs to.
        cursor: the last instant whose ticks have rows, in microseconds.
        next_at: the next instant, 0 when there is none.
        changes: sequence number of the last change of its M set that has a row.
        why: who or what set ``mode``.
    """

    workflow: str
    agent_id: str
    name: str = ""
    mode: Mode = "started"
    schedule: str = ""
    cursor: int = 0
    next_at: int = 0
    changes: int = 0
    why: str = ""


class AgentModel(msgspec.Struct, frozen=True, kw_only=True):
    """An Agent, as the REST API and the command give it.

    Args:
        id: its ID.
        name: what to show.
        description: a sentence or more.
        path: file that declares it.
        mode: started, paused or stopped.
        schedule: when its job runs, empty without one.
        words: the same in plain language.
        upcoming: the next instants, ISO 8601 in UTC; none unless it is started.
        listens: ID of the M set that it listens to, empty without one.
        callbacks: which of its functions there are.
        policy: what happens to its runs.
        last: its latest run that is over.
        drift: how it does not keep its schedule's pace, in a sentence; empty when it does.
        running: IDs of runs that go on.
        notebook: the notebook that its job executes, empty for code.
        parameters: what the notebook is executed with.
    """

    id: str
    name: str
    description: str
    path: str
    mode: Mode
    schedule: str
    words: str
    upcoming: list[str]
    listens: str
    callbacks: tuple[Callback, ...]
    policy: dict[str, Any]
    last: dict[str, Any] | None
    drift: str
    running: list[str]
    notebook: str
    parameters: dict[str, Any]


# Later than any tick.
LAST = 2**62


def micros(moment: datetime) -> int:
    """Return an instant as microseconds since 1970."""
    return round(moment.timestamp() * 1_000_000)


def instant(value: int) -> datetime:
    """Return what ``micros`` gave as an instant in UTC."""
    return datetime.fromtimestamp(value / 1_000_000, UTC)


def iso(value: int) -> str | None:
    """Return what ``micros`` gave as ISO 8601 in UTC, ``None`` for never."""
    if not value:
        return None
    moment = instant(value)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")


def late(run: AgentRun) -> float | None:
    """Return seconds from when a run was due until it began, ``None`` where that is not known or was tried again."""
    return (run.started_at - run.fire_at) / 1_000_000 if run.started_at and run.attempt == 1 else None


def public(run: AgentRun) -> dict[str, Any]:
    """Return a run as the command and the REST API give it."""
    return {
        "run_id": run.run_id,
        "agent_id": run.agent_id,
        "fire_at": iso(run.fire_at),
        "state": run.state,
        "attempt": run.attempt,
        "owner": run.owner or None,
        "started_at": iso(run.started_at),
        "ended_at": iso(run.ended_at),
        "late_seconds": late(run),
        "reason": run.reason,
        "cause": run.cause,
        "function": run.function,
        "workflow": run.workflow,
    }
