"""The rows of Agents and their runs: read, locked and written, in a transaction on the database's thread.

Several servers may work on one database. SQLite lets one of them write at a time; elsewhere a server locks the rows
that it is about to change, and passes over those that another has locked, or waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from coflows_jupyter.agents.model import AgentRun, AgentState, micros
from coflows_jupyter.agents.tables import AGENTS, RUNS

S = TypeVar("S", AgentRun, AgentState)
T = TypeVar("T", bound=tuple[object, ...])

# How many IDs one statement names; SQL Server takes 2,100 values at most.
MOST_IDS = 1000
# Of each Agent at most so many ticks are looked at together, lest it be told of the wrong one as the last.
MOST_TICKS = 100

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
_INSERT = RUNS.insert()
_MOVE = (
    AGENTS.update()
    .where(AGENTS.c.workflow == sa.bindparam("_workflow"), AGENTS.c.agent_id == sa.bindparam("_agent_id"))
    .values(cursor=sa.bindparam("cursor"), next_at=sa.bindparam("next_at"))
)

AGENT = sa.select(*(AGENTS.c[name] for name in AgentState.__struct_fields__)).where(
    AGENTS.c.workflow == sa.bindparam("workflow")
)
RUN = sa.select(*(RUNS.c[name] for name in AgentRun.__struct_fields__)).where(
    RUNS.c.workflow == sa.bindparam("workflow")
)


def for_update(statement: sa.Select[T], table: sa.Table, *, wait: bool = False) -> sa.Select[T]:
    """Lock the rows; pass over those that another server has locked, or wait for it."""
    hint = "WITH (UPDLOCK)" if wait else "WITH (UPDLOCK, READPAST)"
    return statement.with_for_update(skip_locked=not wait).with_hint(table, hint, "mssql")


def named(column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Return whether ``column`` is one of the parameter ``ids``."""
    return column.in_(sa.bindparam("ids", expanding=True))


# Whoever waits for several rows does so in one order, so that no two wait for each other.
AGENTS_TO_CHANGE = for_update(AGENT.where(named(AGENTS.c.agent_id)).order_by(AGENTS.c.agent_id), AGENTS, wait=True)
AGENTS_TO_TAKE = for_update(AGENT.where(named(AGENTS.c.agent_id)), AGENTS)
RUNS_TO_CHANGE = for_update(RUN.where(named(RUNS.c.run_id)).order_by(RUNS.c.run_id), RUNS, wait=True)
# Only what is ours: others may wait for us while they hold what was.
RUNS_TO_KEEP = for_update(
    RUN.where(named(RUNS.c.run_id), RUNS.c.state == "running", RUNS.c.owner == sa.bindparam("owner")).order_by(
        RUNS.c.run_id
    ),
    RUNS,
    wait=True,
)
RUNS_TO_TAKE = for_update(RUN.where(named(RUNS.c.run_id), RUNS.c.state == "running"), RUNS)
WAITING_TO_TAKE = for_update(RUN.where(named(RUNS.c.run_id), RUNS.c.state == "due"), RUNS)

_due = (RUNS.c.workflow == sa.bindparam("workflow"), RUNS.c.state == "due")
_waiting = (*_due, RUNS.c.not_before <= sa.bindparam("now"))
# A set's later changes wait for the retries of earlier ones, so these are looked at, too.
_ahead = (*_due, sa.or_(RUNS.c.not_before <= sa.bindparam("now"), RUNS.c.cause == "set"))
_order = (RUNS.c.fire_at, RUNS.c.number)
_tick = sa.case((sa.and_(RUNS.c.cause == "schedule", RUNS.c.attempt == 0), 1), else_=0)
_ranked = (
    sa.select(
        RUNS.c.number,
        _tick.label("tick"),
        sa.func.row_number().over(partition_by=(RUNS.c.agent_id, _tick), order_by=_order).label("place"),
    )
    .where(*_ahead, named(RUNS.c.agent_id))
    .subquery()
)
_first = sa.select(_ranked.c.number).where(
    sa.or_(
        _ranked.c.place <= sa.bindparam("few"),
        sa.and_(_ranked.c.tick == 1, _ranked.c.place <= sa.bindparam("ticks")),
    )
)

TROUBLED = RUN.where(
    RUNS.c.state == "running",
    sa.or_(
        RUNS.c.lease_until < sa.bindparam("now"),
        sa.and_(RUNS.c.owner == sa.bindparam("owner"), RUNS.c.stop != ""),
    ),
)
"""Runs whose lease has passed, and those of ``owner`` that are to be stopped."""

WAITING = sa.select(RUNS.c.agent_id).where(*_waiting).group_by(RUNS.c.agent_id).order_by(sa.func.min(RUNS.c.fire_at))
"""IDs of Agents that have runs whose time has come, those that wait longest first."""

CANDIDATES = RUN.where(RUNS.c.state == "running", named(RUNS.c.agent_id)).union_all(
    RUN.where(RUNS.c.number.in_(_first))
)
"""What goes on of some Agents, and of each the first runs whose time has come, or that hold such up.

Of ticks there are at most ``ticks``, of what else waits ``few``.
"""

