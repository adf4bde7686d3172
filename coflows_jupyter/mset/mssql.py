"""M sets in SQL Server: the words of Transact-SQL. It looks at values entry by entry, and tells nobody of changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from coflows_jupyter.mset.server import ServerSets, lock_key

if TYPE_CHECKING:
    from coflows_jupyter.mset.conditions import Condition
    from coflows_jupyter.mset.database import Run, Table

LOCK_SECONDS = 50
"""How long a write waits for those of others, less than ``Database`` gives a statement."""

ROWS = 500
"""How many rows one statement inserts: with four values each, fewer than the 2,100 that it may have."""


class MssqlSets(ServerSets):
    """See ``SetDatabase``."""

    PARAMETER = "?"

    def lock(self, run: Run, set_name: str) -> None:
        """See ``ServerSets.lock``."""
        run(_applock(set_name, "Exclusive"))

    def hold(self, run: Run, set_name: str) -> None:
        """See ``ServerSets.hold``: who writes has to wait, as not every database has snapshots switched on."""
        run(_applock(set_name, "Shared"))

    def signal(self) -> int | None:
        """See ``SetDatabase.signal``."""
        return None

    def condition(self, _condition: Condition) -> tuple[str, list[Any]] | None:
        """See ``SetDatabase.condition``: what SQL Server compares is not what Python compares."""
        return None

    def make_index(self, run: Run, name: str, number: int, path: Sequence[str]) -> None:
        """See ``SetDatabase.make_index``: without conditions nothing could use one."""

    def has_index(self, _run: Run, _name: str) -> bool:
        """See ``SetDatabase.has_index``."""
        return False

    def by_index(self, _name: str) -> str:
        """See ``SetDatabase.by_index``."""
        return "m_entry"

    def inserted(self, run: Run, statement: str, parameters: Sequence[Any]) -> bool:
        """See ``SetDatabase.inserted``; a row that is refused does not end the transaction."""
        from sqlalchemy.exc import IntegrityError

        try:
            run(statement, parameters)
        except IntegrityError:
            return False
        return True

    def insert_all(self, run: Run, table: Table, rows: Sequence[Sequence[Any]]) -> None:
        """See ``SetDatabase.insert_all``; SQL Server gives identities in the order of the SELECT."""
        columns = ", ".join(table.columns)
        marks = ", ".join("?" * len(table.columns))
        for start in range(0, len(rows), ROWS):
            some = rows[start : start + ROWS]
            values = ", ".join(f"({place}, {marks})" for place in range(len(some)))
            statement = (
                f"INSERT INTO {table.name} ({', '.join(table.fixed)}, {columns})"  # noqa: S608 - names of ours
                f" SELECT {', '.join('?' * len(table.fixed))}, {columns}"
                f" FROM (VALUES {values}) AS batch (place, {columns}) ORDER BY place"
            )
            run(statement, (*table.fixed.values(), *(given for row in some for given in row)))

    def limited(self, statement: str, limit: int) -> str:
        """See ``SetDatabase.limited``."""
        return f"{statement} OFFSET 0 ROWS FETCH NEXT {limit:d} ROWS ONLY"


def _applock(set_name: str, mode: str) -> str:
    # It says by a number that it gave up, and by no error.
    return (
        "SET NOCOUNT ON; DECLARE @got int;"
        f" EXEC @got = sp_getapplock @Resource = N'coflows_m_{lock_key(set_name).hex()}', @LockMode = '{mode}',"
        f" @LockOwner = 'Transaction', @LockTimeout = {LOCK_SECONDS * 1000};"
        " IF @got < 0 BEGIN; THROW 50000, 'others write to this M set for too long', 1; END; SET NOCOUNT OFF"
    )
