"""The table of runs; everything here happens on the database's thread."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from coflows_jupyter.processes import is_running
from coflows_jupyter.runs.arguments import read
from coflows_jupyter.runs.model import SAME, Filter, RunModel, moment

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from coflows_jupyter.config import History

COLUMNS = (
    "id", "workflow", "query", "function", "door", "caller", "form", "arguments", "started", "seconds", "outcome",
    "status", "error", "build", "result_bytes", "log", "kind", "owner",
)  # fmt: skip

# One statement for a whole batch: SQLite works on it without Python's lock, and the event loop goes on meanwhile.
INSERT = (
    f"INSERT INTO runs ({', '.join(COLUMNS)}) SELECT "  # noqa: S608 - names of our own
    + ", ".join(f"json_extract(value, '$[{index}]')" for index in range(len(COLUMNS)))
    # A row that said that the run goes on becomes the one that says how it ended, and keeps its place.
    + " FROM json_each(?) WHERE true ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[COLUMNS.index("seconds") :])
)
_LOST = "the server ended while it ran"


def insert(connection: Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Add rows, or bring those up to date that are there."""
    connection.exec_driver_sql(INSERT, parameters(rows))


def parameters(rows: Sequence[object]) -> tuple[str]:
    """Return what ``INSERT`` takes."""
    return (msgspec.json.encode(rows).decode(),)


def delete(connection: Connection, runs: Sequence[str]) -> None:
    """Take rows out."""
    connection.exec_driver_sql("DELETE FROM runs WHERE id IN (SELECT value FROM json_each(?))", parameters(runs))


def bury(connection: Connection) -> None:
    """Say of runs whose server is gone that they are lost."""
    owners = connection.exec_driver_sql("SELECT DISTINCT owner FROM runs WHERE owner <> ''").scalars()
    for owner in [owner for owner in owners if not is_running(owner)]:
        connection.exec_driver_sql(
            "UPDATE runs SET outcome = 'lost', status = 503, error = ?, owner = '' WHERE owner = ?", (_LOST, owner)
        )


def select(connection: Connection, wanted: Filter) -> list[RunModel]:
    """Return runs, the latest first."""
    from sqlalchemy import Text, column, or_, table
    from sqlalchemy import select as choose

    runs = table("runs", column("number"), *(column(name, Text) for name in COLUMNS))
    statement = choose(*(runs.c[name] for name in COLUMNS if name != "log")).order_by(runs.c.number.desc())
    for name in SAME:
        if value := getattr(wanted, name):
            statement = statement.where(runs.c[name] == value)
    if wanted.since:
        statement = statement.where(runs.c.started >= moment(wanted.since))
    if wanted.text:
        names = "query", "function", "caller", "error", "arguments"
        statement = statement.where(or_(*(runs.c[name].icontains(wanted.text, autoescape=True) for name in names)))
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


def prune(connection: Connection, history: History) -> None:
    """Delete what is too old, too many or too large, and give the disk its space back."""
    limit = (datetime.now(UTC) - timedelta(days=history.days)).isoformat(timespec="milliseconds")
    connection.exec_driver_sql("DELETE FROM runs WHERE started < ?", (limit,))
    connection.exec_driver_sql("DELETE FROM runs WHERE number <= (SELECT max(number) FROM runs) - ?", (history.rows,))
    while (used := _used(connection)) > history.size:
        share = max(0.1, 1 - history.size / used)
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
        kind=row.kind,
    )
