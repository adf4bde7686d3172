"""The tables of Agents and their runs; everything here happens on the database's thread, in a transaction.

Several servers may work on one database. SQLite lets one of them write at a time; elsewhere a server locks the rows
of the Agents that it looks at, and passes over those that another has locked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec
import sqlalchemy as sa

from coflows_jupyter.agents import state
from coflows_jupyter.agents.model import AgentRun, AgentState, Mode, instant, micros
from coflows_jupyter.agents.schedule import Schedule
from coflows_jupyter.agents.state import Outcome
from coflows_jupyter.agents.tables import AGENTS, RUNS
from coflows_jupyter.host.protocol import new_run_id
from coflows_jupyter.runtimes.agent import AgentEntry, Policy

S = TypeVar("S", AgentRun, AgentState)

# How many Agents one transaction looks at.
MOST_AGENTS = 500

_MUTABLE = (
    "state",
    "cause",
    "attempt",
    "not_before",
    "owner",
    "lease_until",
    "started_at",
    "ended_at",
    "reason",
    "stop",
)
_UPDATE = (
    RUNS.update()
    .where(RUNS.c.run_id == sa.bindparam("_run_id"), RUNS.c.state == sa.bindparam("_state"))
    .where(RUNS.c.attempt == sa.bindparam("_attempt"))
    .values({name: sa.bindparam(name) for name in _MUTABLE})
)


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


class AgentStore:
    """The Agents of one Workflow, as one server sees them.

    Args:
        workflow: the Workflow's ID.
        owner: names this server among all.
        lease: seconds after which a run of a silent server is lost.
    """

    def __init__(self, workflow: str, owner: str, lease: float) -> None:
        self.owner = owner
        self.lease = lease
        self._workflow = workflow
        self._entries: Mapping[str, AgentEntry] = {}
        self._schedules: dict[str, Schedule] = {}

    # -- Agents --------------------------------------------------------------------------------------------------------

    def open(self, connection: sa.Connection, entries: Mapping[str, AgentEntry], now: int) -> None:
        """Take the Agents of a Build; a schedule that changed begins anew, one that did not goes on.

        Args:
            connection: in a transaction.
            entries: by ID.
            now: microseconds.
        """
        self._entries = entries
        self._schedules = {
            entry.id: Schedule(entry.schedule)
            for entry in entries.values()
            if entry.schedule and "job" in entry.callbacks
        }
        known = {agent.agent_id: agent for agent in self._locked(connection, wait=True)}
        for agent_id in entries:
            self._open(connection, agent_id, known.get(agent_id), now)
        gone = [agent_id for agent_id in known if agent_id not in entries]
        self._set(connection, gone, next_at=0)

    def _open(self, connection: sa.Connection, agent_id: str, agent: AgentState | None, now: int) -> None:
        schedule = self._schedules.get(agent_id)
        text = schedule.text if schedule else ""
        name = self._entries[agent_id].name
        following = _next(schedule, now)
        if agent is None:
            fresh = AgentState(
                workflow=self._workflow, agent_id=agent_id, name=name, schedule=text, cursor=now, next_at=following
            )
            connection.execute(AGENTS.insert(), msgspec.structs.asdict(fresh))
        elif agent.schedule != text:
            if agent.mode != "stopped":
                self._plan(connection, _own_schedules([agent]), now)
            opened = 0 if agent.mode == "stopped" else following
            self._set(connection, [agent_id], name=name, schedule=text, cursor=now, next_at=opened)
        elif agent.mode != "stopped" and not agent.next_at:
            self._set(connection, [agent_id], name=name, next_at=_next(schedule, agent.cursor))

    def agents(self, connection: sa.Connection) -> list[AgentState]:
        """Return what is remembered of the Workflow's Agents."""
        rows = connection.execute(sa.select(AGENTS).where(AGENTS.c.workflow == self._workflow))
        return [_read(AgentState, row) for row in rows]

    def set_mode(self, connection: sa.Connection, agent_id: str, mode: Mode, why: str, now: int) -> None:
        """Start, pause or stop an Agent.

        Ticks until ``now`` have rows of the mode before; one that was stopped begins anew at ``now``.
        """
        (agent,) = self._locked(connection, AGENTS.c.agent_id == agent_id, wait=True)
        values: dict[str, str | int] = {"mode": mode, "why": why}
        schedules = _own_schedules([agent])
        if agent.mode != "stopped":
            self._plan(connection, schedules, now)
        else:
            values |= {"cursor": now, "next_at": max((_next(schedule, now) for _, schedule in schedules), default=0)}
        if mode == "stopped":
            values |= {"next_at": 0}
        self._set(connection, [agent_id], **values)

    def _set(self, connection: sa.Connection, agents: Sequence[str], **values: str | int) -> None:
        for agent_id in agents:
            mine = (AGENTS.c.workflow == self._workflow, AGENTS.c.agent_id == agent_id)
            connection.execute(AGENTS.update().where(*mine).values(values))

    # -- runs ----------------------------------------------------------------------------------------------------------

    def step(self, connection: sa.Connection, now: int, free: int) -> Step:
        """Give ticks that came their rows, take what this server may run, and note who vanished.

        Args:
            connection: in a transaction.
            now: microseconds.
            free: how many runs this server can start.
        """
        step = Step()
        self._expire(connection, step, now)
        due = (AGENTS.c.next_at > 0, AGENTS.c.next_at <= now, AGENTS.c.mode != "stopped")
        agents = self._locked(connection, *due, limit=MOST_AGENTS)
        self._plan(connection, self._scheduled(agents), now)
        self._admit(connection, step, now, free)
        stop = (RUNS.c.state == "running", RUNS.c.owner == self.owner, RUNS.c.stop != "")
        step.stop = self._select(connection, *stop)
        step.next_at = now if len(agents) == MOST_AGENTS else self._next_look(connection, now)
        return step

    def _expire(self, connection: sa.Connection, step: Step, now: int) -> None:
        for run in self._select(connection, RUNS.c.state == "running", RUNS.c.lease_until < now, lock=True):
            after = state.expire(run, self._policy(run.agent_id), now)
            self._update(connection, [(run, after)])
            step.lost.append(after)

    def _scheduled(self, agents: Iterable[AgentState]) -> list[tuple[AgentState, Schedule]]:
        """Return the Agents that have a schedule here; that of another may be in another server's Build."""
        return [(agent, self._schedules[agent.agent_id]) for agent in agents if agent.agent_id in self._schedules]

    def _plan(self, connection: sa.Connection, agents: Iterable[tuple[AgentState, Schedule]], now: int) -> None:
        rows, moved = [], []
        for agent, schedule in agents:
            plan = state.plan(schedule, self._policy(agent.agent_id), agent, now)
            rows += [msgspec.structs.asdict(self._run(agent.agent_id, row, now)) for row in plan.rows]
            moved.append({"_agent_id": agent.agent_id, "cursor": plan.cursor, "next_at": plan.next_at})
        if rows:
            connection.execute(RUNS.insert(), rows)
        if moved:
            mine = (AGENTS.c.workflow == self._workflow, AGENTS.c.agent_id == sa.bindparam("_agent_id"))
            connection.execute(AGENTS.update().where(*mine), moved)

    def _run(self, agent_id: str, row: state.Row, now: int) -> AgentRun:
        skipped = row.state == "skipped"
        return AgentRun(
            run_id=new_run_id(),
            workflow=self._workflow,
            agent_id=agent_id,
            key=f"{row.tick.at:%Y-%m-%dT%H:%M:%SZ} {row.tick.type}",
            cause=row.cause,
            function="job",
            argument=msgspec.json.encode([row.tick.at.replace(tzinfo=None), row.tick.type]).decode(),
            fire_at=micros(row.tick.at),
            state=row.state,
            ended_at=now if skipped else 0,
            reason=row.reason,
        )

    def _admit(self, connection: sa.Connection, step: Step, now: int, free: int) -> None:
        waiting = (RUNS.c.workflow == self._workflow, RUNS.c.state == "due", RUNS.c.not_before <= now)
        agents = sa.select(RUNS.c.agent_id).where(*waiting).distinct()
        locked = self._locked(connection, AGENTS.c.agent_id.in_(agents), limit=MOST_AGENTS)
        mine = [agent.agent_id for agent in locked if agent.agent_id in self._entries]
        runs: dict[str, tuple[list[AgentRun], list[AgentRun]]] = {agent_id: ([], []) for agent_id in mine}
        for run in self._select(connection, RUNS.c.state.in_(("due", "running")), RUNS.c.agent_id.in_(mine)):
            runs[run.agent_id][run.state == "running"].append(run)
        changes: list[tuple[AgentRun, AgentRun]] = []
        for agent_id, (due, running) in runs.items():
            admission = state.admit(due, running, self._policy(agent_id), now)
            before = {run.run_id: run for run in (*due, *running)}
            for run in admission.start[: max(free - len(step.start), 0)]:
                step.start.append(started := state.start(run, self.owner, now, self.lease))
                changes.append((run, started))
            changes += [(before[run.run_id], run) for run in (*admission.skip, *admission.cancel)]
        self._update(connection, changes)

    def begin(self, connection: sa.Connection, run: AgentRun, now: int) -> AgentRun:
        """Give a run that begins at once, a message's, its row; return it as started."""
        started = state.start(run, self.owner, now, self.lease)
        connection.execute(RUNS.insert(), msgspec.structs.asdict(started))
        return started

    def add(self, connection: sa.Connection, runs: Sequence[AgentRun]) -> list[AgentRun]:
        """Give runs that wait for their turn their rows; those whose key is known are left out of what is returned."""
        keys = [run.key for run in runs]
        agents = {run.agent_id for run in runs}
        known = self._select(connection, RUNS.c.agent_id.in_(agents), RUNS.c.key.in_(keys))
        held = {(run.agent_id, run.key) for run in known}
        fresh = [run for run in runs if (run.agent_id, run.key) not in held]
        if fresh:
            connection.execute(RUNS.insert(), [msgspec.structs.asdict(run) for run in fresh])
        return fresh

    def backfill(self, connection: sa.Connection, entry: AgentEntry, start: int, end: int, now: int) -> list[AgentRun]:
        """Make every tick in ``start < tick <= end`` due that has no row or was skipped; return those."""
        ticks = [
            state.Row(tick, "backfill", "due")
            for tick in Schedule(entry.schedule).between(instant(start), instant(end))
        ]
        wanted = [msgspec.structs.replace(self._run(entry.id, row, now), reason="backfill") for row in ticks]
        span = (RUNS.c.agent_id == entry.id, RUNS.c.fire_at > start, RUNS.c.fire_at <= end)
        held = {run.key: run for run in self._select(connection, *span)}
        skipped = [run for key, run in held.items() if run.state == "skipped" and key in {row.key for row in wanted}]
        again = [msgspec.structs.replace(run, state="due", cause="backfill", reason="", ended_at=0) for run in skipped]
        self._update(connection, list(zip(skipped, again, strict=True)))
        return [*again, *self.add(connection, [run for run in wanted if run.key not in held])]

    def latest(self, connection: sa.Connection) -> list[AgentRun]:
        """Return what goes on, and of each Agent the latest run that is over."""
        over = sa.select(sa.func.max(RUNS.c.number)).where(RUNS.c.state.not_in(("due", "running")), RUNS.c.ended_at > 0)
        newest = over.where(RUNS.c.workflow == self._workflow).group_by(RUNS.c.agent_id)
        return self._select(connection, sa.or_(RUNS.c.state == "running", RUNS.c.number.in_(newest)))

    def finish(
        self, connection: sa.Connection, ended: Iterable[tuple[AgentRun, Outcome, str]], now: int
    ) -> list[AgentRun | None]:
        """Note how attempts of this server ended.

        Args:
            connection: in a transaction.
            ended: runs as they were started, with their outcome and what went wrong.
            now: microseconds.

        Returns:
            The run after each, ``None`` where the attempt was this server's no longer.
        """
        found: list[AgentRun | None] = []
        for run, outcome, error in ended:
            after = state.end(run, outcome, error, self._policy(run.agent_id), now)
            found.append(after if self._update(connection, [(run, after)]) else None)
        return found

    def renew(self, connection: sa.Connection, runs: Sequence[AgentRun], now: int) -> set[str]:
        """Prolong the leases of runs; return the IDs of those that are this server's no longer."""
        until = now + round(self.lease * 1_000_000)
        ours = (RUNS.c.owner == self.owner, RUNS.c.state == "running")
        connection.execute(RUNS.update().where(*ours).values(lease_until=until))
        held = {(run.run_id, run.attempt) for run in self._select(connection, *ours)}
        return {run.run_id for run in runs if (run.run_id, run.attempt) not in held}

    def ask_to_stop(self, connection: sa.Connection, run_id: str, reason: str, now: int) -> AgentRun | None:
        """Ask the owner of a run to stop it; one that waits is over at once. Return it as it is then."""
        run = next(iter(self._select(connection, RUNS.c.run_id == run_id, lock=True)), None)
        if run is None or run.state not in {"due", "running"}:
            return run
        changed = (
            {"stop": reason} if run.state == "running" else {"state": "cancelled", "reason": reason, "ended_at": now}
        )
        after = msgspec.structs.replace(run, **changed)
        self._update(connection, [(run, after)])
        return after

    def runs(
        self, connection: sa.Connection, agent_id: str = "", *, limit: int = 50, until: int = 0, run_id: str = ""
    ) -> list[AgentRun]:
        """Return runs, the latest first.

        Args:
            connection: in a transaction.
            agent_id: of this Agent only.
            limit: how many at most.
            until: only those due at this instant or before, in microseconds.
            run_id: only this one.
        """
        wanted = [RUNS.c.agent_id == agent_id] if agent_id else []
        wanted += [RUNS.c.fire_at <= until] if until else []
        wanted += [RUNS.c.run_id == run_id] if run_id else []
        order = (RUNS.c.fire_at.desc(), RUNS.c.number.desc())
        statement = sa.select(RUNS).where(RUNS.c.workflow == self._workflow, *wanted).order_by(*order).limit(limit)
        return [_read(AgentRun, row) for row in connection.execute(statement)]

    def prune(self, connection: sa.Connection, before: int) -> None:
        """Delete runs that were over before an instant."""
        over = (RUNS.c.ended_at > 0, RUNS.c.ended_at < before, RUNS.c.state.not_in(("due", "running")))
        connection.execute(RUNS.delete().where(RUNS.c.workflow == self._workflow, *over))

    # -- inside --------------------------------------------------------------------------------------------------------

    def _policy(self, agent_id: str) -> Policy:
        entry = self._entries.get(agent_id)
        return entry.policy if entry else Policy()

    def _locked(
        self, connection: sa.Connection, *wanted: sa.ColumnElement[bool], wait: bool = False, limit: int | None = None
    ) -> list[AgentState]:
        statement = sa.select(AGENTS).where(AGENTS.c.workflow == self._workflow, *wanted)
        statement = _for_update(statement.order_by(AGENTS.c.next_at).limit(limit), AGENTS, wait=wait)
        return [_read(AgentState, row) for row in connection.execute(statement)]

    def _select(self, connection: sa.Connection, *wanted: sa.ColumnElement[bool], lock: bool = False) -> list[AgentRun]:
        statement = sa.select(RUNS).where(RUNS.c.workflow == self._workflow, *wanted)
        rows = connection.execute(_for_update(statement, RUNS) if lock else statement)
        return [_read(AgentRun, row) for row in rows]

    @staticmethod
    def _update(connection: sa.Connection, changes: Sequence[tuple[AgentRun, AgentRun]]) -> int:
        """Write runs as they are now where they still are as they were; return how many."""
        if not changes:
            return 0
        values = [
            {name: getattr(after, name) for name in _MUTABLE}
            | {"_run_id": before.run_id, "_state": before.state, "_attempt": before.attempt}
            for before, after in changes
        ]
        return connection.execute(_UPDATE, values).rowcount

    def _next_look(self, connection: sa.Connection, now: int) -> int:
        agents = (AGENTS.c.workflow == self._workflow, AGENTS.c.next_at > now, AGENTS.c.mode != "stopped")
        waiting = (RUNS.c.workflow == self._workflow, RUNS.c.state == "due", RUNS.c.not_before > now)
        moments = (
            connection.scalar(sa.select(sa.func.min(AGENTS.c.next_at)).where(*agents)),
            connection.scalar(sa.select(sa.func.min(RUNS.c.not_before)).where(*waiting)),
        )
        return min((moment for moment in moments if moment), default=0)


