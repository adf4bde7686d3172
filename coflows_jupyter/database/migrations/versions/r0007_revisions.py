"""Revisions of Workflows and their bundles."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "revisions",
        sa.Column("workflow", sa.Unicode(250), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.UnicodeText, nullable=False),
        sa.Column("state", sa.Unicode(16), nullable=False),
        sa.Column("digest", sa.Unicode(64), nullable=False),
        sa.Column("folder", sa.Unicode(64), nullable=False),
        sa.Column("files", sa.Integer, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Unicode(250), nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("lease_until", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.UnicodeText, nullable=False),
    )
    op.create_table(
        "bundles",
        sa.Column("digest", sa.Unicode(64), primary_key=True),
        sa.Column("piece", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
