"""Backups: one file that any kind of database can be restored from.

A zip with ``manifest.json`` and, for each table, ``NAME.jsonl``: a line with the names of the columns, then a line for
each row. It holds what the tables held at one moment, at the version of the schema that they had.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import os
import sqlite3
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, Any

import msgspec
from sqlalchemy import Connection, MetaData, Table, create_engine, event, func, insert, inspect, select, text

from coflows_jupyter import __version__
from coflows_jupyter.database.connection import Database
from coflows_jupyter.database.current import VERSION_TABLE
from coflows_jupyter.database.location import Location
from coflows_jupyter.database.migrate import migrate, refuse_newer, version, versions
from coflows_jupyter.errors import ConfigError, NotFoundError

MANIFEST = "manifest.json"
BATCH = 1000

Row = Sequence[Any]


class Manifest(msgspec.Struct, frozen=True):
    """What a backup says of itself.

    Args:
        schema: the version of the schema.
        tables: how many rows each table has.
        program: the version of the program that made it.
        taken: when, ISO 8601 in UTC.
    """

    schema: str
    tables: dict[str, int]
    program: str = __version__
    taken: str = ""


# -- tables ------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _scratch(schema: str) -> Iterator[Connection]:
    """Give an empty database at a version of the schema."""
    # Its rows may be many, so it is a file.
    with tempfile.TemporaryDirectory(prefix="coflows-") as folder:
        engine = create_engine(f"sqlite:///{folder}/scratch.db")
        try:
            with engine.begin() as connection:
                migrate(connection, "scratch", target=schema)
                yield connection
        finally:
            engine.dispose()


def _reflect(connection: Connection) -> MetaData:
    """Describe the tables of a scratch database with types that every kind of database has."""
    metadata = MetaData()

    def generalise(_inspector: Any, _table: Any, column: dict[str, Any]) -> None:
        column["type"] = column["type"].as_generic(allow_nulltype=True)

    event.listen(metadata, "column_reflect", generalise)
    metadata.reflect(connection)
    metadata.remove(metadata.tables[VERSION_TABLE])
    return metadata


def tables(schema: str) -> list[Table]:
    """Return our tables at a version of the schema; those that others refer to come first."""
    with _scratch(schema) as connection:
        return _reflect(connection).sorted_tables


def count(connection: Connection, found: Iterable[Table]) -> dict[str, int]:
    """Return how many rows each table has."""
    return {
        str(table.name): connection.execute(select(func.count()).select_from(table)).scalar_one() for table in found
    }


# -- backup ------------------------------------------------------------------------------------------------------------


def back_up(location: Location, file: Path) -> Manifest:
    """Write a backup of a database, which may be in use meanwhile.

    Args:
        location: the database.
        file: the backup; one that is there is replaced when the new one is whole.

    Raises:
        ConfigError: the database can't be used, or is of a newer version.
        NotFoundError: there is nothing in it.
    """
    if location.file is not None and not location.file.exists():
        raise NotFoundError(f"there is no database yet: {location}")
    database = Database(location, migrate=False)
    part = file.with_name(f"{file.name}.part")
    try:
        manifest = database.run(lambda connection: _write(connection, location, part), readonly=True)
        os.replace(part, file)  # noqa: PTH105 - as part.replace, without a new object
    finally:
        part.unlink(missing_ok=True)
        database.close()
    return manifest


def _write(connection: Connection, location: Location, file: Path) -> Manifest:
    _hold_still(connection)
    refuse_newer(connection, str(location))
    schema = version(connection)
    if schema is None:
        raise NotFoundError(f"the database {location} holds nothing of ours yet")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        # It holds password hashes and what functions were called with.
        file.chmod(0o600)
        rows = {}
        for table in tables(schema):
            with archive.open(f"{table.name}.jsonl", "w", force_zip64=True) as lines:
                rows[str(table.name)] = _write_table(connection, table, lines)
        manifest = Manifest(schema, rows, taken=datetime.now(UTC).isoformat(timespec="seconds"))
        archive.writestr(MANIFEST, msgspec.json.encode(manifest))
    return manifest


def _hold_still(connection: Connection) -> None:
    """Let the transaction see one moment, and take its time."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    elif connection.dialect.name == "mssql":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")


def _write_table(connection: Connection, table: Table, lines: IO[bytes]) -> int:
    names = [str(column.name) for column in table.columns]
    lines.write(msgspec.json.encode(names) + b"\n")
    total = 0
    with connection.execution_options(yield_per=BATCH).execute(select(*table.columns)) as found:
        for row in found:
            lines.write(msgspec.json.encode(tuple(row)) + b"\n")
            total += 1
    return total


# -- restore -----------------------------------------------------------------------------------------------------------


