"""What every kind of database promises: run on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import msgspec
import pytest
import sqlalchemy
from sqlalchemy import Connection, column, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from coflows_jupyter.config import History
from coflows_jupyter.database import migrate
from coflows_jupyter.database.connection import Database
from coflows_jupyter.database.location import Location
from coflows_jupyter.errors import ConfigError
from coflows_jupyter.runs import store
from coflows_jupyter.runs.model import Filter

Open = Callable[..., Database]
PLAY = sqlalchemy.table("play", column("id"), column("value"))


def table(connection: Connection) -> None:
    """Make a table to play with."""
    connection.execute(text("CREATE TABLE play (id INTEGER PRIMARY KEY, value INTEGER)"))


def insert(number: int, value: int = 0) -> Callable[[Connection], None]:
    """Return work that adds a row."""

    def work(connection: Connection) -> None:
        connection.execute(text("INSERT INTO play VALUES (:id, :value)"), {"id": number, "value": value})

    return work


def count(connection: Connection) -> int:
    """Return how many rows there are."""
    return int(connection.execute(text("SELECT count(*) FROM play")).scalar_one())


def test_the_first_work_makes_the_schema(database: Database) -> None:
    """Nothing has to be prepared."""
    assert database.run(migrate.version, readonly=True) == migrate.versions()[-1]
    assert database.run(lambda c: store.select(c, Filter()), readonly=True) == []


def test_what_returns_is_committed_and_what_raises_is_not(open_database: Open) -> None:
    """A piece of work is a transaction, seen by others when it has returned and not before."""
    one, other = open_database(), open_database()
    one.run(table)
    one.submit(insert(1)).result()
    assert other.run(count) == 1

    def fails(connection: Connection) -> None:
        insert(2)(connection)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        one.run(fails)
    with pytest.raises(IntegrityError):
        one.run(insert(1))
    assert other.run(count) == 1


def test_work_happens_on_one_thread_in_order(database: Database) -> None:
    """Whoever submits never waits, and what was submitted first is done first."""
    seen: list[tuple[int, str]] = []
    for number in range(5):
        database.submit(lambda _c, n=number: seen.append((n, threading.current_thread().name)))  # type: ignore[misc]
    database.close()
    assert [number for number, _ in seen] == list(range(5))
    assert {name.rpartition("_")[0] for _, name in seen} == {"coflows-database"}


def test_threads_work_side_by_side(database: Database) -> None:
    """`run` may be called from any thread: no update is lost, and nobody is told that the database is locked."""
    database.run(table)
    database.run(insert(1))

    def increase(_: int) -> None:
        def work(connection: Connection) -> None:
            value = connection.execute(select(PLAY.c.value).with_for_update()).scalar_one()
            connection.execute(text("UPDATE play SET value = :v WHERE id = 1"), {"v": value + 1})

        database.run(work)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(increase, range(400)))
    assert database.run(lambda c: c.execute(text("SELECT value FROM play")).scalar_one()) == 400


def test_deadlocks_are_tried_again(database: Database) -> None:
    """The victim of a deadlock begins anew, so both succeed; SQLite has none."""
    database.run(table)
    database.run(insert(1))
    database.run(insert(2))
    both = threading.Barrier(2)

    def swap(first: int, second: int) -> None:
        attempts: list[int] = []

        def work(connection: Connection) -> None:
            attempts.append(1)
            statement = text("UPDATE play SET value = value + 1 WHERE id = :id")
            connection.execute(statement, {"id": first})
            if len(attempts) == 1 and connection.dialect.name != "sqlite":
                both.wait(10)
            connection.execute(statement, {"id": second})

        database.run(work)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(swap, (1, 2), (2, 1)))
    assert database.run(lambda c: c.execute(text("SELECT sum(value) FROM play")).scalar_one()) == 4


def test_many_programs_open_a_new_database_at_once(location: Location, open_database: Open) -> None:
    """Migrations of one database wait for each other."""
    databases = [open_database() for _ in range(4)]
    found = [database.submit(migrate.version) for database in databases]
    assert {future.result() for future in found} == {migrate.versions()[-1]}


WRITER = """
import sys
import msgspec
from pathlib import Path
from sqlalchemy import text
from coflows_jupyter.database.connection import Database
from coflows_jupyter.database.location import Location

