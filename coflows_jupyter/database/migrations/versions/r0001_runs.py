"""A row per call."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None


def upgrade() -> None:
    """Make the table of runs."""
    op.create_table(
        "runs",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("workflow", sa.Text, nullable=False),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("function", sa.Text, nullable=False),
        sa.Column("door", sa.Text, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("form", sa.Text, nullable=False),
        sa.Column("arguments", sa.Text),
        sa.Column("started", sa.Text, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("build", sa.Text, nullable=False),
        sa.Column("result_bytes", sa.Integer, nullable=False),
        sa.Column("log", sa.Text, nullable=False),
    )
