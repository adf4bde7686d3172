"""M sets on PostgreSQL: the order of commits, wake-up calls, and fields that are compared in SQL."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coflows_jupyter.agents.hearing import latest, news
from coflows_jupyter.agents.model import AgentState
from coflows_jupyter.database.connection import Database
from coflows_jupyter.database.location import Location
from coflows_jupyter.errors import ArgumentsError
from coflows_jupyter.mset.conditions import OPERATORS, Condition
from coflows_jupyter.mset.model import Author, Change, Logged, Page, encode
from coflows_jupyter.mset.place import open_database
from coflows_jupyter.mset.postgres import PostgresSets
from coflows_jupyter.mset.sql import SqlMStore
from coflows_jupyter.runtimes.agent import AgentEntry
from tests.mset.conftest import make
from tests.postgres import PostgresServer

AUTHOR = Author()
PATIENCE_SECONDS = 20.0


@pytest.fixture
def location(postgres_url: str) -> Location:
    """Return an empty database."""
    return Location.parse("postgres", postgres_url)


@pytest.fixture
def open_one(location: Location) -> Iterator[Callable[[], SqlMStore]]:
    """Return what opens one more store, as another process would."""
    opened: list[SqlMStore] = []

    def open_store() -> SqlMStore:
        opened.append(SqlMStore(PostgresSets(location)))
        return opened[-1]

    yield open_store
    for store in opened:
        store.close()


class Slow(list[Change]):
    """Changes of a transaction that waits, open, between its first change and the others."""

    def __init__(self, *changes: Change) -> None:
        super().__init__(changes)
        self.begun, self.go_on = threading.Event(), threading.Event()
        self._times = 0

    def __iter__(self) -> Iterator[Change]:
        self._times += 1
        for number, change in enumerate(list.__iter__(self)):
            yield change
            if self._times > 1 and number == 0:
                self.begun.set()
                assert self.go_on.wait(PATIENCE_SECONDS)


def heard(database: Database, after: int) -> tuple[list[tuple[str, str, Any]], int]:
    """Return what an Agent is told that knows the changes up to ``after``."""
    entry = AgentEntry("", "reactor", "", listens="prices", callbacks=("add", "exchange", "remove"))
    agent = AgentState(workflow="wid", agent_id="reactor", changes=after)
    runs, seq = database.run(lambda connection: news(connection, entry, agent))
    return [(run.function, *json.loads(run.argument)) for run in runs], seq


def await_waiting(url: str) -> None:
    """Wait until somebody waits for the lock of a set."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    statement = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute(statement).fetchone() != (1,):
            assert time.monotonic() < deadline, "nobody waits for the first transaction"


def test_open_transactions_leave_no_gap(
    open_one: Callable[[], SqlMStore], location: Location, postgres_url: str
) -> None:
    """Numbers go up in the order of commits: who reads on after one, an Agent too, never skips a late commit."""
    slow = Slow(Change("put", "a", encode(1)), Change("put", "b", encode(1.5)))
    first, second, third, reader = (open_one() for _ in range(4))
    database = Database(location)
    threads = [threading.Thread(target=first.apply, args=("prices", slow, AUTHOR))]
    threads[0].start()
    assert slow.begun.wait(PATIENCE_SECONDS)
    threads.append(threading.Thread(target=second.apply, args=("prices", [Change("put", "a", encode(2))], AUTHOR)))
    threads[1].start()
    await_waiting(postgres_url)
    # Another set does not wait; its change has a higher number and is there earlier.
    assert third.apply("others", [Change("add", text=encode(0))], AUTHOR)[0].done
    assert reader.changes("prices", 0).changes == []
    assert reader.changes("prices", -1).seq == database.run(lambda c: latest(c, "prices")) == 0
    told, cursor = heard(database, 0)
    assert (told, cursor) == ([], 0)
    slow.go_on.set()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert [(c.entry, c.value) for c in reader.changes("prices", 0).changes] == [("a", "1"), ("b", "1.5"), ("a", "2")]
    assert [row.entry for row in reader.changes("others", 0).changes]
    assert heard(database, cursor)[0] == [("add", "a", 1), ("add", "b", 1.5), ("exchange", "a", 2)]
    database.close()


def test_a_reader_misses_nothing_while_many_write(open_one: Callable[[], SqlMStore], location: Location) -> None:
    """Who follows a set, a stream or an Agent, gets each change once and those of an entry in their order."""
    writers, each = 4, 25
    stores = [open_one() for _ in range(writers)]
    streamed: queue.Queue[Page] = queue.Queue()
    stop = open_one().subscribe("prices", 0, streamed.put)

    def write(number: int) -> None:
        for n in range(each):
            changes = [Change("put", name, encode([name, number, n])) for name in ("shared", f"own-{number}")]
            stores[number].apply("prices", changes, AUTHOR)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    database, cursor = Database(location), 0
    told: list[tuple[str, str, Any]] = []
    while len(told) < 2 * writers * each:
        alive = any(thread.is_alive() for thread in threads)
        some, cursor = heard(database, cursor)
        told += some
        assert some or alive, f"{len(told)} of {2 * writers * each}"
    for thread in threads:
        thread.join()
    database.close()
    log = open_one().changes("prices", 0).changes
    assert [(entry, value) for _, entry, value in told] == [(c.entry, json.loads(c.value)) for c in log]
    for number in range(writers):
        own = [value[2] for _, entry, value in told if entry == f"own-{number}"]
        assert own == list(range(each))
    seen: list[Logged] = []
    while len(seen) < len(log):
        seen += streamed.get(timeout=PATIENCE_SECONDS).changes
    assert seen == log
    stop()


