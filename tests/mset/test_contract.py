"""What M sets do, whatever they are stored in."""

from __future__ import annotations

import datetime as dt
import queue
import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from coflows_jupyter.access.permissions import AccessType
from coflows_jupyter.errors import ArgumentsError, ConflictError, DeniedError
from coflows_jupyter.mset.conditions import parse
from coflows_jupyter.mset.m import M, Transaction
from coflows_jupyter.mset.model import Author, Change, Event, encode
from coflows_jupyter.mset.store import MStore
from tests.mset.conftest import OpenStore, make

ROWS = [{"name": "a", "price": 1}, {"name": "b", "price": 2.5}, {"name": "c"}, {"price": "3"}, [1, 2], "text", 7]


def test_add_gives_a_guid(m: M, other: M) -> None:
    """An entry is there for everybody as soon as it is added, under a GUID."""
    entry = m.add({"name": "a", "price": 1})
    assert entry
    assert str(UUID(entry)) == entry
    assert other[entry] == {"name": "a", "price": 1}
    assert list(other) == [{"name": "a", "price": 1}]
    assert len(other) == 1


def test_equal_values_are_kept_once(m: M, other: M) -> None:
    """Values are equal when their JSON is, in whatever order their fields come."""
    assert m.add({"a": 1, "b": [1, {"c": 2, "d": 3}]})
    assert other.add({"b": [1, {"d": 3, "c": 2}], "a": 1}) is None
    assert m.add_many([1, 1, 2]) == [m.find(1), None, m.find(2)]
    assert m.add(True)
    assert len(m) == 4


def test_many_are_as_one_after_the_other(store: MStore, other: M) -> None:
    """What is added at once is in order, in the set and in its log, and each has the outcome that it would have."""
    made = [Change("add", f"e{n}", encode({"n": n})) for n in range(1200)]
    store.apply("prices", [made[7], Change("add", "x ", encode("x"))], Author())
    again = Change("add", "other", encode({"n": 3}))
    taken = Change("add", "e5", encode("new"))
    spaced = Change("add", "x", encode("y"))
    outcomes = store.apply("prices", [*made, again, taken, Change("remove", "e9"), made[9], spaced], Author("ann", "r"))
    reasons = {number: (found.entry, found.reason) for number, found in enumerate(outcomes) if not found.done}
    assert reasons == {7: ("e7", "duplicate"), 1200: ("e3", "duplicate"), 1201: ("e5", "duplicate")}
    first = ["e7", "x ", *(f"e{n}" for n in range(1200) if n not in {7, 9})]
    assert [entry for entry, _ in other.items()] == [*first, "e9", "x"]
    changes = other.changes()
    assert [change.seq for change in changes] == sorted(change.seq for change in changes)
    assert [(change.op, change.entry) for change in changes[:4]] == [("add", name) for name in ("e7", "x ", "e0", "e1")]
    assert [(change.op, change.entry) for change in changes[-3:]] == [("remove", "e9"), ("add", "e9"), ("add", "x")]
    assert (changes[2].actor, changes[2].run) in {("ann", "r"), ("root", "")}  # a server knows by itself who it was


def test_values_are_json(m: M) -> None:
    """What has a JSON form goes in, and JSON comes out, integers with all their digits."""
    kinds: list[tuple[object, object]] = [
        (dt.date(2026, 11, 24), "2026-11-24"),
        ((1, None), [1, None]),
        ({"big": 2**100, "none": float("nan")}, {"big": 2**100, "none": None}),
        ("Zürich ☃ 'quoted' \"text\"", "Zürich ☃ 'quoted' \"text\""),
    ]
    for value, kept in kinds:
        entry = m.add(value)
        assert entry
        assert m[entry] == kept
        assert value in m
    for value in (None, print):
        with pytest.raises(ArgumentsError):
            m.add(value)


def test_what_comes_out_is_the_callers(m: M) -> None:
    """Changing a value that was read changes no set."""
    m.add({"tags": ["x"]})
    reads: list[Callable[[], Any]] = [
        lambda: next(iter(m)),
        lambda: m[lambda _: True][0],
        lambda: m.where(tags__contains="x")[0],
    ]
    for read in reads:
        read()["tags"].append("y")
    assert list(m) == [{"tags": ["x"]}]


def test_exchange_keeps_the_id(m: M, other: M) -> None:
    """The new value takes the place of the old one; without the old one nothing happens."""
    entry = m.add("old")
    assert entry
    assert list(other) == ["old"]
    assert m.exchange("old", "new")
    assert not m.exchange("old", "newer")
    assert other.get(entry) == "new"
    assert list(other) == ["new"]
    m.add("second")
    assert not m.exchange("second", "new")
    assert m.exchange("new", "new")