location = msgspec.json.decode(sys.stdin.read(), type=Location)
database = Database(location)
statement = text("INSERT INTO play (id, value) VALUES (:id, 0)")
for number in range(int(sys.argv[1]), int(sys.argv[2])):
    database.run(lambda c: c.execute(statement, {"id": number}))
database.close()
"""


def test_eight_processes_write(location: Location, database: Database) -> None:
    """Nobody is told that the database is locked, and every row is there."""
    rows = 2000 if location.type == "sqlite" else 200
    database.run(table)
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(number * rows), str((number + 1) * rows)],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for number in range(8)
    ]
    where = msgspec.json.encode(location)
    for writer in writers:
        assert writer.stdin
        writer.stdin.write(where)
        writer.stdin.close()
        writer.stdin = None
    assert [(writer.communicate()[1], writer.returncode) for writer in writers] == [(b"", 0)] * 8
    assert database.run(count) == 8 * rows


def test_a_newer_schema_is_refused_with_a_sentence(open_database: Open) -> None:
    """An older program does not touch what it can't understand."""
    open_database().run(lambda c: c.execute(text("UPDATE coflows_schema SET version_num = '9999'")))
    older = open_database()
    for _ in range(2):
        with pytest.raises(ConfigError, match="newer version of coflows_jupyter"):
            older.run(count)


def test_a_schema_that_changes_meanwhile_is_recognised(open_database: Open) -> None:
    """An old server that goes on while a new one upgrades says why it can't work any more."""
    old, new = open_database(), open_database()
    assert old.run(lambda c: store.find(c, "x")) is None
    new.run(lambda c: c.execute(text("ALTER TABLE runs RENAME TO calls")))
    new.run(lambda c: c.execute(text("UPDATE coflows_schema SET version_num = '9999'")))
    with pytest.raises(ConfigError, match="newer version of coflows_jupyter"):
        old.run(lambda c: store.find(c, "x"))


def row(number: int, log: str = "") -> tuple[object, ...]:
    """Make a row of the table of runs."""
    day = datetime.now(UTC).isoformat(timespec="milliseconds")
    names = f"r{number}", "wid", "q", "f", "http", "root", "query", '{"x":"é"}', day, 0.25, "succeeded", 200
    return (*names, "", "b1", 17, log, "query", "")


def test_runs_are_kept(database: Database) -> None:
    """Rows come back as they were, the last of an ID in the place of the first, with any text; filters work."""
    strange = "日本 \U0001f600 ' \" \\ % :x {} NUL"
    database.run(lambda c: store.insert(c, [row(n, strange) for n in range(5)]))
    database.run(lambda c: store.insert(c, [row(4, "again"), row(5, "nul \0")]))
    found = database.run(lambda c: store.select(c, Filter(limit=2, before="r5", query="q")), readonly=True)
    assert [run.id for run in found] == ["r4", "r3"]
    assert (found[0].seconds, found[0].status, found[0].result_bytes) == (0.25, 200, 17)
    kept = database.run(lambda c: [store.find(c, "r3"), store.find(c, "r4")])
    assert [found[1] for found in kept if found] == [strange, "again"]
    assert len(database.run(lambda c: store.select(c, Filter(text="F", since="1h")))) == 6
    database.run(lambda c: store.delete(c, ["r5", "r0"]))
    assert database.run(lambda c: store.find(c, "r5")) is None
    assert database.run(lambda c: store.arguments(c, "r1")) == ("query", '{"x":"é"}')


@pytest.mark.parametrize("setting", [{"Rows": 10}, {"Size": "1Mi"}, {"Days": 1e-9}])
def test_the_oldest_runs_go(database: Database, setting: dict[str, object]) -> None:
    """By count, by bytes and by age."""
    database.run(lambda c: store.insert(c, [row(n, "x" * 15_000) for n in range(400)]))
    database.run(lambda c: store.prune(c, History.model_validate(setting)))
    kept = database.run(lambda c: store.select(c, Filter(limit=1000)))
    assert len(kept) < 100
    assert [run.id for run in kept] == [f"r{number}" for number in range(399, 399 - len(kept), -1)]
    assert (len(kept) == 0) == ("Days" in setting)


def test_a_secret_is_not_in_an_error(database: Database) -> None:
    """What was to be written is not in the text of what went wrong."""
    with pytest.raises(StatementError) as raised:
        database.run(lambda c: c.execute(text("INSERT INTO nowhere VALUES (:x)"), {"x": "hunter2"}))
    assert "hunter2" not in str(raised.value)
