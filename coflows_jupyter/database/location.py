"""Where a configuration keeps its database."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from coflows_jupyter.errors import ConfigError, Diagnostic

if TYPE_CHECKING:
    from coflows_jupyter.config import Config

FILE_NAME = "coflows.db"

Type = Literal["sqlite", "postgres", "mssql"]


class Location(msgspec.Struct, frozen=True):
    """A database; neither ``str`` nor ``repr`` shows how to get in.

    Args:
        type: what kind it is.
        label: what to call it in a sentence: the file of a SQLite database, else name and host.
        parameters: keywords of the driver for any other; among them may be a password.
    """

    type: Type
    label: str
    parameters: dict[str, str] = {}

    @property
    def file(self) -> Path | None:
        """The file of a SQLite database."""
        return Path(self.label) if self.type == "sqlite" else None

    @classmethod
    def at(cls, file: Path) -> Location:
        """Return the place of a SQLite file."""
        return cls("sqlite", str(file))

    @classmethod
    def parse(cls, type: Literal["postgres", "mssql"], text: str) -> Location:  # noqa: A002 - as the field
        """Return what a connection text means.

        Args:
            type: as written; when the text begins as one of the other kind, the text decides, as in the original.
            text: ADO.NET for SQL Server; URL, libpq or .NET text for PostgreSQL.

        Raises:
            ValueError: with a sentence that quotes nothing of the text.
        """
        # A host is told a Location and has no use for what reads one.
        from coflows_jupyter.database import mssql, postgres

        keyword = text.partition("=")[0].strip().lower()
        kind = {"host": "postgres", "server": "mssql"}.get(keyword, type)
        if type == "postgres" and re.search(r";\s*port\s*=", text, re.IGNORECASE):
            # PostgreSQL's .NET driver knows "Server" too; SQL Server's has no "Port".
            kind = type
        if kind == "postgres":
            parameters = postgres.parse(text)
            return cls("postgres", postgres.label(parameters), parameters)
        parameters = mssql.parse(text)
        return cls("mssql", mssql.label(parameters), parameters)

    def __hash__(self) -> int:
        return hash((self.type, self.label))

    def __str__(self) -> str:
        return self.label

    def __repr__(self) -> str:
        return f"Location({self.type!r}, {self.label!r})"


def locate(config: Config) -> Location:
    """Return the database of ``Database``; without that section it is a file beside the configuration.

    Raises:
        ConfigError: ``Database.Connection`` can't be read.
    """
    from coflows_jupyter.values import SECRET_REFERENCE

    database = config.database
    if "database" not in config.model_fields_set:
        return Location.at(config.folder / FILE_NAME)
    text = database.connection.get_secret_value()
    if SECRET_REFERENCE.search(text):
        message = "Database.Connection can't be a secret of the Workflow: that is where these are kept"
        raise ConfigError(message, hint="write ${NAME} for an environment variable, or file:PATH")
    if database.type == "sqlite":
        return Location.at(config.resolve(text))
    try:
        return Location.parse(database.type, text)
    except ValueError as error:
        message = f"Database.Connection can't be read: {error}"
        hint = _FORMS[database.type]
        found = Diagnostic(str(config.file or ""), 0, 0, "warning", "database", message, hint)
        raise ConfigError(message, [found], hint=hint) from None


_FORMS = {
    "postgres": 'write "postgresql://USER:PASSWORD@HOST:5432/NAME" or "Host=…;Username=…;Password=…;Database=…"',
    "mssql": 'write "Server=HOST,1433;Database=NAME;User ID=USER;Password=PASSWORD"',
}
