"""How the store in the database talks to SQLite: through the driver itself, because an add has to be quick.

Three connections of our own: one writes, one reads, one watches for what others commit.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, TypeVar

from coflows_jupyter.errors import ConfigError
from coflows_jupyter.mset.conditions import Condition
from coflows_jupyter.mset.database import Run, Table

T = TypeVar("T")

BUSY_SECONDS = 60.0
"""How long a write waits for those of other processes."""

_STATEMENTS = 256


class SqliteFile:
    """The SQLite file that a Workflow's M sets are in; it is opened, and its schema made, when it is needed.

    Args:
        file: the file.
        prepare: brings its schema up to date.
    """

    def __init__(self, file: Path, prepare: Callable[[], None]) -> None:
        self._file = file
        self._prepare = prepare
        self._writing, self._reading, self._watching = threading.Lock(), threading.Lock(), threading.Lock()
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        """Connections must not be used on both sides of a fork."""
        self._prepared = False
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._watcher: sqlite3.Connection | None = None

    def _open(self) -> sqlite3.Connection:
        try:
            if not self._prepared:
                self._prepare()
                self._prepared = True
            connection = sqlite3.connect(
                self._file,
                timeout=BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=_STATEMENTS,
            )
            connection.execute("PRAGMA synchronous = NORMAL")
        except (sqlite3.Error, OSError) as error:
            message = f"the database {self._file} can't be used: {error}"
            raise ConfigError(message, hint="Database.Connection names the file") from None
        return connection

    def write(self, _set_name: str, work: Callable[[Run], T]) -> T:
        """See ``SetDatabase.write``; SQLite lets one writer in at a time anyway."""
        with self._writing:
            if self._writer is None:
                self._writer = self._open()
            connection = self._writer
            try:
                connection.execute("BEGIN IMMEDIATE")
                result = work(connection.execute)
                connection.execute("COMMIT")
            except BaseException:
                # Also a call that is cancelled at this very moment.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            return result

    def read(self, work: Callable[[Run], T]) -> T:
        """See ``SetDatabase.read``."""
        with self._reading:
            if self._reader is None:
                self._reader = self._open()
            return work(self._reader.execute)

    def snapshot(self, _set_name: str, work: Callable[[Run], T]) -> T:
        """See ``SetDatabase.snapshot``."""
        with closing(self._open()) as connection:
            connection.execute("BEGIN")
            return work(connection.execute)

    def version(self) -> int | None:
        """See ``SetDatabase.version``: SQLite counts what other connections commit, and this one commits nothing."""
        with self._watching:
            if self._watcher is None:
                self._watcher = self._open()
            (number,) = self._watcher.execute("PRAGMA data_version").fetchone()
            return int(number)

    def signal(self) -> int | None:
        """See ``SetDatabase.signal``."""
        return self.version()

    def close(self) -> None:
        """Let go of the file."""
        for lock, connection in (
            (self._writing, self._writer),
            (self._reading, self._reader),
            (self._watching, self._watcher),
        ):
            with lock, suppress(sqlite3.Error):
                if connection is not None:
                    connection.close()
        self._writer = self._reader = self._watcher = None

    # -- SQL that is SQLite's own --------------------------------------------------------------------------------------

    def condition(self, condition: Condition) -> tuple[str, list[Any]] | None:
        """See ``SetDatabase.condition``."""
        wanted, op = condition.wanted, condition.op
        if any(set(name) & _SPECIAL for name in condition.path):
            return None
        field = _field(condition.path)
        if op in _COMPARISONS and _is_plain(wanted):
            return f"{field} {_COMPARISONS[op]} ?", [wanted]
        if op == "in" and wanted and all(map(_is_plain, wanted)):
            return f"{field} IN ({', '.join('?' * len(wanted))})", list(wanted)
        if op == "startswith" and isinstance(wanted, str) and wanted:
            # Text compares by code point; nothing that begins so comes after this.
            return f"{field} >= ? AND {field} < ?", [wanted, wanted + "\U0010ffff"]
        return None

    def make_index(self, run: Run, name: str, number: int, path: Sequence[str]) -> None:
        """See ``SetDatabase.make_index``."""
        run(f"CREATE INDEX {name} ON m_entry ({_field(path)}) WHERE set_no = {number:d}")

    def has_index(self, run: Run, name: str) -> bool:
        """See ``SetDatabase.has_index``."""
        found = run("SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = ?", (name,)).fetchone()
        return found is not None

    def by_index(self, name: str) -> str:
        """See ``SetDatabase.by_index``; left alone, SQLite prefers the index of all entries of a set."""
        return f"m_entry INDEXED BY {name}"

    def inserted(self, run: Run, statement: str, parameters: Sequence[Any]) -> bool:
        """See ``SetDatabase.inserted``."""
        return run(f"{statement} ON CONFLICT DO NOTHING", parameters).rowcount > 0

    def insert_all(self, run: Run, table: Table, rows: Sequence[Sequence[Any]]) -> None:
        """See ``SetDatabase.insert_all``; without a way over a network, row by row is quick."""
        names = ", ".join((*table.fixed, *table.columns))
        marks = ", ".join("?" * (len(table.fixed) + len(table.columns)))
        fixed = tuple(table.fixed.values())
        for row in rows:
            run(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", (*fixed, *row))  # noqa: S608 - names of ours

    def limited(self, statement: str, limit: int) -> str:
        """See ``SetDatabase.limited``."""
        return f"{statement} LIMIT {limit:d}"


_SPECIAL = frozenset('"\\')  # SQLite's paths have no way to write them
_COMPARISONS = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_LARGEST = 2**63


def _field(path: Sequence[str]) -> str:
    names = "".join(f'."{name}"' for name in path).replace("'", "''")
    return f"json_extract(value, '${names}')"


def _is_plain(value: object) -> bool:
    """Whether SQLite compares it as Python does."""
    return isinstance(value, str | float) or (isinstance(value, int) and -_LARGEST <= value < _LARGEST)
