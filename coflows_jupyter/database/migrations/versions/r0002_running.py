"""Rows of runs that go on, and what kind of run a row tells of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Say who works on a run, and that all runs so far were calls of Queries."""
    op.add_column("runs", sa.Column("kind", sa.Text, nullable=False, server_default="query"))
    op.add_column("runs", sa.Column("owner", sa.Text, nullable=False, server_default=""))
    op.create_index("runs_owner", "runs", ["owner"], sqlite_where=sa.text("owner <> ''"))
