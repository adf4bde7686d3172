"""A store reads less because of conditions, and never finds anything else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coflows_jupyter.mset.conditions import OPERATORS, meets, parse
from coflows_jupyter.mset.model import decode, encode
from coflows_jupyter.mset.place import open_database
from tests.mset.conftest import make

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=3),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab", max_size=1), inner)
)
OBJECTS = st.dictionaries(st.sampled_from(["a", "b", 'odd"', "it's", "c.d", ""]), VALUES, max_size=3)


def test_a_dict_contains_its_names_only() -> None:
    """Whether a dictionary contains something is asked about its names; anything else is not in it."""
    (condition,) = parse({"a__contains": [1]})
    assert not meets({"a": {"b": 1}}, (condition,))
    assert meets({"a": {"b": 1}}, parse({"a__contains": "b"}))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(OBJECTS, max_size=8), st.data())
def test_stores_agree_with_python(tmp_path: Path, objects: list[dict[str, Any]], data: st.DataObject) -> None:
    """Whatever the values are, ``select`` gives what ``meets`` says, with an index and without."""
    store = open_database(tmp_path / "m.db")
    m = make(store)
    m.clear()
    m.add_many(objects)
    field = data.draw(st.sampled_from(["a", "b", 'odd"', "it's", "c.d", "a__b"]))
    op = data.draw(st.sampled_from([*OPERATORS, "eq"]))
    wanted = data.draw(st.lists(VALUES, max_size=3) if op == "in" else VALUES)
    conditions = parse({f"{field}__{op}": wanted})
    expected = [
        value for value in map(decode, dict.fromkeys(encode(o).value for o in objects)) if meets(value, conditions)
    ]
    unique = {encode(value).tag: value for value in reversed(expected)}
    try:
        for _ in range(2):
            found = [decode(entry.value) for entry in store.select("prices", conditions)]
            assert sorted(encode(value).tag for value in found) == sorted(unique)
            if '"' not in field:
                store.index("prices", tuple(field.split("__")))
    finally:
        store.close()
