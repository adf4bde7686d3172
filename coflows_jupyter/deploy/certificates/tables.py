"""The table of certificates; imported on the database's thread only, because SQLAlchemy takes its time."""

from __future__ import annotations

from sqlalchemy import Column, Integer, MetaData, Table, Unicode

from coflows_jupyter.database.types import Number, Text

metadata = MetaData()

certificates = Table(
    "coflows_certificates",
    metadata,
    Column("host", Unicode(250), primary_key=True),
    Column("directory", Unicode(200), primary_key=True),
    Column("sealed", Text, nullable=False),
    Column("chain", Text, nullable=False),
    Column("thumbprint", Unicode(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("checked", Number, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("next_try", Number, nullable=False),
    Column("reason", Text, nullable=False),
    Column("owner", Unicode(100), nullable=False),
    Column("lease_until", Number, nullable=False),
)