def read_manifest(file: Path) -> Manifest:
    """Read what a backup says of itself.

    Raises:
        NotFoundError: there is no such file.
        ConfigError: it is no backup, or one of a newer version.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = msgspec.json.decode(archive.read(MANIFEST), type=Manifest)
    except FileNotFoundError:
        raise NotFoundError(f"there is no such file: {file}") from None
    except (OSError, zipfile.BadZipFile, KeyError, msgspec.DecodeError):
        raise ConfigError(f"{file} is no backup", hint="`coflows db backup FILE` makes one") from None
    if manifest.schema not in versions():
        message = f"the backup {file} was made by a newer version of coflows_jupyter ({manifest.program})"
        raise ConfigError(message, hint="install that version")
    return manifest


def restore(location: Location, file: Path, *, replace: bool = False) -> Manifest:
    """Put what a backup holds into a database, all of it or nothing.

    Args:
        location: the database, of any type.
        file: the backup.
        replace: delete what is there.

    Raises:
        ConfigError: the backup or the database can't be used, somebody uses it, or it holds something already.
        NotFoundError: there is no such file.
    """
    manifest = read_manifest(file)
    _refuse_used(location)
    head = versions()[-1]
    database = Database(location)
    try:
        with _scratch(head) as scratch:
            layout = _reflect(scratch).sorted_tables
            empty = count(scratch, layout)

        def work(connection: Connection) -> None:
            _refuse_others(connection, location)
            if not replace and count(connection, layout) != empty:
                message = f"the database {location} holds something already"
                raise ConfigError(message, hint="coflows db restore --replace deletes it, after a backup of it")
            _clear(connection, layout)
            with _contents(file, manifest.schema, head, layout) as contents:
                for table, rows in contents:
                    _fill(connection, table, rows)

        database.run(work)
    finally:
        database.close()
    return manifest


def _refuse_used(location: Location) -> None:
    """Refuse a SQLite file that some process has open."""
    if location.file is None or not location.file.exists():
        return
    connection = sqlite3.connect(location.file, timeout=1)
    try:
        # Only who is alone with a file may leave WAL.
        connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError:
        raise _used(location) from None
    except sqlite3.DatabaseError as error:
        raise ConfigError(f"the database {location} can't be used: {error}") from None
    finally:
        connection.close()


def _refuse_others(connection: Connection, location: Location) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        others = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = current_setting('application_name') AND pid <> pg_backend_pid()"
        )
        if connection.exec_driver_sql(others).scalar_one():
            raise _used(location)


def _used(location: Location) -> ConfigError:
    return ConfigError(f"the database {location} is in use", hint="stop the servers that use it, then restore")


def _clear(connection: Connection, layout: Sequence[Table]) -> None:
    """Delete all rows, also those that triggers protect."""
    names = [connection.dialect.identifier_preparer.quote(table.name) for table in reversed(layout)]
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"TRUNCATE {', '.join(names)} RESTART IDENTITY")
        return
    if connection.dialect.name == "mssql":
        for name in names:
            connection.exec_driver_sql(f"TRUNCATE TABLE {name}")
        return
    triggers = connection.execute(text("SELECT name, sql, tbl_name FROM sqlite_master WHERE type = 'trigger'")).all()
    ours = [trigger for trigger in triggers if trigger.tbl_name in {table.name for table in layout}]
    for trigger in ours:
        connection.exec_driver_sql(f'DROP TRIGGER "{trigger.name}"')
    for table in reversed(layout):
        connection.execute(table.delete())
    for trigger in ours:
        connection.exec_driver_sql(trigger.sql)


@contextlib.contextmanager
def _contents(
    file: Path, schema: str, head: str, layout: Sequence[Table]
) -> Iterator[Iterator[tuple[Table, Iterable[Row]]]]:
    """Give the rows of a backup as the newest schema has them."""
    with zipfile.ZipFile(file) as archive:
        if schema == head:
            yield ((table, _read(archive, table)) for table in layout)
            return
        with _scratch(schema) as scratch:
            old = _reflect(scratch).sorted_tables
            _clear(scratch, old)
            for table in old:
                _fill(scratch, table, _read(archive, table))
            migrate(scratch, str(file))
            yield ((table, scratch.execute(select(*table.columns))) for table in layout)


def _read(archive: zipfile.ZipFile, table: Table) -> Iterator[Row]:
    """Give the rows of a table in the order of its columns."""
    with archive.open(f"{table.name}.jsonl") as lines:
        names = msgspec.json.decode(next(lines), type=list[str])
        readers = [_reader(table.columns[name].type) for name in names]
        places = [names.index(column.name) for column in table.columns]
        for line in lines:
            values = [
                value if read is None or value is None else read(value)
                for read, value in zip(readers, msgspec.json.decode(line), strict=True)
            ]
            yield [values[place] for place in places]


def _reader(kind: Any) -> Callable[[Any], Any] | None:
    """Return what makes a value of its JSON."""
    readers: dict[type, Callable[[Any], Any]] = {
        bytes: base64.b64decode,
        datetime: datetime.fromisoformat,
        date: date.fromisoformat,
    }
    return readers.get(kind.python_type)


def _fill(connection: Connection, table: Table, rows: Iterable[Row]) -> None:
    names = [str(column.name) for column in table.columns]
    remaining = iter(rows)
    while batch := [dict(zip(names, row, strict=True)) for row in itertools.islice(remaining, BATCH)]:
        connection.execute(insert(table), batch)
    if connection.dialect.name == "postgresql":
        _count_on(connection, table)


def _count_on(connection: Connection, table: Table) -> None:
    """Let the numbers that PostgreSQL gives begin after those that are there."""
    for column in inspect(connection).get_columns(table.name):
        name = column["name"]
        sequence = connection.execute(select(func.pg_get_serial_sequence(table.name, name))).scalar()
        if sequence:
            last = select(func.coalesce(func.max(table.c[name]), 0) + 1).scalar_subquery()
            connection.execute(select(func.setval(sequence, last, False)))
