"""The table of runs; everything here happens on the database's thread."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from coflows_jupyter.runs.arguments import read
from coflows_jupyter.runs.model import Filter, RunModel

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

COLUMNS = (
    "id", "workflow", "query", "function", "door", "caller", "form", "arguments", "started", "seconds", "outcome",
    "status", "error", "build", "result_bytes", "log",
)  # fmt: skip

# One statement for a whole batch: SQLite works on it without Python's lock, and the event loop goes on meanwhile.
_INSERT = (
    f"INSERT OR IGNORE INTO runs ({', '.join(COLUMNS)}) SELECT "  # noqa: S608 - names of our own
    + ", ".join(f"json_extract(value, '$[{index}]')" for index in range(len(COLUMNS)))
    + " FROM json_each(?)"
)


class Retention(msgspec.Struct, frozen=True):
    """How long rows are kept.

    Args:
        days: age of the oldest.
        rows: how many.
        size: bytes of the file.
    """

    days: float = 30
    rows: int = 200_000
    size: int = 256 * 1024 * 1024


def insert(connection: Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Add rows."""
    connection.exec_driver_sql(_INSERT, (msgspec.json.encode(rows).decode(),))


def select(connection: Connection, wanted: Filter) -> list[RunModel]:
    """Return runs, the latest first."""
    from sqlalchemy import column, table
    from sqlalchemy import select as choose

    runs = table("runs", column("number"), *map(column, COLUMNS))
    statement = choose(*(runs.c[name] for name in COLUMNS if name != "log")).order_by(runs.c.number.desc())
    for name in ("query", "function", "outcome", "caller"):
        if value := getattr(wanted, name):
            statement = statement.where(runs.c[name] == value)
    if wanted.before:
        edge = choose(runs.c.number).where(runs.c.id == wanted.before).scalar_subquery()
        statement = statement.where(runs.c.number < edge)
    return [_model(row) for row in connection.execute(statement.limit(wanted.limit))]


def find(connection: Connection, run_id: str) -> tuple[RunModel, str] | None:
    """Return a run and its log."""
    statement = f"SELECT {', '.join(COLUMNS)} FROM runs WHERE id = ?"  # noqa: S608 - names of our own
    row = connection.exec_driver_sql(statement, (run_id,)).first()
    return None if row is None else (_model(row), row.log)


def arguments(connection: Connection, run_id: str) -> tuple[str, str | None] | None:
    """Return form and text of a run's arguments as they were kept."""
    row = connection.exec_driver_sql("SELECT form, arguments FROM runs WHERE id = ?", (run_id,)).first()
    return None if row is None else (row.form, row.arguments)


def prune(connection: Connection, retention: Retention) -> None:
    """Delete what is too old, too many or too large, and give the disk its space back."""
    limit = (datetime.now(UTC) - timedelta(days=retention.days)).isoformat(timespec="milliseconds")
    connection.exec_driver_sql("DELETE FROM runs WHERE started < ?", (limit,))
    connection.exec_driver_sql("DELETE FROM runs WHERE number <= (SELECT max(number) FROM runs) - ?", (retention.rows,))
    while (used := _used(connection)) > retention.size:
        share = max(0.1, 1 - retention.size / used)
        gone = connection.exec_driver_sql(
            "DELETE FROM runs WHERE number <= (SELECT min(number) + (max(number) - min(number)) * ? FROM runs)",
            (share,),
        )
        if not gone.rowcount:
            break
    # Every step frees a page and gives a row without columns, of which only a script takes more than one.
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.executescript("PRAGMA incremental_vacuum")


def _used(connection: Connection) -> int:
    """Return how many bytes of the file hold something."""
    names = "page_count", "freelist_count", "page_size"
    pages, free, size = (connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names)
    return int((pages - free) * size)


def _model(row: Row[Any]) -> RunModel:
    return RunModel(
        id=row.id,
        workflow=row.workflow,
        query=row.query,
        function=row.function,
        door=row.door,
        caller=row.caller,
        arguments=None if row.arguments is None else read(row.form, row.arguments.encode()),
        started=row.started,
        seconds=row.seconds,
        outcome=row.outcome,
        status=row.status,
        error=row.error,
        build=row.build,
        result_bytes=row.result_bytes,
    )
