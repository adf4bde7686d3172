"""Rows of runs that go on, and what kind of run a row tells of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coflows_jupyter.database.types import Id, Name

revision = "0002"
down_revision = "0001"

_OWNED = sa.text("owner <> ''")


def upgrade() -> None:
    """Say who works on a run, and that all runs so far were calls of Queries."""
    op.add_column("runs", sa.Column("kind", Id, nullable=False, server_default="query"))
    op.add_column("runs", sa.Column("owner", Name, nullable=False, server_default=""))
    op.create_index("runs_owner", "runs", ["owner"], sqlite_where=_OWNED, postgresql_where=_OWNED, mssql_where=_OWNED)
