"""What the store asks of a database: transactions, and the few words of SQL in which databases differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from coflows_jupyter.mset.conditions import Condition

T = TypeVar("T")

_AT_ONCE = 1000  # SQL Server takes 2,100 parameters


class Cursor(Protocol):
    """The part of a DB-API cursor that the store uses."""

    @property
    def rowcount(self) -> int:
        """How many rows a statement changed."""

    def fetchone(self) -> Any:
        """Return the next row."""

    def fetchall(self) -> list[Any]:
        """Return all rows."""


class Run(Protocol):
    """Executes one statement whose parameters are question marks."""

    def __call__(self, statement: str, parameters: Sequence[Any] = ..., /) -> Cursor:
        """Return the cursor of the statement."""


class Table(NamedTuple):
    """Where many rows go.

    Args:
        name: the table's.
        fixed: what is the same in each row.
        columns: of what is not.
    """

    name: str
    fixed: Mapping[str, Any]
    columns: tuple[str, ...]


def find_among(run: Run, number: int, column: str, wanted: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Give ID and tag of the entries of a set whose ``column`` is one of ``wanted``.

    Args:
        run: executes statements.
        number: the set's.
        column: ``id`` or ``tag``.
        wanted: as many as one likes.
    """
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        marks = ", ".join("?" * len(some))
        statement = f"SELECT id, tag FROM m_entry WHERE set_no = ? AND {column} IN ({marks})"  # noqa: S608 - of ours
        yield from run(statement, (number, *some)).fetchall()


class SetDatabase(Protocol):
    """A database with the tables of M sets."""

    def write(self, set_name: str, work: Callable[[Run], T]) -> T:
        """Do ``work`` in a transaction in which nobody else writes to the set: so its log has the order of commits."""

    def read(self, work: Callable[[Run], T]) -> T:
        """Do ``work``; each of its statements may see a later state."""

    def snapshot(self, set_name: str, work: Callable[[Run], T]) -> T:
        """Do ``work``, which reads one state of the set, however long it takes."""

    def version(self) -> int | None:
        """Return a number that changes when anything is committed; ``None`` when the database has no cheap one."""

    def signal(self) -> int | None:
        """Return a number that changes soon after anything is committed; ``None`` when one has to look for changes."""

    def condition(self, condition: Condition) -> tuple[str, list[Any]] | None:
        """Return SQL that every value meeting ``condition`` meets, with its parameters; ``None`` when there is none."""

    def make_index(self, run: Run, name: str, number: int, path: Sequence[str]) -> None:
        """Make an index of a field of ``value`` for the set with this number, if the database can have one."""

    def has_index(self, run: Run, name: str) -> bool:
        """Whether there is an index of this name."""

    def by_index(self, name: str) -> str:
        """Return the name of the table of entries for a SELECT that an index of this name can serve."""

    def inserted(self, run: Run, statement: str, parameters: Sequence[Any]) -> bool:
        """Execute an INSERT unless a unique index forbids it; return whether it happened."""

    def insert_all(self, run: Run, table: Table, rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows, of which no unique index forbids one, in their order, in few statements."""

    def limited(self, statement: str, limit: int) -> str:
        """Return an ordered SELECT that gives ``limit`` rows at most."""

    def close(self) -> None:
        """Let go of the database."""