def database_time(connection: sa.Connection) -> int | None:
    """Return what time it is for a database that several machines use; ``None`` for one on this machine."""
    now = {"postgresql": "clock_timestamp()", "mssql": "SYSDATETIMEOFFSET()"}.get(connection.dialect.name)
    return micros(connection.exec_driver_sql(f"SELECT {now}").scalar_one()) if now else None


def _own_schedules(agents: Iterable[AgentState]) -> list[tuple[AgentState, Schedule]]:
    """Return Agents with the schedules that their ticks have gone by until now."""
    return [(agent, Schedule(agent.schedule)) for agent in agents if agent.schedule]


def _next(schedule: Schedule | None, after: int) -> int:
    """Return the first instant of a schedule after another, 0 when there is none."""
    ticks = schedule.after(instant(after)) if schedule else ()
    return micros(ticks[0].at) if ticks else 0


_T = TypeVar("_T", bound=tuple[object, ...])


def _for_update(statement: sa.Select[_T], table: sa.Table, *, wait: bool = False) -> sa.Select[_T]:
    """Lock the rows; pass over those that another server has locked, or wait for it."""
    hint = "WITH (UPDLOCK)" if wait else "WITH (UPDLOCK, READPAST)"
    return statement.with_for_update(skip_locked=not wait).with_hint(table, hint, "mssql")


def _read(kind: type[S], row: sa.Row[tuple[object, ...]]) -> S:
    return kind(**{name: getattr(row, name) for name in kind.__struct_fields__})
