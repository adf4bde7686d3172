"""The original's words for M sets."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import math
import queue

import pytest

from coflows_jupyter.mset.m import M
from coflows_jupyter.mset.original import RawEntry


def test_original_surface(m: M) -> None:
    """Code of the original finds every member that it knows."""
    entry = m.Add(json.dumps({"Name": "a"}))
    assert entry
    assert m.Add(json.dumps({"Name": "a"})) is None
    assert m.Add(None) is None
    assert m[lambda x: json.loads(str(x))["Name"] == "a"] == ['{"Name": "a"}']
    m.AddID("own", 1)
    m.ExchangeID("own", 2)
    m.Exchange(2, 3)
    assert [(kv.Key, kv.Value) for kv in m.KeyValues()] == [(entry, '{"Name": "a"}'), ("own", 3)]
    assert m.RawEntries()[0] == RawEntry("prices", '{"Name": "a"}', entry, "System.String", "mscorlib")
    m.RemoveID("own")
    m.Remove('{"Name": "a"}')
    assert m.Save() is m
    m.Add(1)
    m.Delete(only_memory=True)
    assert m.Query(lambda _: True) == [1]
    m.Delete()
    assert m.Query(lambda _: True) == []
    assert (m.ID, m.Changes) == ("prices", [])
    assert abs(m.Timestamp - dt.datetime.now(dt.UTC).replace(tzinfo=None)) < dt.timedelta(minutes=1)
    M.Clear()


def test_groups(m: M) -> None:
    """Values come together whose key is the same, in their order; a key may be anything that has a JSON form."""
    m.add_many([{"n": 1, "of": ["x"]}, {"n": 2, "of": {"y": 1}}, {"n": 3, "of": ["x"]}, {"n": 4}, {"n": 5}])
    groups = m[lambda value: value["n"] < 5, lambda value: value.get("of")]
    assert [(group.Key, [value["n"] for value in group]) for group in groups] == [
        (["x"], [1, 3]),
        ({"y": 1}, [2]),
        (None, [4]),
    ]


def test_raw_entries_are_loaded(m: M, other: M) -> None:
    """What another set gives as it is stored goes into this one under the same IDs; what is there stays."""
    m["a"] = "text"
    m["b"] = {"price": 2**70}
    m["c"] = 3
    raw = m.RawEntries()
    m.clear()
    m["c"] = 4
    m.LoadRaw(None)
    m.LoadRaw([raw[0], dataclasses.asdict(raw[1]), raw[2]])
    assert other.items() == [("c", 4), ("a", "text"), ("b", {"price": 2**70})]
    m.LoadRaw([{"EntryID": "d", "Entry": "no JSON", "Type": "Some.Type"}])
    assert other["d"] == "no JSON"


def test_callbacks(m: M, other: M) -> None:
    """A callback is told of each change of its kind, once, whoever made it; its own errors don't end it."""
    heard: queue.Queue[tuple[str, str, object]] = queue.Queue()

    def add(entry: str, value: object) -> None:
        heard.put(("add", entry, value))
        raise ValueError

    other.RegisterAdd("f", add)
    other.RegisterAdd("f", add)
    M._dic["changed"] = lambda entry, value: heard.put(("exchange", entry, value))
    other.RegisterExchange("f", "changed")
    with pytest.raises(TypeError, match="SetFunction"):
        other.RegisterRemove("f", "nothing")
    other.RegisterRemove("f", lambda entry, value: heard.put(("remove", entry, value)))
    m["a"] = 1
    assert heard.get(timeout=10) == ("add", "a", 1)
    m["a"] = 2
    assert heard.get(timeout=10) == ("exchange", "a", 2)
    m.Remove(2)
    assert heard.get(timeout=10) == ("remove", "a", 2)
    assert heard.empty()


def test_v_and_c() -> None:
    """V looks into objects, mappings and JSON text; what does not fit is neutral."""
    text = '{"Name": "a", "Price": 1, "At": "2026-11-24T00:00:00", "On": true}'
    assert M.V(text, "Name") == "a"
    assert M.V({"Price": 1}, "Price", float) == 1.0
    assert M.V(text, "At", dt.datetime) == dt.datetime(2026, 11, 24)  # noqa: DTZ001 - as the original
    assert M.V(text, "On", bool) is True
    assert M.V(text, "On", int) == -(2**31)
    assert M.V(text, "None", str) == ""
    assert math.isnan(M.V(text, "Name", float))
    assert M.V("no JSON", "Name") is None
    assert M.C("[1, 2]") == [1, 2]
    assert M.C("[1, 2]", tuple[int, int]) == (1, 2)


@pytest.mark.parametrize("name", ["", None, "x" * 201])
def test_ids_of_sets(m: M, name: str) -> None:
    """An ID is a text that a database can hold."""
    with pytest.raises(Exception, match="1 to 200"):
        m._place.base(name)
