"""Sets that several processes and threads use at once."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import sqlite3
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from coflows_jupyter import engine
from coflows_jupyter.config import load_config
from coflows_jupyter.database.connection import Database
from coflows_jupyter.database.current import newest
from coflows_jupyter.database.location import Location
from coflows_jupyter.errors import ConfigError
from coflows_jupyter.mset import place
from coflows_jupyter.mset.model import Author, Change, encode
from coflows_jupyter.mset.place import open_database
from coflows_jupyter.mset.sql import SqlMStore
from coflows_jupyter.mset.store import MStore
from tests.mset.conftest import make

WRITES = int(os.environ.get("COFLOWS_TEST_WRITES", "100"))


def python(source: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a program that has ``m``, a set in the database that its first argument names."""
    pipe = subprocess.PIPE
    return subprocess.Popen(command(source, *arguments), stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def command(source: str, *arguments: object) -> list[str]:
    """Return what ``python`` starts."""
    prelude = """
        import sys
        from pathlib import Path
        from coflows_jupyter import M
        from coflows_jupyter.database.location import Location
        from coflows_jupyter.mset.place import host_place, settle
        given = sys.argv[1]
        settle(host_place(Location.parse("postgres", given) if "://" in given else Location.at(Path(given))))
        m = M.Base("prices")
    """
    program = textwrap.dedent(prelude) + textwrap.dedent(source)
    return [sys.executable, "-c", program, *map(str, arguments)]


@pytest.fixture(params=["sqlite", "postgres"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return what tells ``python`` an empty database of each kind."""
    return str(tmp_path / "m.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url"))


def opened(where: str) -> MStore:
    """Open what ``where`` tells."""
    return open_database(Location.parse("postgres", where) if "://" in where else Location.at(Path(where)))


def test_eight_processes_write_at_once(where: str) -> None:
    """Nobody is told that the database is locked, and nothing is lost; the schema is made once."""
    source = """
        for n in range(int(sys.argv[3])):
            assert m.add({"writer": sys.argv[2], "n": n})
    """
    writers = [python(source, where, number, WRITES) for number in range(8)]
    for writer in writers:
        _, errors = writer.communicate(timeout=110)
        assert writer.returncode == 0, errors
    m = make(opened(where))
    assert len(m) == len(m.changes()) == 8 * WRITES
    m._store.close()


def test_threads_write_and_read_at_once(where: str) -> None:
    """A process's threads share a store."""
    m = make(opened(where))

    def work(number: int) -> None:
        for n in range(50):
            m.add({"thread": number, "n": n})
            assert m.where(thread=number, n=n)
            assert m[lambda value: value == {"thread": number, "n": n}]  # noqa: B023 - used at once

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(m)) == 400
    m._store.close()


def test_a_fork_has_connections_of_its_own(where: str) -> None:
    """A child that user code forks writes without hurting its parent's connection."""
    source = """
        import os
        m.add("parent")
        child = os.fork()
        if not child:
            m.add("child")
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        m.add("again")
        print(list(m))
    """
    process = python(source, where)
    output, errors = process.communicate(timeout=60)
    assert output == "['parent', 'child', 'again']\n", errors


def test_interrupted_writes_leave_nothing_half_done(where: str) -> None:
    """An exception in the middle of a transaction, as a cancelled call gets it, takes it back."""
    store = opened(where)
    with pytest.raises(KeyboardInterrupt):
        store.apply("s", _interrupted(), Author())
    assert store.count("s") == 0
    assert store.apply("s", [Change("add", "b", encode(1))], Author())[0].done
    store.close()


def _interrupted() -> list[Change]:
    class Changes(list[Change]):
        times = 0

        def __iter__(self):  # type: ignore[no-untyped-def]  # noqa: ANN204
            self.times += 1
            yield Change("add", "a", encode(1))
            if self.times > 1:
                raise KeyboardInterrupt

    return Changes()


def test_nothing_heavy_is_imported_for_a_set(tmp_path: Path) -> None:
    """A host that uses M imports no SQLAlchemy where the schema is there, and one that does not use it no SQLite."""
    make(open_database(tmp_path / "m.db")).add(1)
    heavy = "print({'sqlite3', 'sqlalchemy', 'alembic', 'pandas'} & set(sys.modules))"
    used = python(f"import coflows_jupyter.host.child\nm.add(2)\n{heavy}", tmp_path / "m.db")
    output, errors = used.communicate(timeout=60)
    assert output == "{'sqlite3'}\n", errors
    idle = [sys.executable, "-c", f"import sys\nimport coflows_jupyter.host.child\n{heavy}"]
    assert subprocess.check_output(idle, text=True) == "set()\n"


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    """A schema that this program does not know is left alone."""
    file = tmp_path / "m.db"
    make(open_database(file)).add(1)
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE coflows_schema SET version_num = '9999'")
    with pytest.raises(ConfigError, match="newer"):
        make(open_database(file)).add(2)


def test_the_newest_schema_is_known_without_alembic(tmp_path: Path) -> None:
    """The names of the migrations say which one is last."""
    database = Database(tmp_path / "m.db")
    found = database.submit(lambda c: c.exec_driver_sql("SELECT version_num FROM coflows_schema").scalar_one()).result()
    database.close()
    assert found == newest()


def test_retention(where: str) -> None:
    """What is pruned can't be read as if nothing had been: a reader from before starts anew, the past has an end."""
    store = opened(where)
    assert isinstance(store, SqlMStore)
    m = make(store)
    reader = make(opened(where))
    assert list(reader) == []
    m["a"] = 1
    m["a"] = 2
    m["gone"] = 3
    del m["gone"]
    assert list(reader) == [2]
    m["b"] = 4
    before = m.changes()
    m["c"] = 5
    del m["c"]
    assert store.prune(dt.timedelta(0)) == 5
    assert [event.value for event in m.changes()] == []  # from 0 on there is no whole log any more
    assert store.changes("prices", before[-1].seq).reset
    assert not store.changes("prices", store.changes("prices", -1).seq).reset
    assert list(reader) == [2, 4]
    assert [event.op for event in m.history("a")] == ["exchange"]
    assert sorted(m.at(dt.datetime.now(dt.UTC)).values()) == [2, 4]
    with pytest.raises(Exception, match="goes back to"):
        m.at("2020-01-01")
    assert store.prune(dt.timedelta(0)) == 0
    store.close()
    reader._store.close()


def test_a_server_prunes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine deletes from time to time what is older than what is kept."""
    m = make(open_database(tmp_path / "coflows.db"))
    m["a"] = 1
    m["a"] = 2
    monkeypatch.setattr(engine, "PRUNE_SECONDS", 0.01)
    monkeypatch.setattr(place, "KEEP", dt.timedelta(0))
    (tmp_path / "package.json").write_text('{"ID": "wid", "Name": "Sets"}')
    (tmp_path / "coflows_config.json").write_text('{"Workflow": "package.json"}')

    async def run() -> None:
        opened = engine.Engine(load_config(tmp_path / "coflows_config.json"), mode="embedded")
        await opened.start()
        while len(m.history("a")) > 1:  # noqa: ASYNC110 - an engine does not say when it has pruned
            await asyncio.sleep(0.01)
        await opened.close(0)

    asyncio.run(asyncio.wait_for(run(), 60))
    assert [event.value for event in m.history("a")] == [2]
    m._store.close()


def test_another_process_sees_a_change_soon(where: str) -> None:
    """A watcher is told by another process's commit, not by a long wait."""
    source = """
        for line in sys.stdin:
            m.add(line.strip())
    """
    m = make(opened(where))
    m.add("first")
    writer = python(source, where)
    assert writer.stdin is not None
    watching = m.watch(after=0)
    assert next(watching).value == "first"
    for word in ("second", "third"):
        writer.stdin.write(word + "\n")
        writer.stdin.flush()
        assert next(watching).value == word
    writer.stdin.close()
    assert writer.wait(30) == 0
    m._store.close()
