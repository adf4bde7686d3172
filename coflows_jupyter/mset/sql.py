"""The store in the Workflow's database.

Tables: ``m_set`` numbers the sets, ``m_entry`` holds what they contain now, ``m_log`` every change. The SQL is the
same for all databases apart from the words that ``SetDatabase`` gives.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from coflows_jupyter.errors import ConflictError, NotFoundError
from coflows_jupyter.mset.conditions import Condition, meets
from coflows_jupyter.mset.database import Run, SetDatabase
from coflows_jupyter.mset.edit import Edit
from coflows_jupyter.mset.follow import Follower
from coflows_jupyter.mset.model import (
    Author,
    Change,
    Entry,
    Logged,
    Outcome,
    Page,
    SetInfo,
    check_id,
    decode,
)
from coflows_jupyter.mset.store import PAGE, Contents, OnChanges

_LOGGED = "seq, op, entry, value, run, actor, at"
_PRUNE = 5000

GUARD_SECONDS = 1.0
"""How long it may take until a new group for a set counts."""

_SENTENCES = {
    "duplicate": "an equal value is in the set already",
    "absent": "there is no such entry",
    "changed": "the entry was changed by somebody else",
}


class SqlMStore:
    """See ``MStore``.

    Args:
        database: where the tables are.
    """

    def __init__(self, database: SetDatabase) -> None:
        self._database = database
        self._numbers: dict[str, int] = {}
        self._guarded: dict[str, tuple[bool, float]] = {}
        self._follower = Follower(self.changes, database.signal)

    def close(self) -> None:
        """See ``MStore.close``."""
        self._follower.close()
        self._database.close()

    # -- writing -------------------------------------------------------------------------------------------------------

    def apply(self, name: str, changes: Sequence[Change], author: Author, *, atomic: bool = False) -> list[Outcome]:
        """See ``MStore.apply``."""
        for change in changes:
            if change.entry:
                check_id("an entry", change.entry)

        def work(run: Run) -> list[Outcome]:
            if author.attempt:
                _check_attempt(run, author)
            edit = Edit(self._database, run, self._number(run, name, make=True), author)
            outcomes = []
            for outcome in edit.do_all(changes):
                if atomic and not outcome.done:
                    raise ConflictError(f"nothing was changed: {_SENTENCES[outcome.reason]} ({outcome.entry or name})")
                outcomes.append(outcome)
            return outcomes

        return self._database.write(name, work)

    def _number(self, run: Run, name: str, *, make: bool = False) -> int:
        """Return the number of a set, 0 when there is none."""
        number = self._numbers.get(name, 0)
        if number:
            return number
        found = "SELECT number FROM m_set WHERE id = ?"
        row = run(found, (name,)).fetchone()
        if row is not None:
            number = self._numbers[name] = int(row[0])
        elif make:
            statement = "INSERT INTO m_set (id, pruned, pruned_at) VALUES (?, ?, ?)"
            self._database.inserted(run, statement, (check_id("an M set", name), 0, ""))
            # Not remembered: it is not there for others yet, and perhaps never will be.
            number = int(run(found, (name,)).fetchone()[0])
        return number

    def index(self, name: str, path: tuple[str, ...]) -> None:
        """See ``MStore.index``."""

        def work(run: Run) -> None:
            number = self._number(run, name, make=True)
            index = _index_name(number, path)
            if not self._database.has_index(run, index):
                self._database.make_index(run, index, number, path)

        self._database.write(name, work)

    def prune(self, keep: timedelta) -> int:
        """Delete changes that are older than ``keep`` and were followed by another one; return how many.

        The last change of each entry stays, so that history and ``at`` are whole from then on.
        """
        edge = (datetime.now(UTC) - keep).isoformat(timespec="microseconds")
        total = 0
        for name in self._database.read(lambda run: [row[0] for row in run("SELECT id FROM m_set").fetchall()]):
            while deleted := self._database.write(name, partial(self._prune, name, edge)):
                total += deleted
        return total

    def _prune(self, name: str, edge: str, run: Run) -> int:
        number = self._number(run, name)
        (last,) = run("SELECT coalesce(max(seq), 0) FROM m_log WHERE set_no = ? AND at < ?", (number, edge)).fetchone()
        superseded = (
            "SELECT seq FROM m_log old WHERE set_no = ? AND seq <= ? AND (op = 'remove' OR op = 'clear'"
            " OR EXISTS (SELECT 1 FROM m_log new WHERE new.set_no = old.set_no"
            " AND (new.entry = old.entry OR new.op = 'clear') AND new.seq > old.seq AND new.seq <= ?)) ORDER BY seq"
        )
        # The oldest first: without its removal, an entry would seem to be there.
        oldest = self._database.limited(superseded, _PRUNE)
        deleted = run(f"DELETE FROM m_log WHERE seq IN ({oldest})", (number, last, last)).rowcount  # noqa: S608 - of ours
        if deleted:
            run("UPDATE m_set SET pruned = ?, pruned_at = ? WHERE number = ?", (last, edge, number))
        return deleted

    # -- reading -------------------------------------------------------------------------------------------------------

    def _read(self, name: str, work: Callable[[Run, int], Any], missing: Any) -> Any:
        def with_number(run: Run) -> Any:
            number = self._number(run, name)
            return work(run, number) if number else missing

        return self._database.read(with_number)

    def load(self, name: str) -> Contents:
        """See ``MStore.load``."""

        def work(run: Run) -> Contents:
            number = self._number(run, name)
            seq = _last(run, number)
            rows = run("SELECT number, id, value FROM m_entry WHERE set_no = ? ORDER BY number", (number,)).fetchall()
            return Contents(seq, map(Entry._make, rows))

        return self._database.snapshot(name, work)

    def get(self, name: str, entry: str) -> str | None:
        """See ``MStore.get``."""
        statement = "SELECT value FROM m_entry WHERE set_no = ? AND id = ?"
        row = self._read(name, lambda run, number: run(statement, (number, entry)).fetchone(), None)
        return row and str(row[0])

    def find(self, name: str, tag: str) -> str:
        """See ``MStore.find``."""
        statement = "SELECT id FROM m_entry WHERE set_no = ? AND tag = ?"
        row = self._read(name, lambda run, number: run(statement, (number, tag)).fetchone(), None)
        return str(row[0]) if row else ""

    def count(self, name: str) -> int:
        """See ``MStore.count``."""
        statement = "SELECT count(*) FROM m_entry WHERE set_no = ?"
        return int(self._read(name, lambda run, number: run(statement, (number,)).fetchone()[0], 0))

    def select(self, name: str, conditions: tuple[Condition, ...], after: int = 0, limit: int = 0) -> list[Entry]:
        """See ``MStore.select``."""

        def work(run: Run, number: int) -> list[Entry]:
            index = self._index(run, number, conditions)
            table = self._database.by_index(index) if index else "m_entry"
            start, entries = after, []
            while True:
                rows = self._rows(run, table, number, conditions, start, limit)
                entries += [Entry(*row) for row in rows if not conditions or meets(decode(row[2]), conditions)]
                if not limit or len(rows) < limit or len(entries) >= limit:
                    return entries[:limit] if limit else entries
                start = rows[-1][0]

        entries: list[Entry] = self._read(name, work, [])
        return entries

    def _rows(
        self, run: Run, table: str, number: int, conditions: tuple[Condition, ...], start: int, limit: int
    ) -> list[Any]:
        # The number as text, not as a parameter: so databases see that an index of this set will do.
        clauses, given = [f"set_no = {number:d}", f"number > {start:d}"], []
        for found in filter(None, map(self._database.condition, conditions)):
            clauses.append(found[0])
            given += found[1]
        statement = f"SELECT number, id, value FROM {table} WHERE {' AND '.join(clauses)}"  # noqa: S608 - of ours
        if limit:
            return run(self._database.limited(f"{statement} ORDER BY number", limit), given).fetchall()
        # Without a limit it is quicker to order what was found.
        return sorted(run(statement, given).fetchall())

    def _index(self, run: Run, number: int, conditions: tuple[Condition, ...]) -> str:
        """Return an index that finds what meets one of the conditions, empty when there is none."""
        for condition in conditions:
            index = _index_name(number, condition.path)
            if self._database.condition(condition) is not None and self._database.has_index(run, index):
                return index
        return ""

    def changes(self, name: str, after: int, limit: int = PAGE) -> Page:
        """See ``MStore.changes``."""

        def work(run: Run, number: int) -> Page:
            if after < 0:
                return Page([], _last(run, number))
            statement = f"SELECT {_LOGGED} FROM m_log WHERE set_no = ? AND seq > ? ORDER BY seq"  # noqa: S608 - names of ours
            rows = run(self._database.limited(statement, limit), (number, after)).fetchall()
            # Asked afterwards: what is deleted between the two must not look as if it had never been.
            (pruned,) = run("SELECT pruned FROM m_set WHERE number = ?", (number,)).fetchone()
            if after < pruned:
                return Page([], _last(run, number), reset=True)
            return Page([Logged(*row) for row in rows], rows[-1][0] if rows else after)

        page: Page = self._read(name, work, None) or Page([], max(after, 0))
        return page

    def history(self, name: str, entry: str) -> list[Logged]:
        """See ``MStore.history``."""
        statement = f"SELECT {_LOGGED} FROM m_log WHERE set_no = ? AND entry = ? ORDER BY seq"  # noqa: S608 - names of ours
        rows = self._read(name, lambda run, number: run(statement, (number, entry)).fetchall(), [])
        return [Logged(*row) for row in rows]

    def at(self, name: str, moment: str) -> list[tuple[str, str]]:
        """See ``MStore.at``."""

        def work(run: Run, number: int) -> list[tuple[str, str]]:
            (pruned_at,) = run("SELECT pruned_at FROM m_set WHERE number = ?", (number,)).fetchone()
            if moment < pruned_at:
                raise NotFoundError(f"the history of {name} goes back to {pruned_at}")
            statement = (
                "SELECT entry, op, value FROM m_log JOIN (SELECT max(seq) AS latest FROM m_log"
                " WHERE set_no = ? AND at <= ? AND seq >= (SELECT coalesce(max(seq), 0) FROM m_log"
                " WHERE set_no = ? AND at <= ? AND op = 'clear') GROUP BY entry) found ON seq = latest ORDER BY seq"
            )
            rows = run(statement, (number, moment, number, moment)).fetchall()
            return [(entry, value) for entry, op, value in rows if op not in {"remove", "clear"}]

        found: list[tuple[str, str]] = self._read(name, work, [])
        return found

    def sets(self) -> list[SetInfo]:
        """See ``MStore.sets``."""
        statement = (
            "SELECT id, entries FROM m_set JOIN (SELECT set_no, count(*) AS entries FROM m_entry GROUP BY set_no)"
            " counted ON set_no = number ORDER BY id"
        )
        return [SetInfo(*row) for row in self._database.read(lambda run: run(statement).fetchall())]

    def indexed(self, name: str, conditions: tuple[Condition, ...]) -> bool:
        """See ``MStore.indexed``."""
        return bool(self._read(name, lambda run, number: self._index(run, number, conditions), ""))

    def guarded(self, name: str) -> bool:
        """See ``MStore.guarded``."""
        found, until = self._guarded.get(name, (False, 0.0))
        if until < time.monotonic():
            statement = "SELECT 1 FROM coflows_groups WHERE id = ?"
            found = self._database.read(lambda run: run(statement, (name,)).fetchone()) is not None
            self._guarded[name] = found, time.monotonic() + GUARD_SECONDS
        return found

    def version(self, _name: str) -> object:
        """See ``MStore.version``."""
        return self._database.version()

    def subscribe(self, name: str, after: int, listener: OnChanges) -> Callable[[], None]:
        """See ``MStore.subscribe``."""
        return self._follower.add(name, after, listener)


def _check_attempt(run: Run, author: Author) -> None:
    """Refuse what an attempt still writes after its server was silent for so long that others gave it up."""
    statement = "SELECT attempt FROM agent_runs WHERE run_id = ? AND state = 'running'"
    row = run(statement, (author.run.partition(".")[0],)).fetchone()
    if row is None or row[0] != author.attempt:
        raise ConflictError(f"attempt {author.attempt} of run {author.run} was given up: nothing was changed")


def _last(run: Run, number: int) -> int:
    """Return the latest change of a set; those of other sets may be committed in another order."""
    (last,) = run("SELECT max(seq) FROM m_log WHERE set_no = ?", (number,)).fetchone()
    row = run("SELECT pruned FROM m_set WHERE number = ?", (number,)).fetchone()
    return max(last or 0, row[0] if row else 0)


def _index_name(number: int, path: Sequence[str]) -> str:
    return f"m_field_{number:d}_{hashlib.sha256('.'.join(path).encode()).hexdigest()[:12]}"
