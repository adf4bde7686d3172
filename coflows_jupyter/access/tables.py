"""The tables of people; imported on the database's thread only, because SQLAlchemy takes its time.

Their names begin with ``coflows_``: the file may be one that the original's ``Users`` and ``Roles`` are in.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Integer, MetaData, Table, Unicode, UnicodeText

ID = Unicode(250)

metadata = MetaData()

version = Table(
    "coflows_access",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
)
users = Table(
    "coflows_users",
    metadata,
    Column("id", ID, primary_key=True),
    Column("email", ID, nullable=False),
    Column("first_name", ID, nullable=False),
    Column("last_name", ID, nullable=False),
    Column("password", UnicodeText, nullable=False),
    Column("sessions", Integer, nullable=False),
    Column("created", Unicode(40), nullable=False),
    Column("disabled", Boolean, nullable=False),
)
groups = Table(
    "coflows_groups",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", ID, nullable=False),
    Column("description", UnicodeText, nullable=False),
    Column("parent", ID, nullable=False),
)
members = Table(
    "coflows_members",
    metadata,
    Column("group_id", ID, primary_key=True),
    Column("user_id", ID, primary_key=True),
    Column("level", Integer, nullable=False),
    Column("expires", Unicode(40), nullable=False),
    Column("source", Unicode(20), nullable=False),
)
keys = Table(
    "coflows_keys",
    metadata,
    Column("id", Unicode(32), primary_key=True),
    Column("user_id", ID, nullable=False, index=True),
    Column("name", ID, nullable=False),
    Column("kind", Unicode(20), nullable=False),
    Column("salt", Unicode(64), nullable=False),
    Column("digest", Unicode(64), nullable=False),
    Column("scopes", UnicodeText, nullable=False),
    Column("created", Unicode(40), nullable=False),
    Column("expires", Unicode(40), nullable=False),
    Column("last_used", Unicode(40), nullable=False),
    Column("revoked", Unicode(40), nullable=False),
)
audit = Table(
    "coflows_audit",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("at", Unicode(40), nullable=False),
    Column("actor", ID, nullable=False),
    Column("address", Unicode(64), nullable=False),
    Column("action", Unicode(64), nullable=False),
    Column("target", Unicode(800), nullable=False),
    Column("detail", UnicodeText, nullable=False),
)
secrets = Table(
    "coflows_secrets",
    metadata,
    Column("workflow", ID, primary_key=True),
    Column("name", Unicode(128), primary_key=True),
    Column("value", UnicodeText, nullable=False),
    Column("changed", Unicode(40), nullable=False),
    Column("changed_by", ID, nullable=False),
)