def test_put_and_remove_by_id(m: M, other: M) -> None:
    """An ID may be the caller's own."""
    m["eur"] = 1.1
    m["eur"] = 1.2
    assert (other["eur"], len(other), list(other)) == (1.2, 1, [1.2])
    with pytest.raises(ArgumentsError, match="another ID"):
        m["usd"] = 1.2
    del m["eur"]
    with pytest.raises(KeyError):
        del m["eur"]
    with pytest.raises(KeyError):
        m["eur"]
    assert m.get("eur", 0) == 0
    assert list(other) == []
    for name in ("", "x" * 201):
        with pytest.raises(ArgumentsError):
            m.put(name, 1)


def test_compare_and_set(m: M, other: M) -> None:
    """Of those who count on the same value, one wins."""
    m["n"] = 1
    assert m.compare_and_set("n", 1, 2)
    assert not other.compare_and_set("n", 1, 3)
    assert not other.compare_and_set("missing", 1, 3)
    assert m["n"] == 2


def test_compare_and_set_counts_right(open_store: OpenStore) -> None:
    """Nothing is lost when several count at once."""
    make(open_store())["n"] = 0

    def count() -> None:
        m = make(open_store())
        for _ in range(20):
            while True:
                n = m["n"]
                if m.compare_and_set("n", n, n + 1):
                    break

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert make(open_store())["n"] == 80


def test_transaction_is_all_or_nothing(m: M, other: M) -> None:
    """Changes of a transaction are seen together; one that can't be made undoes the others."""
    m.add("kept")
    with m.transaction() as t:
        first = t.add("one")
        t.put("two", 2)
        t.exchange("kept", "changed")
    assert (m[first], m["two"], m.find("kept")) == ("one", 2, None)
    t = m.transaction()
    t.add("three")
    t.remove("nowhere")
    with pytest.raises(ConflictError, match="no such entry"), t:
        pass
    with pytest.raises(ZeroDivisionError), m.transaction() as t:
        _add_and_fail(t)
    assert sorted(map(str, other)) == ["2", "changed", "one"]


def _add_and_fail(transaction: Transaction) -> None:
    transaction.add("four")
    raise ZeroDivisionError


def test_remove_clear_and_operators(m: M, other: M) -> None:
    """``+`` and ``-`` are add and remove."""
    m + 1 + 2 + 3 - 2
    assert list(other) == [1, 3]
    assert not m.remove(2)
    m += 4
    m.clear()
    assert list(m) == list(other) == []
    assert m
    m.add(1)
    assert list(other) == [1]


@pytest.mark.parametrize("loaded", [False, True])
@pytest.mark.parametrize("indexed", [False, True])
def test_where(m: M, *, loaded: bool, indexed: bool) -> None:
    """Conditions mean the same, wherever they are looked at."""
    m.add_many(ROWS)
    m.add({"place": {"city": "Zürich", "zip": 8000}, "tags": ["x", "y"], 'odd"name': 1})
    if indexed:
        m.index("price")
        m.index("place__city")
    if loaded:
        m.query(bool)
    assert m.where(price__gte=1) == ROWS[:2]
    assert m.where(price__gt=1, name="b") == [ROWS[1]]
    assert m.where(price__lt="4") == [ROWS[3]]
    assert m.where(name__in=["a", "c", None]) == [ROWS[0], ROWS[2], *ROWS[3:], m.where(tags__contains="x")[0]]
    assert m.where(price__in=[1, 2.5]) == ROWS[:2]
    assert m.where(price=None, name__ne=None) == [ROWS[2]]
    assert len(m.where(place__city__startswith="Zü")) == 1
    assert len(m.where(**{'odd"name': 1})) == 1
    assert m.where(place__zip__lte=2**70)
    assert m.where(missing="x") == []
    for wrong in ("price__gti", "", "__gt"):
        with pytest.raises(ArgumentsError):
            m.where(**{wrong: 1})
    with pytest.raises(ArgumentsError):
        m.where(name__in="a")


def test_select_in_pages(store: MStore) -> None:
    """A reader that comes back for more gets every entry once, oldest first."""
    make(store).add_many({"n": n, "odd": n % 2} for n in range(25))
    found, after = [], 0
    conditions = parse({"odd": 1})
    while page := store.select("prices", conditions, after, 5):
        assert len(page) <= 5
        after = page[-1].number
        found += page
    assert [entry.value for entry in found] == [f'{{"n":{n},"odd":1}}' for n in range(1, 25, 2)]


