"""How Agents hear of changes of the M sets that they listen to: by the change log, in its order, at least once."""

from __future__ import annotations

import json
from datetime import datetime

import sqlalchemy as sa

from coflows_jupyter.agents.model import AgentRun, AgentState, micros, new_run
from coflows_jupyter.agents.tables import CHANGES, ENTRIES, RUNS, SETS
from coflows_jupyter.runtimes.agent import AgentEntry, Callback

# How many changes of an Agent wait for their turn as rows; the log holds the others.
MOST_WAITING = 100

_CALLBACKS: dict[str, Callback] = {"add": "add", "exchange": "exchange", "remove": "remove"}


def latest(connection: sa.Connection, name: str) -> int:
    """Return the number of the last change of a set, 0 when there is none."""
    statement = sa.select(sa.func.max(CHANGES.c.seq)).join(SETS, SETS.c.number == CHANGES.c.set_no)
    return connection.scalar(statement.where(SETS.c.id == name)) or 0


def values(connection: sa.Connection, name: str) -> list[str]:
    """Return the values of a set as JSON, the oldest first."""
    statement = sa.select(ENTRIES.c.value).join(SETS, SETS.c.number == ENTRIES.c.set_no).where(SETS.c.id == name)
    return list(connection.scalars(statement.order_by(ENTRIES.c.number)))


def news(connection: sa.Connection, entry: AgentEntry, agent: AgentState) -> tuple[list[AgentRun], int]:
    """Return the runs that tell an Agent of changes since the last one that it knows, and the number of that.

    Args:
        connection: in a transaction that has the Agent's row locked.
        entry: the Agent; it listens to a set.
        agent: what is remembered of it.
    """
    mine = (RUNS.c.workflow == agent.workflow, RUNS.c.agent_id == agent.agent_id)
    waiting = sa.select(sa.func.count()).where(*mine, RUNS.c.cause == "set", RUNS.c.state.in_(("due", "running")))
    room = MOST_WAITING - (connection.scalar(waiting) or 0)
    if room <= 0:
        return [], agent.changes
    statement = (
        sa.select(CHANGES)
        .join(SETS, SETS.c.number == CHANGES.c.set_no)
        .where(SETS.c.id == entry.listens, CHANGES.c.seq > agent.changes)
        .order_by(CHANGES.c.seq)
        .limit(room)
    )
    rows = connection.execute(statement).all()
    runs = [_run(agent, row) for row in rows if _CALLBACKS.get(row.op) in entry.callbacks]
    return runs, rows[-1].seq if rows else agent.changes


def _run(agent: AgentState, row: sa.Row[tuple[object, ...]]) -> AgentRun:
    argument = f"[{json.dumps(row.entry)},{row.value}]"
    at = micros(datetime.fromisoformat(row.at))
    return new_run(agent.workflow, agent.agent_id, "set", _CALLBACKS[row.op], argument, at, f"change {row.seq}")
