"""What databases are asked about Agents and their runs."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import CompoundSelect, Select
from sqlalchemy.dialects import mssql

from coflows_jupyter.agents import rows

GOLDEN = Path(__file__).with_name("mssql.sql")


def test_statements_for_sql_server() -> None:
    """What SQL Server is sent to look and to lock; a change here is looked at."""
    dialect = mssql.dialect(deprecate_large_types=True)  # type: ignore[no-untyped-call]  # SQLAlchemy's own
    lines = []
    for name, statement in sorted(vars(rows).items()):
        if isinstance(statement, Select | CompoundSelect):
            words = re.sub(r"\s+", " ", str(statement.compile(dialect=dialect)))
            lines.append(f"-- {name}\n{words};\n")
    assert "".join(lines) == GOLDEN.read_text()
