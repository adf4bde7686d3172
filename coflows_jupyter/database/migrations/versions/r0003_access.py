"""People, groups, keys, the audit and secrets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision: str | None = "0002"

_ID = sa.Unicode(250)
_TIME = sa.Unicode(40)
_APPEND_ONLY = "the audit is append-only"


def upgrade() -> None:
    """Make the tables of people, with the two groups that always are."""
    version = op.create_table(
        "coflows_access",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_table(
        "coflows_users",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("email", _ID, nullable=False),
        sa.Column("first_name", _ID, nullable=False),
        sa.Column("last_name", _ID, nullable=False),
        sa.Column("password", sa.UnicodeText, nullable=False),
        sa.Column("sessions", sa.Integer, nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("disabled", sa.Boolean, nullable=False),
    )
    groups = op.create_table(
        "coflows_groups",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("name", _ID, nullable=False),
        sa.Column("description", sa.UnicodeText, nullable=False),
        sa.Column("parent", _ID, nullable=False),
    )
    op.create_table(
        "coflows_members",
        sa.Column("group_id", _ID, primary_key=True),
        sa.Column("user_id", _ID, primary_key=True),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("expires", _TIME, nullable=False),
        sa.Column("source", sa.Unicode(20), nullable=False),
    )
    op.create_table(
        "coflows_keys",
        sa.Column("id", sa.Unicode(32), primary_key=True),
        sa.Column("user_id", _ID, nullable=False, index=True),
        sa.Column("name", _ID, nullable=False),
        sa.Column("kind", sa.Unicode(20), nullable=False),
        sa.Column("salt", sa.Unicode(64), nullable=False),
        sa.Column("digest", sa.Unicode(64), nullable=False),
        sa.Column("scopes", sa.UnicodeText, nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("expires", _TIME, nullable=False),
        sa.Column("last_used", _TIME, nullable=False),
        sa.Column("revoked", _TIME, nullable=False),
    )
    op.create_table(
        "coflows_audit",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("actor", _ID, nullable=False),
        sa.Column("address", sa.Unicode(64), nullable=False),
        sa.Column("action", sa.Unicode(64), nullable=False),
        sa.Column("target", sa.Unicode(800), nullable=False),
        sa.Column("detail", sa.UnicodeText, nullable=False),
    )
    op.create_table(
        "coflows_secrets",
        sa.Column("workflow", _ID, primary_key=True),
        sa.Column("name", sa.Unicode(128), primary_key=True),
        sa.Column("value", sa.UnicodeText, nullable=False),
        sa.Column("changed", _TIME, nullable=False),
        sa.Column("changed_by", _ID, nullable=False),
    )
    # Not by bulk_insert, whose script for SQL Server takes every table for one that counts its rows.
    literal, empty = op.inline_literal, op.inline_literal("")
    op.execute(version.insert().values(id=literal(1), version=literal(1)))
    for name in ("Public", "Administrator"):
        op.execute(groups.insert().values(id=literal(name), name=literal(name), description=empty, parent=empty))
    for statement in _guards(op.get_context().dialect.name):
        op.execute(statement)


def _guards(dialect: str) -> list[str]:
    """Return what keeps rows of the audit from being changed or deleted."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER coflows_audit_{verb} BEFORE {verb} ON coflows_audit "
            f"BEGIN SELECT RAISE(ABORT, '{_APPEND_ONLY}'); END"
            for verb in ("UPDATE", "DELETE")
        ]
    if dialect == "mssql":
        return [
            (
                "CREATE TRIGGER coflows_audit_guard ON coflows_audit INSTEAD OF UPDATE, DELETE AS "
                f"THROW 50000, '{_APPEND_ONLY}', 1"
            )
        ]
    return [
        (
            "CREATE FUNCTION coflows_audit_guard() RETURNS trigger LANGUAGE plpgsql AS "
            f"'BEGIN RAISE EXCEPTION ''{_APPEND_ONLY}''; END'"
        ),
        (
            "CREATE TRIGGER coflows_audit_guard BEFORE UPDATE OR DELETE ON coflows_audit "
            "FOR EACH ROW EXECUTE FUNCTION coflows_audit_guard()"
        ),
    ]
