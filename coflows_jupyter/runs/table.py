"""The table of runs as statements, where databases differ in how they say it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Executable, Table
    from sqlalchemy.types import TypeEngine

COLUMNS = (
    "id", "workflow", "query", "function", "door", "caller", "form", "arguments", "started", "seconds", "outcome",
    "status", "error", "build", "result_bytes", "log", "kind", "owner",
)  # fmt: skip
# A row that said that the run goes on becomes the one that says how it ended, and keeps its place.
_LATER = COLUMNS[COLUMNS.index("seconds") :]

# One statement for a whole batch: SQLite works on it without Python's lock, and the event loop goes on meanwhile.
SQLITE_UPSERT = (
    f"INSERT INTO runs ({', '.join(COLUMNS)}) SELECT "  # noqa: S608 - names of our own
    + ", ".join(f"json_extract(value, '$[{index}]')" for index in range(len(COLUMNS)))
    + " FROM json_each(?) WHERE true ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _LATER)
)
_LONG = ("arguments", "error", "log")
_ROW_BYTES = 300


@cache
def runs() -> Table:
    """Return the table."""
    from sqlalchemy import Column, Float, Integer, MetaData, Table

    from coflows_jupyter.database.types import Name, Number, Text

    types: dict[str, TypeEngine[Any]] = dict.fromkeys(COLUMNS, Name) | dict.fromkeys(
        ("arguments", "error", "log"), Text
    )
    types |= {"seconds": Float(), "status": Integer(), "result_bytes": Number}
    columns = (Column(name, kind) for name, kind in types.items())
    return Table("runs", MetaData(), Column("number", Number, primary_key=True), *columns)


@cache
def upsert(dialect: str) -> Executable:
    """Return what adds a row or brings the one with its ID up to date; its parameters are named like the columns.

    Args:
        dialect: ``postgresql`` or ``mssql``; for SQLite there is ``SQLITE_UPSERT``.
    """
    from sqlalchemy import bindparam, text
    from sqlalchemy.dialects.postgresql import insert

    if dialect == "postgresql":
        statement = insert(runs()).values({name: bindparam(name) for name in COLUMNS})
        changes = {name: statement.excluded[name] for name in _LATER}
        return statement.on_conflict_do_update(index_elements=["id"], set_=changes)
    columns, values, theirs = (", ".join(form % name for name in COLUMNS) for form in ("[%s]", ":%s", "new.[%s]"))
    new_values = ", ".join(f"[{name}] = new.[{name}]" for name in _LATER)
    merge = f"MERGE INTO runs WITH (HOLDLOCK) AS old USING (VALUES ({values})) AS new ({columns}) ON old.id = new.id"
    choice = f"WHEN MATCHED THEN UPDATE SET {new_values} WHEN NOT MATCHED THEN INSERT ({columns}) VALUES ({theirs})"  # noqa: S608 - names of our own
    return text(f"{merge} {choice};").bindparams(*(bindparam(name, type_=runs().c[name].type) for name in COLUMNS))


@cache
def used_bytes(dialect: str) -> Executable:
    """Return what tells how large the rows are on a server; the bytes of its files are used again, never given back."""
    from sqlalchemy import func, literal, select

    size = func.datalength if dialect == "mssql" else func.octet_length
    total: Any = literal(_ROW_BYTES)
    for name in _LONG:
        total += func.coalesce(size(runs().c[name]), 0)
    return select(func.coalesce(func.sum(total), 0))
