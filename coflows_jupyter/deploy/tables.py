"""The tables of revisions; imported on the database's thread only, because SQLAlchemy takes its time."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Table, Unicode, UnicodeText

metadata = MetaData()

REVISIONS = Table(
    "revisions",
    metadata,
    Column("workflow", Unicode(250), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("name", UnicodeText, nullable=False),
    Column("state", Unicode(16), nullable=False),
    Column("digest", Unicode(64), nullable=False),
    Column("folder", Unicode(64), nullable=False),
    Column("files", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("by", Unicode(250), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("lease_until", BigInteger, nullable=False),
    Column("reason", UnicodeText, nullable=False),
)
BUNDLES = Table(
    "bundles",
    metadata,
    Column("digest", Unicode(64), primary_key=True),
    Column("piece", Integer, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
)
