"""M sets in the code of a Workflow."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from coflows_jupyter.database.location import Location
from coflows_jupyter.errors import FunctionError
from coflows_jupyter.mset.place import open_database
from tests.host.conftest import CALLER, Hosts, Run
from tests.mset.conftest import make

SOURCE = """
    import threading
    import time

    from coflows_jupyter import M

    loaded = len(M.Base("prices"))


    def Add(value: dict[str, object]) -> str | None:
        return M.Base("prices").add(value)


    def Values() -> list[object]:
        return list(M.Base("prices"))


    def InThread() -> int:
        found = []
        thread = threading.Thread(target=lambda: found.append(len(M.Base("prices"))))
        thread.start()
        thread.join()
        return found[0]


    async def Later() -> int:
        return len(M.Base("prices"))


    def Watch() -> list[object]:
        return [event.value for event in M.Base("prices").watch()]
"""


@pytest.mark.parametrize("mode", ["embedded", "process"])
def test_queries_share_sets(mode: str, tmp_path: Path, location: Location, run: Run) -> None:
    """A function adds, another process reads, and the log says which call it was."""
    m = make(open_database(location))
    m.add({"n": 0})
    hosts = Hosts(mode, tmp_path / "flow", location)

    async def work() -> None:
        async with hosts.open(q=SOURCE) as loaded:
            assert loaded.ok
            entry = await hosts.value("Add", {"n": 1})
            assert m[entry] == {"n": 1}
            (event,) = m.history(entry)
            assert event.actor == CALLER.id
            assert event.run
            m.add({"n": 2})
            assert await hosts.value("Values") == [{"n": 0}, {"n": 1}, {"n": 2}]
            assert await hosts.value("InThread") == await hosts.value("Later") == 3
            with pytest.raises(Exception, match="did not finish"):
                await hosts.value("Watch", timeout=0.5)

    run(work())
    m._store.close()
    if location.file:
        connection = sqlite3.connect(location.file)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("mode", ["embedded", "process"])
def test_without_a_database_it_says_so(mode: str, tmp_path: Path, run: Run) -> None:
    """Where no database can be used, whoever needs a set is told; everything else works."""
    hosts = Hosts(mode, tmp_path / "flow")
    source = "from coflows_jupyter import M\\ndef Add():\\n    return M.Base('x').add(1)\\ndef One():\\n    return 1\\n"

    async def work() -> None:
        async with hosts.open(q=source.replace("\\n", "\n")) as loaded:
            assert loaded.ok
            assert await hosts.value("One") == 1
            with pytest.raises(FunctionError, match="no database"):
                await hosts.value("Add")

    run(work())
