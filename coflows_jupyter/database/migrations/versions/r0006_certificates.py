"""Certificates, with the accounts that they were got with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mssql import NVARCHAR

revision = "0006"
down_revision: str | None = "0005"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXT = sa.UnicodeText().with_variant(NVARCHAR(None), "mssql")


def upgrade() -> None:
    """Make the table of certificates."""
    op.create_table(
        "coflows_certificates",
        sa.Column("host", sa.Unicode(250), primary_key=True),
        sa.Column("directory", sa.Unicode(200), primary_key=True),
        sa.Column("sealed", _TEXT, nullable=False),
        sa.Column("chain", _TEXT, nullable=False),
        sa.Column("thumbprint", sa.Unicode(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("checked", _NUMBER, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("next_try", _NUMBER, nullable=False),
        sa.Column("reason", _TEXT, nullable=False),
        sa.Column("owner", sa.Unicode(100), nullable=False),
        sa.Column("lease_until", _NUMBER, nullable=False),
    )
