"""What there is to say about a database without changing it."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, inspect

from coflows_jupyter.database import mssql, postgres, sqlite
from coflows_jupyter.database.connection import Database
from coflows_jupyter.database.dump import count, tables
from coflows_jupyter.database.location import Location
from coflows_jupyter.database.migrate import version, versions

# Tables that the original makes; some of their names are too common to tell anything.
ORIGINAL = frozenset({"M", "Roles", "Users", "PermissionsRepository", "UserLoginRepository", "FileRepository"})
_TELLING = frozenset({"M", "PermissionsRepository"})

_NAMES = {"sqlite": sqlite.NAME, "postgres": postgres.NAME, "mssql": mssql.NAME}


class Status(msgspec.Struct, frozen=True):
    """The state of a database.

    Args:
        type: as in ``Database.Type``.
        database: what it is called.
        schema: the version of its schema, empty when there is none yet.
        newest: the version that this program makes.
        rows: how many rows each of our tables has.
        original: tables of the original in it.
    """

    type: str
    database: str
    schema: str
    newest: str
    rows: dict[str, int] = {}
    original: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of its kind."""
        return _NAMES[self.type]

    @property
    def sentence(self) -> str:
        """What its schema needs."""
        if not self.schema:
            return "nothing of ours is in it yet"
        if self.schema == self.newest:
            return f"schema {self.schema}, up to date"
        if self.schema in versions():
            return f"schema {self.schema}, which the next start brings to {self.newest}"
        return f"schema {self.schema} of a newer version of coflows_jupyter"


def look(location: Location) -> Status:
    """Look at a database.

    Raises:
        CoflowsError: it can't be used, or does not answer.
    """
    newest = versions()[-1]
    if location.file is not None and not location.file.exists():
        return Status(location.type, str(location), "", newest)
    database = Database(location, wait=1, migrate=False)

    def work(connection: Connection) -> Status:
        schema = version(connection) or ""
        rows = count(connection, tables(schema)) if schema in versions() else {}
        return Status(location.type, str(location), schema, newest, rows, original_tables(connection))

    try:
        return database.run(work, readonly=True)
    finally:
        database.close()


def original_tables(connection: Connection) -> tuple[str, ...]:
    """Return the tables of the original that are in a database, none when it isn't one of the original's."""
    by_lower = {name.lower(): name for name in ORIGINAL}
    found = {by_lower[name.lower()] for name in inspect(connection).get_table_names() if name.lower() in by_lower}
    return tuple(sorted(found)) if found >= _TELLING else ()