def test_predicate_and_frame(m: M) -> None:
    """A lambda sees every value; a frame has a row per entry."""
    ids = m.add_many(ROWS[:2])
    assert m[lambda value: value["price"] > 2] == [ROWS[1]]
    frame = m.to_frame()
    assert list(frame.index) == ids
    assert frame["price"].sum() == 3.5
    m.add(7)
    assert m.to_frame(name="a").shape == (1, 2)
    assert m.to_frame()["value"].dropna().tolist() == [7]


def test_history_and_the_past(m: M) -> None:
    """The log says who did what when, and so what there was at any time."""
    entry = m.add({"n": 1})
    other = m.add("other")
    assert entry
    assert other
    m.put(entry, {"n": 2})
    m.remove_id(entry)
    m.clear()
    events = m.history(entry)
    assert [(e.op, e.value) for e in events] == [("add", {"n": 1}), ("exchange", {"n": 2}), ("remove", {"n": 2})]
    # A server goes by the key, not by what its client says.
    assert {(e.actor, e.run) for e in events} in ({("ann", "run-1")}, {("root", "")})
    assert m.at(events[0].at) == {entry: {"n": 1}}
    assert m.at(dt.datetime.fromisoformat(events[1].at)) == {entry: {"n": 2}, other: "other"}
    assert m.at(events[2].at) == {other: "other"}
    assert m.at(dt.datetime.now(dt.UTC)) == {}
    assert m.at("2020-01-01") == {}


def test_changes_resume(m: M, other: M) -> None:
    """A reader that goes on after a number misses nothing and sees nothing twice."""
    m.add_many(range(1, 1500))
    first = other.changes()
    m.add("x")
    m.remove("x")
    assert [(e.op, e.value) for e in other.changes(first[-1].seq)] == [("add", "x"), ("remove", "x")]
    assert len(first) == 1499
    assert other.changes(other.changes()[-1].seq) == []


def test_watch_sees_what_others_do(m: M, other: M) -> None:
    """Changes of another process arrive in order, with their values, soon."""
    arrived: queue.Queue[Event] = queue.Queue()
    stop = other.subscribe(arrived.put)
    m["a"] = 1
    m["a"] = 2
    del m["a"]
    m.clear()
    events = [arrived.get(timeout=10) for _ in range(4)]
    assert [(e.op, e.value) for e in events] == [("add", 1), ("exchange", 2), ("remove", 2), ("clear", None)]
    stop()
    watching = other.watch(after=events[0].seq)
    assert [next(watching).op for _ in range(3)] == ["exchange", "remove", "clear"]
    watching.close()  # type: ignore[attr-defined]  # a generator


def test_several_sets(store: MStore) -> None:
    """Sets know nothing of each other; one without entries is not listed."""
    a, b = make(store, "a"), make(store, "b")
    a.add(1)
    b.add_many([1, 2])
    make(store, "c").add(1)
    make(store, "c").clear()
    assert [(info.id, info.entries) for info in store.sets()] == [("a", 1), ("b", 2)]
    assert (list(a), list(b), make(store, "none").changes()) == ([1], [1, 2], [])
    assert a.history(b.find(2) or "") == []


def test_levels(store: MStore) -> None:
    """Read reads, Write writes, anything less is told so; the original's words say it by nothing happening."""
    make(store).add(1)
    reader, nobody = make(store, level=AccessType.READ), make(store, level=AccessType.VIEW)
    assert list(reader) == [1]
    with pytest.raises(DeniedError, match="Write"):
        reader.add(2)
    assert reader.Add(2) is None
    reader.Remove(1)
    for read in (lambda: list(nobody), lambda: len(nobody), lambda: nobody.history("x"), lambda: nobody.get("x")):
        with pytest.raises(DeniedError, match="Read"):
            read()
    assert nobody.Query(bool) == []
    assert list(make(store)) == [1]


def test_apply_says_why(store: MStore) -> None:
    """Each change of a batch has an outcome of its own."""
    done, twice, gone, other = store.apply(
        "s",
        [
            Change("add", "a", encode(1)),
            Change("add", "b", encode(1)),
            Change("remove", "c"),
            Change("exchange", "a", encode(2), encode(3).tag),
        ],
        Author(),
    )
    assert (done.entry, done.done, twice.entry, twice.reason) == ("a", True, "a", "duplicate")
    assert (gone.reason, other.reason) == ("absent", "changed")
    with pytest.raises(ConflictError):
        store.apply("s", [Change("add", text=encode(1))], Author(), atomic=True)
