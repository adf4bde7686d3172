"""The tables of Agents and of their runs, as the latest migration leaves them."""

from __future__ import annotations

import sqlalchemy as sa

_metadata = sa.MetaData()
_ID = sa.Unicode(250)

AGENTS = sa.Table(
    "agents",
    _metadata,
    sa.Column("workflow", sa.Unicode(64), primary_key=True),
    sa.Column("agent_id", _ID, primary_key=True),
    sa.Column("name", sa.UnicodeText, nullable=False),
    sa.Column("mode", sa.Unicode(16), nullable=False),
    sa.Column("schedule", sa.UnicodeText, nullable=False),
    sa.Column("cursor", sa.BigInteger, nullable=False),
    sa.Column("next_at", sa.BigInteger, nullable=False, index=True),
    sa.Column("changes", sa.BigInteger, nullable=False),
    sa.Column("why", sa.UnicodeText, nullable=False),
)
RUNS = sa.Table(
    "agent_runs",
    _metadata,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("run_id", sa.Unicode(64), nullable=False, unique=True),
    sa.Column("workflow", sa.Unicode(64), nullable=False),
    sa.Column("agent_id", _ID, nullable=False),
    sa.Column("key", _ID, nullable=False),
    sa.Column("cause", sa.Unicode(16), nullable=False),
    sa.Column("function", sa.Unicode(16), nullable=False),
    sa.Column("argument", sa.UnicodeText, nullable=False),
    sa.Column("fire_at", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Unicode(16), nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("not_before", sa.BigInteger, nullable=False),
    sa.Column("owner", sa.UnicodeText, nullable=False),
    sa.Column("lease_until", sa.BigInteger, nullable=False),
    sa.Column("started_at", sa.BigInteger, nullable=False),
    sa.Column("ended_at", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.UnicodeText, nullable=False),
    sa.Column("stop", sa.UnicodeText, nullable=False),
    sa.UniqueConstraint("workflow", "agent_id", "key"),
    sa.Index("agent_runs_by_state", "workflow", "state", "agent_id", "fire_at", "not_before"),
    sa.Index("agent_runs_by_time", "workflow", "agent_id", "fire_at"),
)

# The part of the tables of M sets that Agents hear changes by; `mset` owns them.
SETS = sa.table("m_set", sa.column("number"), sa.column("id"))
CHANGES = sa.table("m_log", *map(sa.column, ("seq", "set_no", "entry", "op", "value", "at")))
ENTRIES = sa.table("m_entry", *map(sa.column, ("number", "set_no", "value")))
