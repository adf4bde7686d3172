"""M sets on SQL Server, as far as it can be shown without one: what it is told in words of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from coflows_jupyter.database.location import Location
from coflows_jupyter.mset.conditions import Condition
from coflows_jupyter.mset.database import Table, find_among
from coflows_jupyter.mset.mssql import ROWS, MssqlSets
from coflows_jupyter.mset.server import Rows

GOLDEN = Path(__file__).with_name("mssql.sql")


def test_words_of_transact_sql() -> None:
    """Locks, inserts and pages; a change here is looked at."""
    said: list[str] = []

    def run(statement: str, _parameters: Sequence[Any] = ()) -> Rows:
        said.append(statement)
        return Rows([], 1)

    sets = MssqlSets(Location.parse("mssql", "Server=db;Database=flows"))
    sets.lock(run, "prices")
    sets.hold(run, "prices; DROP TABLE m_log")
    assert sets.inserted(run, "INSERT INTO m_set (id, pruned, pruned_at) VALUES (?, ?, ?)", ("prices", 0, ""))
    rows = [(f"e{n}", f"{n:032}", str(n)) for n in range(ROWS + 2)]
    sets.insert_all(run, Table("m_entry", {"set_no": 1}, ("id", "tag", "value")), rows)
    whole, said[-2] = said[-2], "(as the next one, with as many rows as one statement takes)"
    assert whole.count("?") == 1 + 3 * ROWS < 2100
    sets.insert_all(run, Table("m_log", {"set_no": 1, "op": "add"}, ("entry", "value")), [("e0", "0"), ("e1", "1")])
    assert list(find_among(run, 1, "tag", ["a", "b"])) == []
    said.append(sets.limited("SELECT seq FROM m_log WHERE set_no = ? ORDER BY seq", 1000))
    assert sets.condition(Condition(("price",), "eq", 1)) is None
    text = ";\n".join(said)
    assert text == GOLDEN.read_text().strip(), f"look at the difference, then write it to {GOLDEN}: {text}"
