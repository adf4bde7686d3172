"""Agents and their runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "agents",
        sa.Column("workflow", sa.Unicode(64), primary_key=True),
        sa.Column("agent_id", sa.Unicode(250), primary_key=True),
        sa.Column("name", sa.UnicodeText, nullable=False),
        sa.Column("mode", sa.Unicode(16), nullable=False),
        sa.Column("schedule", sa.UnicodeText, nullable=False),
        sa.Column("cursor", sa.BigInteger, nullable=False),
        sa.Column("next_at", sa.BigInteger, nullable=False),
        sa.Column("changes", sa.BigInteger, nullable=False),
        sa.Column("why", sa.UnicodeText, nullable=False),
    )
    op.create_index("agents_by_next", "agents", ["next_at"])
    op.create_table(
        "agent_runs",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("run_id", sa.Unicode(64), nullable=False, unique=True),
        sa.Column("workflow", sa.Unicode(64), nullable=False),
        sa.Column("agent_id", sa.Unicode(250), nullable=False),
        sa.Column("key", sa.Unicode(250), nullable=False),
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
    )
    op.create_index("agent_runs_by_state", "agent_runs", ["workflow", "state", "agent_id", "fire_at", "not_before"])
    op.create_index("agent_runs_by_time", "agent_runs", ["workflow", "agent_id", "fire_at"])
