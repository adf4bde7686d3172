"""Reads a database of the original, of any type, which stays as it is.

Its tables: ``M`` (every entry of every set), ``Users``, ``Roles`` (groups) and ``PermissionsRepository`` (who may what
in which group).
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from coflows_jupyter.errors import ConfigError, NotFoundError

if TYPE_CHECKING:
    from coflows_jupyter.database.location import Location

# It kept ' as character 26 and " as 27, so that no statement that it put together would break.
_QUOTES = str.maketrans({"\x1a": "'", "\x1b": '"'})
_STRING = "System.String"
# What it kept of Workflows, agents, certificates and queues; here that is in files, or made anew.
_OWN_TYPES = "QuantApp.Engine."
_OWN_SETS = ("---LetsEncrypt--", "_m_q_i_", "--CoFlows--")
_FOREVER = 9000
_TABLES = frozenset({"m", "users", "roles", "permissionsrepository"})


class OriginalEntry(msgspec.Struct, frozen=True):
    """An entry of an M set; ``value`` is ``None`` for what the original kept for itself."""

    set: str
    id: str
    value: Any


class OriginalUser(msgspec.Struct, frozen=True):
    """A person; ``md5`` is the hex digest of their password, empty for none."""

    id: str
    email: str
    first_name: str
    last_name: str
    md5: str


class OriginalGroup(msgspec.Struct, frozen=True):
    """A group; ``parent`` is empty at the top."""

    id: str
    name: str
    description: str
    parent: str


class OriginalMember(msgspec.Struct, frozen=True):
    """A level in a group, from -2 to 2; ``expires`` is ISO 8601 in UTC, empty for never, ``None`` if unreadable."""

    user: str
    group: str
    level: int
    expires: str | None


Select = Callable[[str], Iterable[Sequence[Any]]]
"""Gives the rows of a query."""


class Original(contextlib.ExitStack):
    """A database of the original, opened to be read only.

    Args:
        location: the database.

    Raises:
        NotFoundError: there is no such file.
        ConfigError: it can't be reached, or is no database of the original.
    """

    def __init__(self, location: Location) -> None:
        super().__init__()
        file = location.file
        self._age = "rowid" if file else "EntryID"
        with contextlib.ExitStack() as opening:
            opening.callback(self.close)
            self._select: Select = _file(file, self) if file else _server(location, self)
            if not self._tables(location) >= _TABLES:
                hint = "it has the tables M, Users, Roles, …"
                raise ConfigError(f"{location} is no database of the original", hint=hint)
            opening.pop_all()

    def _tables(self, location: Location) -> set[str]:
        names = (
            "lower(name) FROM sqlite_master" if location.file else "lower(TABLE_NAME) FROM INFORMATION_SCHEMA.TABLES"
        )
        try:
            return {name for (name,) in self._select(f"SELECT {names}")}
        except sqlite3.DatabaseError as error:
            raise ConfigError(f"{location} can't be read: {error}") from None

    def entries(self) -> Iterator[OriginalEntry]:
        """Give the entries of all sets, set by set."""
        statement = f"SELECT ID, EntryID, Entry, Type FROM M ORDER BY ID, {self._age}"  # noqa: S608 - of ours
        for name, entry, text, kind in self._select(statement):
            own = (kind or "").startswith(_OWN_TYPES) or name.startswith(_OWN_SETS)
            yield OriginalEntry(name, entry, None if own else read_value(text or "", kind or ""))

    def users(self) -> list[OriginalUser]:
        """Return everybody but those that every server has."""
        rows = self._select("SELECT FirstName, LastName, Email, TenantName, Hash FROM Users")
        found = (OriginalUser(_text(r[3]), _text(r[2]).lower(), _text(r[0]), _text(r[1]), _text(r[4])) for r in rows)
        return [user for user in found if user.id and user.id not in {"root", "anonymous"}]

    def groups(self) -> list[OriginalGroup]:
        """Return the groups, parents before their sub-groups."""
        rows = self._select("SELECT ID, Name, Description, Parent FROM Roles")
        waiting = {_text(row[0]): OriginalGroup(*map(_text, row)) for row in rows}
        ordered: list[OriginalGroup] = []
        while waiting:
            ready = [group for group in waiting.values() if group.parent not in waiting] or list(waiting.values())
            for group in ready:
                del waiting[group.id]
            ordered += ready
        return ordered

    def members(self) -> list[OriginalMember]:
        """Return who is in which group."""
        statement = (
            "SELECT PermissibleID, GroupID, AccessType, Expiry FROM PermissionsRepository"
            " WHERE Type = 'QuantApp.Kernel.User'"
        )
        rows = self._select(statement)
        return [OriginalMember(_text(row[0]), _text(row[1]), int(row[2]), _expiry(_text(row[3]))) for row in rows]


def _file(file: Path, closing: contextlib.ExitStack) -> Select:
    if not file.is_file():
        raise NotFoundError(f"there is no such file: {file}")
    # By the driver itself: our own connections would change how the file is written.
    return closing.enter_context(
        contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True))
    ).execute


def _server(location: Location, closing: contextlib.ExitStack) -> Select:
    from coflows_jupyter.database.connection import Database

    database = Database(location, migrate=False)
    closing.callback(database.close)
    connection = closing.enter_context(database.reader())
    return connection.exec_driver_sql


def read_value(text: str, kind: str) -> Any:
    """Return the value of an entry.

    Args:
        text: as the original stored it.
        kind: the .NET type that it had.
    """
    plain = text.translate(_QUOTES)
    if kind != _STRING:
        with contextlib.suppress(msgspec.DecodeError):
            return msgspec.json.decode(plain)
    # The original takes the quotes off when it loads an entry, whether they were its own or not.
    return plain.strip('"').replace('\\"', '"')


def _expiry(text: str) -> str | None:
    if not text:
        return ""
    try:
        when = datetime.fromisoformat(text[:19]).replace(tzinfo=UTC)
    except ValueError:
        return None
    return "" if when.year > _FOREVER else when.isoformat()


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()
