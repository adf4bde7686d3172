"""Reads a SQLite database of the original, which stays as it is.

Its tables: ``M`` (every entry of every set), ``Users``, ``Roles`` (groups) and ``PermissionsRepository`` (who may what
in which group).
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import msgspec

from coflows_jupyter.errors import ConfigError, NotFoundError

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


class Original:
    """A database of the original, opened to be read only.

    Args:
        file: the SQLite file.

    Raises:
        NotFoundError: there is no such file.
        ConfigError: it is no database of the original.
    """

    def __init__(self, file: Path) -> None:
        if not file.is_file():
            raise NotFoundError(f"there is no such file: {file}")
        self._connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)
        self._connection.row_factory = sqlite3.Row
        try:
            tables = self._connection.execute("SELECT lower(name) FROM sqlite_master WHERE type = 'table'")
            found = {name for (name,) in tables}
        except sqlite3.DatabaseError as error:
            self.close()
            raise ConfigError(f"{file} can't be read: {error}") from None
        if not found >= _TABLES:
            self.close()
            raise ConfigError(f"{file} is no database of the original", hint="it has the tables M, Users, Roles, …")

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def entries(self) -> Iterator[OriginalEntry]:
        """Give the entries of all sets, set by set."""
        for row in self._connection.execute("SELECT ID, EntryID, Entry, Type FROM M ORDER BY ID, rowid"):
            kind, name = row["Type"] or "", row["ID"]
            own = kind.startswith(_OWN_TYPES) or name.startswith(_OWN_SETS)
            yield OriginalEntry(name, row["EntryID"], None if own else read_value(row["Entry"] or "", kind))

    def users(self) -> list[OriginalUser]:
        """Return everybody but those that every server has."""
        rows = self._connection.execute("SELECT FirstName, LastName, Email, TenantName, Hash FROM Users")
        found = (OriginalUser(_text(r[3]), _text(r[2]).lower(), _text(r[0]), _text(r[1]), _text(r[4])) for r in rows)
        return [user for user in found if user.id and user.id not in {"root", "anonymous"}]

    def groups(self) -> list[OriginalGroup]:
        """Return the groups, parents before their sub-groups."""
        rows = self._connection.execute("SELECT ID, Name, Description, Parent FROM Roles")
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
        rows = self._connection.execute(statement)
        return [OriginalMember(_text(row[0]), _text(row[1]), int(row[2]), _expiry(_text(row[3]))) for row in rows]


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
