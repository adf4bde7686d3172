"""The table of runs; everything here happens on the database's thread."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from coflows_jupyter.processes import is_running
from coflows_jupyter.runs.arguments import read
from coflows_jupyter.runs.model import SAME, Filter, RunModel, moment
from coflows_jupyter.runs.table import COLUMNS, SQLITE_UPSERT, runs, upsert, used_bytes

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from coflows_jupyter.config import History

_LOST = "the server ended while it ran"


def insert(connection: Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Add rows, or bring those up to date that are there."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(SQLITE_UPSERT, sqlite_parameters(rows))
    else:
        connection.execute(upsert(connection.dialect.name), [_named(row) for row in rows])


def sqlite_parameters(rows: Sequence[tuple[object, ...]]) -> tuple[str]:
    """Return what ``SQLITE_UPSERT`` takes."""
    return (msgspec.json.encode(rows).decode(),)


def _named(row: tuple[object, ...]) -> dict[str, object]:
    # No text of PostgreSQL holds the character NUL.
    clean = (value.replace("\0", "\ufffd") if isinstance(value, str) else value for value in row)
    return dict(zip(COLUMNS, clean, strict=True))


def delete(connection: Connection, run_ids: Sequence[str]) -> None:
    """Take rows out."""
    from sqlalchemy import bindparam

    if run_ids:
        statement = runs().delete().where(runs().c.id == bindparam("run"))
        connection.execute(statement, [{"run": run_id} for run_id in run_ids])


def bury(connection: Connection) -> None:
    """Say of runs whose server is gone that they are lost."""
    from sqlalchemy import select as choose

    owner = runs().c.owner
    statement = choose(owner).distinct().where(owner != "")
    if connection.dialect.name != "sqlite":
        # Of servers on other computers only they know whether they still run.
        statement = statement.where(owner.startswith(f"{platform.node()} ", autoescape=True))
    gone = [found for found in connection.execute(statement).scalars() if not is_running(found)]
    for found in gone:
        change = runs().update().where(owner == found)
        connection.execute(change.values(outcome="lost", status=503, error=_LOST, owner=""))


def select(connection: Connection, wanted: Filter) -> list[RunModel]:
    """Return runs, the latest first."""
    from sqlalchemy import or_
    from sqlalchemy import select as choose

    column = runs().c
    statement = choose(*(column[name] for name in COLUMNS if name != "log")).order_by(column.number.desc())
    for name in SAME:
        if value := getattr(wanted, name):
            statement = statement.where(column[name] == value)
    if wanted.since:
        statement = statement.where(column.started >= moment(wanted.since))
    if wanted.text:
        places = [column.query + "." + column.function, column.caller, column.error, column.arguments]
        statement = statement.where(or_(*(place.icontains(wanted.text, autoescape=True) for place in places)))
    if wanted.before:
        edge = choose(column.number).where(column.id == wanted.before).scalar_subquery()
        statement = statement.where(column.number < edge)
    return [_model(row) for row in connection.execute(statement.limit(wanted.limit))]


def find(connection: Connection, run_id: str) -> tuple[RunModel, str] | None:
    """Return a run and its log."""
    from sqlalchemy import select as choose

    row = connection.execute(choose(*(runs().c[name] for name in COLUMNS)).where(runs().c.id == run_id)).first()
    return None if row is None else (_model(row), row.log)


def arguments(connection: Connection, run_id: str) -> tuple[str, str | None] | None:
    """Return form and text of a run's arguments as they were kept."""
    from sqlalchemy import select as choose

    row = connection.execute(choose(runs().c.form, runs().c.arguments).where(runs().c.id == run_id)).first()
    return None if row is None else (row.form, row.arguments)


def prune(connection: Connection, history: History) -> None:
    """Delete what is too old, too many or too large, and give the disk its space back."""
    from sqlalchemy import func
    from sqlalchemy import select as choose

    table = runs()
    first, last = func.min(table.c.number), func.max(table.c.number)
    limit = (datetime.now(UTC) - timedelta(days=history.days)).isoformat(timespec="milliseconds")
    connection.execute(table.delete().where(table.c.started < limit))
    newest = choose(last - history.rows).scalar_subquery()
    connection.execute(table.delete().where(table.c.number <= newest))
    while (used := _used(connection)) > history.size:
        share = max(0.1, 1 - history.size / used)
        edge = choose(first + (last - first) * share).scalar_subquery()
        if not connection.execute(table.delete().where(table.c.number <= edge)).rowcount:
            break
    if connection.dialect.name == "sqlite":
        # Every step frees a page and gives a row without columns, of which only a script takes more than one.
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.executescript("PRAGMA incremental_vacuum")


def _used(connection: Connection) -> int:
    """Return how many bytes hold something: of a SQLite file, else of the rows."""
    if connection.dialect.name == "sqlite":
        names = "page_count", "freelist_count", "page_size"
        pages, free, size = (connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names)
        return int((pages - free) * size)
    return int(connection.execute(used_bytes(connection.dialect.name)).scalar_one())


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
