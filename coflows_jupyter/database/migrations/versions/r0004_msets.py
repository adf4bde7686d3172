"""M sets: their numbers, their entries, and the log of every change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ID = sa.Unicode(200)


def upgrade() -> None:
    """Make the tables of M sets."""
    op.create_table(
        "m_set",
        sa.Column("number", _NUMBER, sa.Identity(), primary_key=True),
        sa.Column("id", _ID, nullable=False, unique=True),
        sa.Column("pruned", _NUMBER, nullable=False),
        sa.Column("pruned_at", sa.String(40), nullable=False),
    )
    op.create_table(
        "m_entry",
        sa.Column("number", _NUMBER, sa.Identity(), primary_key=True),
        sa.Column("set_no", _NUMBER, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("tag", sa.String(32), nullable=False),
        sa.Column("value", sa.UnicodeText, nullable=False),
        sa.UniqueConstraint("set_no", "id", name="m_entry_id"),
        sa.UniqueConstraint("set_no", "tag", name="m_entry_tag"),
    )
    op.create_table(
        "m_log",
        sa.Column("seq", _NUMBER, sa.Identity(), primary_key=True),
        sa.Column("set_no", _NUMBER, nullable=False),
        sa.Column("entry", _ID, nullable=False),
        sa.Column("op", sa.String(10), nullable=False),
        sa.Column("value", sa.UnicodeText, nullable=False),
        sa.Column("run", sa.Unicode(100), nullable=False),
        sa.Column("actor", _ID, nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
        # A reader that resumes must never meet a number again that was deleted.
        sqlite_autoincrement=True,
    )
    op.create_index("m_log_set", "m_log", ["set_no", "seq"])
    op.create_index("m_log_entry", "m_log", ["entry"])
