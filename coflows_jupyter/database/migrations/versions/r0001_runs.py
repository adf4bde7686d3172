"""A row per call."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coflows_jupyter.database.types import Id, Name, Number, Text

revision = "0001"
down_revision: str | None = None


def upgrade() -> None:
    """Make the table of runs."""
    op.create_table(
        "runs",
        sa.Column("number", Number, primary_key=True),
        sa.Column("id", Id, nullable=False, unique=True),
        sa.Column("workflow", Name, nullable=False),
        sa.Column("query", Name, nullable=False),
        sa.Column("function", Name, nullable=False),
        sa.Column("door", Id, nullable=False),
        sa.Column("caller", Name, nullable=False),
        sa.Column("form", Id, nullable=False),
        sa.Column("arguments", Text),
        sa.Column("started", Id, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("outcome", Id, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("error", Text, nullable=False),
        sa.Column("build", Id, nullable=False),
        sa.Column("result_bytes", Number, nullable=False),
        sa.Column("log", Text, nullable=False),
    )