def test_a_load_sees_one_state(open_one: Callable[[], SqlMStore], location: Location) -> None:
    """What is read of a set belongs to one number, whatever is committed meanwhile."""
    writer, sets = open_one(), PostgresSets(location)
    writer.apply("prices", [Change("put", "a", encode(1))], AUTHOR)

    def count_twice(run: Any) -> list[int]:
        counts = [run("SELECT count(*) FROM m_entry").fetchone()[0]]
        writer.apply("prices", [Change("put", "b", encode(2))], AUTHOR)
        return [*counts, run("SELECT count(*) FROM m_entry").fetchone()[0]]

    assert sets.snapshot("prices", count_twice) == [1, 1]
    sets.close()


@pytest.fixture
def own_server(postgres_server: PostgresServer) -> Iterator[PostgresServer]:
    """Return the server to stop and start; it runs again afterwards."""
    yield postgres_server
    postgres_server.stop()
    postgres_server.start()


def test_a_reader_goes_on_when_the_server_restarts(
    own_server: PostgresServer, open_one: Callable[[], SqlMStore]
) -> None:
    """A wake-up call that was lost with its connection costs no change."""
    writer = open_one()
    arrived: queue.Queue[Page] = queue.Queue()
    stop = open_one().subscribe("prices", 0, arrived.put)
    writer.apply("prices", [Change("add", text=encode(1))], AUTHOR)
    assert [change.value for change in arrived.get(timeout=PATIENCE_SECONDS).changes] == ["1"]
    own_server.stop()
    own_server.start()
    writer.apply("prices", [Change("add", text=encode(2))], AUTHOR)
    assert [change.value for change in arrived.get(timeout=PATIENCE_SECONDS).changes] == ["2"]
    stop()


def test_a_field_is_found_by_its_index(open_one: Callable[[], SqlMStore], postgres_url: str) -> None:
    """Numbers and texts of an indexed field are looked up, also in a set among many entries."""
    store = open_one()
    m = make(store)
    m.index("price")
    m.add_many({"price": n if n % 2 else str(n)} for n in range(3000))
    conditions = (Condition(("price",), "eq", 1), Condition(("price",), "startswith", "299"))
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("ANALYZE m_entry")
        for condition in conditions:
            assert store.indexed("prices", (condition,))
            found = PostgresSets(Location("postgres", "")).condition(condition)
            assert found is not None
            sql, parameters = found[0].replace("?", "%s"), found[1]
            statement = f"EXPLAIN SELECT value FROM m_entry WHERE set_no = 1 AND {sql}"  # noqa: S608 - of ours
            plan = connection.execute(statement.encode(), parameters)
            assert "m_field_1_" in str(plan.fetchall())
    assert [value["price"] for value in m.where(price__startswith="299")] == ["2990", "2992", "2994", "2996", "2998"]


def test_any_text_may_be_in_an_indexed_field(open_one: Callable[[], SqlMStore]) -> None:
    """NUL, which jsonb does not have, names that mean something in SQL, and texts longer than an index takes."""
    m = make(open_one())
    for name in ("a%s?'\\\"{},", "b\0c", "☃"):
        m._store.index("prices", (name,))
        for value in ("x\0y", "x\\u0000y", "l" * 10_000, "l" * 10_001, 10**400, -(10**400), True, {"deep": "x\0"}):
            row = {name: value}
            assert m.add(row)
            assert [found for found in m.where(**{name: value}) if found == row] == [row]
    with pytest.raises(ArgumentsError, match="NUL"):
        m.put("a\0", 1)
    with pytest.raises(ArgumentsError, match="NUL"):
        m._store.apply("prices", [Change("add", name, encode(name)) for name in ("b", "b\0")], AUTHOR)


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-3, 3),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "a", "A", "ä", "a b", "\0", "\\u0000", "\\u0001", "1", "\U0010ffff"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
)


@pytest.fixture(scope="module")
def shared_store(postgres_server: PostgresServer) -> Iterator[SqlMStore]:
    """Return a store for all examples."""
    name = postgres_server.make_database()
    store = SqlMStore(PostgresSets(Location.parse("postgres", postgres_server.url(name))))
    store.index("examples", ("f",))
    yield store
    store.close()
    postgres_server.drop_database(name)


@settings(max_examples=60, deadline=None)
@example([2**60, 2.0**60, 2**60 + 1], 2.0**60)
@example([True, False, 0, 1], 1)
@example(["\\u0000z", "\\u0001", "\0"], "\\u0001")
@given(st.lists(scalars, max_size=6), scalars)
def test_sql_finds_what_python_finds(shared_store: SqlMStore, values: list[Any], wanted: Any) -> None:
    """Whatever the kinds of values, SQL leaves out nothing that meets a condition."""
    rows = [{"f": value, "n": n} for n, value in enumerate(values)]
    shared_store.apply("examples", [Change("clear"), *(Change("add", text=encode(row)) for row in rows)], AUTHOR)
    for op in OPERATORS:
        condition = Condition(("f",), op, [wanted, 1, "a"] if op == "in" else wanted)
        found = [json.loads(entry.value)["n"] for entry in shared_store.select("examples", (condition,))]
        assert found == [row["n"] for row in rows if condition.holds(json.loads(encode(row).value))]
        assert set(found) == {row["n"] for row in rows if condition.holds(row)}


def test_a_place_is_told_without_its_password() -> None:
    """What a host is told of a database says nothing in a log."""
    location = Location.parse("postgres", "postgresql://me:hunter2@db.example/flows")
    assert "hunter2" not in f"{location} {location!r} {[location]}"
    store = open_database(location)
    store.close()