NEXT = sa.select(
    sa.select(sa.func.min(AGENTS.c.next_at))
    .where(AGENTS.c.workflow == sa.bindparam("workflow"), AGENTS.c.next_at > sa.bindparam("now"))
    .where(AGENTS.c.mode != "stopped")
    .scalar_subquery(),
    sa.select(sa.func.min(RUNS.c.not_before))
    .where(RUNS.c.workflow == sa.bindparam("workflow"), RUNS.c.state == "due")
    .where(RUNS.c.not_before > sa.bindparam("now"))
    .scalar_subquery(),
    # The instant after a lease is the first at which it has passed.
    sa.select(sa.func.min(RUNS.c.lease_until) + 1)
    .where(RUNS.c.workflow == sa.bindparam("workflow"), RUNS.c.state == "running")
    .where(RUNS.c.lease_until >= sa.bindparam("now"))
    .scalar_subquery(),
)
"""When the next tick, the next retry and the end of the next lease are."""


class Rows:
    """The rows of one Workflow.

    Args:
        workflow: the Workflow's ID.
    """

    def __init__(self, workflow: str) -> None:
        self.workflow = workflow

    def agents(self, connection: sa.Connection, statement: sa.Select[Any] = AGENT, **values: Any) -> list[AgentState]:
        """Return what a statement finds of the Workflow's Agents."""
        return self._read(AgentState, connection.execute(statement, {"workflow": self.workflow, **values}))

    def runs(self, connection: sa.Connection, statement: sa.Executable, **values: Any) -> list[AgentRun]:
        """Return what a statement finds of the Workflow's runs."""
        return self._read(AgentRun, connection.execute(statement, {"workflow": self.workflow, **values}))

    @staticmethod
    def _read(kind: type[S], found: sa.CursorResult[Any]) -> list[S]:
        names = kind.__struct_fields__
        return [kind(**dict(zip(names, row, strict=True))) for row in found]

    def ticks(self, connection: sa.Connection, agent_id: str, until: int, count: int) -> list[AgentRun]:
        """Return the last runs that an Agent's schedule made for instants until one, the latest first."""
        wanted = (RUNS.c.agent_id == agent_id, RUNS.c.cause == "schedule", RUNS.c.fire_at <= until)
        return self.runs(connection, RUN.where(*wanted).order_by(RUNS.c.fire_at.desc()).limit(count))

    def agents_by_id(
        self, connection: sa.Connection, ids: Sequence[str], statement: sa.Select[Any] = AGENTS_TO_CHANGE
    ) -> list[AgentState]:
        """Return Agents, locked as the statement says."""
        parts = (ids[start : start + MOST_IDS] for start in range(0, len(ids), MOST_IDS))
        return [agent for part in parts for agent in self.agents(connection, statement, ids=part)]

    def runs_by_id(
        self, connection: sa.Connection, ids: Sequence[str], statement: sa.Select[Any] = RUNS_TO_CHANGE, **values: Any
    ) -> list[AgentRun]:
        """Return runs, locked as the statement says."""
        ids = sorted(ids)
        parts = (ids[start : start + MOST_IDS] for start in range(0, len(ids), MOST_IDS))
        return [run for part in parts for run in self.runs(connection, statement, ids=part, **values)]

    @staticmethod
    def insert(connection: sa.Connection, runs: Iterable[AgentRun]) -> None:
        """Give runs rows."""
        if rows := [msgspec.structs.asdict(run) for run in runs]:
            connection.execute(_INSERT, rows)

    @staticmethod
    def update(connection: sa.Connection, changes: Iterable[tuple[AgentRun, AgentRun]]) -> None:
        """Write runs as they are now where they still are as they were."""
        values = [
            {name: getattr(after, name) for name in _MUTABLE}
            | {"_run_id": before.run_id, "_state": before.state, "_attempt": before.attempt}
            for before, after in changes
        ]
        if values:
            connection.execute(_UPDATE, values)

    def move(self, connection: sa.Connection, moved: Iterable[tuple[str, int, int]]) -> None:
        """Set cursor and next instant of Agents."""
        values = [
            {"_workflow": self.workflow, "_agent_id": agent_id, "cursor": cursor, "next_at": next_at}
            for agent_id, cursor, next_at in moved
        ]
        if values:
            connection.execute(_MOVE, values)


def database_time(connection: sa.Connection, patience: float) -> int | None:
    """Return what time it is for a database that several machines use; ``None`` for one on this machine.

    Args:
        connection: in a transaction that just began.
        patience: seconds; a server that is silent for longer in this transaction does not lock out others any more,
            where the database knows how to see to that.
    """
    if connection.dialect.name == "postgresql":
        setting = f"set_config('idle_in_transaction_session_timeout', '{round(patience * 1000)}', true)"
        return micros(connection.exec_driver_sql(f"SELECT clock_timestamp(), {setting}").one()[0])
    if connection.dialect.name == "mssql":
        return micros(connection.exec_driver_sql("SELECT SYSDATETIMEOFFSET()").scalar_one())
    return None
