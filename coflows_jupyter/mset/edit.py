"""Changes of a set, made in the tables of the store in the database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby

from coflows_jupyter.mset.database import Run, SetDatabase, Table, find_among
from coflows_jupyter.mset.model import Author, Change, Op, Outcome, new_id

_INSERT = "INSERT INTO m_entry (set_no, id, tag, value) VALUES (?, ?, ?, ?)"
_LOG = "INSERT INTO m_log (set_no, entry, op, value, run, actor, at) VALUES (?, ?, ?, ?, ?, ?, ?)"


class Edit:
    """Makes the changes of one transaction.

    Args:
        database: says what its words are.
        run: executes statements in the transaction.
        number: the set's.
        author: who changes it.
    """

    def __init__(self, database: SetDatabase, run: Run, number: int, author: Author) -> None:
        self._database = database
        self._run = run
        self._number = number
        self._author = author
        self._now = datetime.now(UTC).isoformat(timespec="microseconds")

    def do_all(self, changes: Iterable[Change]) -> Iterator[Outcome]:
        """Make changes in order; of values that are added one after the other, many at once."""
        for together, some in groupby(changes, _may_go_together):
            if together:
                yield from self._add_all(list(some))
            else:
                yield from map(self._do, some)

    def _do(self, change: Change) -> Outcome:
        if change.op == "add":
            return self._add(change)
        if change.op == "clear":
            self._run("DELETE FROM m_entry WHERE set_no = ?", (self._number,))
            return self._log("clear", "", "")
        row = self._find(change)
        if row is None:
            return self._add(change) if change.op == "put" and not change.expected else Outcome(change.entry, "absent")
        entry, tag, value = row
        if change.expected and tag != change.expected:
            return Outcome(entry, "changed")
        if change.op == "remove":
            self._run("DELETE FROM m_entry WHERE set_no = ? AND id = ?", (self._number, entry))
            return self._log("remove", entry, value)
        return self._exchange(entry, tag, change)

    def _find(self, change: Change) -> tuple[str, str, str] | None:
        by = ("id", change.entry) if change.entry else ("tag", change.expected)
        statement = f"SELECT id, tag, value FROM m_entry WHERE set_no = ? AND {by[0]} = ?"  # noqa: S608 - names of ours
        row: tuple[str, str, str] | None = self._run(statement, (self._number, by[1])).fetchone()
        return row

    def _add(self, change: Change) -> Outcome:
        entry = change.entry or new_id()
        value, tag = change.text
        if self._database.inserted(self._run, _INSERT, (self._number, entry, tag, value)):
            return self._log("add", entry, value)
        statement = "SELECT id FROM m_entry WHERE set_no = ? AND (tag = ? OR id = ?)"
        return Outcome(str(self._run(statement, (self._number, tag, entry)).fetchone()[0]), "duplicate")

    def _add_all(self, changes: list[Change]) -> list[Outcome]:
        if len(changes) == 1:
            return [self._add(changes[0])]
        tags, names = [change.text.tag for change in changes], [change.entry for change in changes if change.entry]
        by_tag = {tag: entry for entry, tag in find_among(self._run, self._number, "tag", tags)}
        by_id = {entry.rstrip(" "): entry for entry, _ in find_among(self._run, self._number, "id", names)}
        outcomes, new = [], []
        for _, entry, (value, tag), _ in changes:
            there = by_tag.get(tag) or by_id.get(entry)
            if there is None:
                there = by_tag[tag] = entry or new_id()
                by_id[there] = there
                new.append((there, tag, value))
                outcomes.append(Outcome(there))
            else:
                outcomes.append(Outcome(there, "duplicate"))
        if new:
            self._insert(new)
        return outcomes

    def _insert(self, new: list[tuple[str, str, str]]) -> None:
        entries = Table("m_entry", {"set_no": self._number}, ("id", "tag", "value"))
        self._database.insert_all(self._run, entries, new)
        author = {"run": self._author.run, "actor": self._author.actor, "at": self._now}
        log = Table("m_log", {"set_no": self._number, "op": "add"} | author, ("entry", "value"))
        self._database.insert_all(self._run, log, [(entry, value) for entry, _, value in new])

    def _exchange(self, entry: str, tag: str, change: Change) -> Outcome:
        if tag == change.text.tag:
            return Outcome(entry)
        statement = "SELECT id FROM m_entry WHERE set_no = ? AND tag = ?"
        other = self._run(statement, (self._number, change.text.tag)).fetchone()
        if other is not None:
            return Outcome(str(other[0]), "duplicate")
        statement = "UPDATE m_entry SET value = ?, tag = ? WHERE set_no = ? AND id = ?"
        self._run(statement, (change.text.value, change.text.tag, self._number, entry))
        return self._log("exchange", entry, change.text.value)

    def _log(self, op: Op, entry: str, value: str) -> Outcome:
        author = self._author
        self._run(_LOG, (self._number, entry, op, value, author.run, author.actor, self._now))
        return Outcome(entry)


def _may_go_together(change: Change) -> bool:
    # SQL Server takes an ID with a space at its end for the one without: only a unique index knows.
    return change.op == "add" and not change.entry.endswith(" ")
