"""The seam below ``M``: where the entries of all sets are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from coflows_jupyter.mset.conditions import Condition
from coflows_jupyter.mset.model import Author, Change, Entry, Logged, Outcome, Page, SetInfo

OnChanges = Callable[[Page], None]

PAGE = 1000


class Contents(NamedTuple):
    """A whole set at the moment of change ``seq``, the oldest entry first."""

    seq: int
    entries: Iterable[Entry]


class MStore(Protocol):
    """Holds sets; its methods may be called by any thread, and ``tests/mset/test_contract.py`` says what they do."""

    def apply(self, name: str, changes: Sequence[Change], author: Author, *, atomic: bool = False) -> list[Outcome]:
        """Make changes, in order and in one transaction; they are durable when this returns.

        Args:
            name: the set's ID; it begins to exist with its first entry.
            changes: what to do.
            author: who does it.
            atomic: whether to do all or nothing.

        Raises:
            ConflictError: ``atomic``, and one of them can't be done.
        """

    def load(self, name: str) -> Contents:
        """Read a whole set."""

    def get(self, name: str, entry: str) -> str | None:
        """Return the value of an entry as JSON, ``None`` when there is no such entry."""

    def find(self, name: str, tag: str) -> str:
        """Return the ID of the entry whose value has this tag, empty when there is none."""

    def count(self, name: str) -> int:
        """Return the number of entries."""

    def select(self, name: str, conditions: tuple[Condition, ...], after: int = 0, limit: int = 0) -> list[Entry]:
        """Return entries that meet all conditions, the oldest first.

        Args:
            name: the set's ID.
            conditions: what they must meet.
            after: only entries with a greater number.
            limit: how many at most; 0 means all.
        """

    def changes(self, name: str, after: int, limit: int = PAGE) -> Page:
        """Return what happened after change ``after``, ``limit`` changes at most; -1 means from now on."""

    def history(self, name: str, entry: str) -> list[Logged]:
        """Return what happened to an entry, as far as it is kept."""

    def at(self, name: str, moment: str) -> list[tuple[str, str]]:
        """Return IDs and values of the entries that there were at a time.

        Args:
            name: the set's ID.
            moment: ISO 8601 in UTC, with microseconds and ``+00:00``.

        Raises:
            NotFoundError: the log does not go back so far.
        """

    def sets(self) -> list[SetInfo]:
        """List all sets that have entries."""

    def index(self, name: str, path: tuple[str, ...]) -> None:
        """Make ``select`` by this field quick."""

    def indexed(self, name: str, conditions: tuple[Condition, ...]) -> bool:
        """Whether ``select`` with these conditions is quicker than to look at every entry."""

    def guarded(self, name: str) -> bool:
        """Whether there is a group that says who may do what to the set; this may be known a second late."""

    def version(self, name: str) -> object:
        """Return something that has changed whenever the set may have; ``None`` when nobody knows without asking."""

    def subscribe(self, name: str, after: int, listener: OnChanges) -> Callable[[], None]:
        """Tell ``listener``, on a thread of the store's, of every change after ``after``; return what ends that."""

    def close(self) -> None:
        """Let go of everything."""
