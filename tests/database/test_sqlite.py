"""SQLite: the file, and what keeps it from being used."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from coflows_jupyter.database import sqlite
from coflows_jupyter.database.connection import Database
from coflows_jupyter.errors import ConfigError, DatabaseError


def test_the_first_work_makes_file_folder_and_schema(tmp_path: Path) -> None:
    """Nothing has to be prepared; the file can be shared with other processes and can shrink."""
    database = Database(tmp_path / "deep" / "own.db")
    pragmas = ("journal_mode", "auto_vacuum")
    found = database.submit(lambda c: [c.exec_driver_sql(f"PRAGMA {p}").scalar() for p in pragmas]).result()
    assert found == ["wal", 2]
    assert database.submit(lambda c: c.execute(text("SELECT count(*) FROM runs")).scalar()).result() == 0
    database.close()


def test_a_file_with_tables_of_others_gets_ours_too(tmp_path: Path) -> None:
    """The original's database keeps its tables, and becomes one that can shrink."""
    file = tmp_path / "database.db"
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE M (id TEXT)")
        other.execute("INSERT INTO M VALUES ('kept')")
    database = Database(file)
    assert database.submit(lambda c: c.execute(text("SELECT id FROM M")).scalar()).result() == "kept"
    assert database.submit(lambda c: c.exec_driver_sql("PRAGMA auto_vacuum").scalar()).result() == 2
    database.close()


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    """A schema that is up to date is left alone."""
    versions = []
    for _ in range(2):
        database = Database(tmp_path / "own.db")
        versions.append(database.submit(lambda c: c.execute(text("SELECT * FROM coflows_schema")).all()).result())
        database.close()
    assert versions[0] == versions[1]


def test_a_file_that_is_no_database_is_refused_with_a_sentence(tmp_path: Path) -> None:
    """The sentence names the file and the setting."""
    (tmp_path / "own.db").write_text("these are no pages of a database, " * 100)
    database = Database(tmp_path / "own.db")
    with pytest.raises(ConfigError, match=r"own\.db can't be used") as raised:
        database.submit(lambda c: c.execute(text("SELECT 1"))).result()
    assert "Database.Connection" in raised.value.hint
    database.close()


def test_importing_costs_nothing() -> None:
    """SQLAlchemy and alembic are imported by the thread, at its first piece of work."""
    names = "coflows_jupyter.database.connection", "coflows_jupyter.engine", "coflows_jupyter.server.extension"
    code = f"import sys, {', '.join(names)}; print('sqlalchemy' in sys.modules, 'alembic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("name", ["a?b=c.db", "a%20b.db", "ünï code.db"])
def test_any_file_name_works(tmp_path: Path, name: str) -> None:
    """A path is a path and no URL."""
    database = Database(tmp_path / name)
    database.run(lambda c: c.execute(text("SELECT 1")))
    database.close()
    assert (tmp_path / name).stat().st_size


def test_a_file_that_stays_busy_is_said_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time we wait for others, the sentence names the file; readers never wait."""
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    database = Database(tmp_path / "own.db", wait=0.1)
    database.run(lambda c: c.execute(text("SELECT 1")))
    other = sqlite3.connect(tmp_path / "own.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseError, match=r"own\.db busy"):
        database.run(lambda c: c.execute(text("SELECT 1")))
    assert database.run(lambda c: c.execute(text("SELECT 1")).scalar(), readonly=True) == 1
    other.execute("ROLLBACK")
    assert database.run(lambda c: c.execute(text("SELECT 1")).scalar()) == 1
    other.close()
    database.close()


def test_closing_waits_once_for_a_busy_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much was submitted, the end does not wait for each piece of it."""
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    database = Database(tmp_path / "own.db")
    database.run(lambda c: c.execute(text("SELECT 1")))
    other = sqlite3.connect(tmp_path / "own.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    attempts: list[int] = []
    attempt = database._attempt

    def counted(*arguments: Any, **options: Any) -> None:
        attempts.append(1)
        attempt(*arguments, **options)

    monkeypatch.setattr(database, "_attempt", counted)
    waiting = [database.submit(lambda c: c.execute(text("SELECT 1")).all()) for _ in range(20)]
    first = len(attempts)
    database.close()
    assert all(isinstance(future.exception(), DatabaseError) for future in waiting)
    assert len(attempts) - first <= 2
    other.close()


RACE = """
import sys, threading
from coflows_jupyter.database.connection import load_libraries
sys.setswitchinterval(1e-5)
parts = ["sqlalchemy", "coflows_jupyter.database.migrate", "coflows_jupyter.access.tables", "sqlalchemy.exc"] * 2
start, failed = threading.Barrier(len(parts)), []
def begin(part):
    start.wait()
    load_libraries()
    try:
        __import__(part)
    except Exception as error:
        failed.append(repr(error))
threads = [threading.Thread(target=begin, args=(part,)) for part in parts]
for thread in threads: thread.start()
for thread in threads: thread.join()
sys.exit("; ".join(failed) or None)
"""


def test_threads_may_begin_at_once() -> None:
    """None of those whose first work needs the libraries at the same moment gets half of a module."""
    done = subprocess.run([sys.executable, "-c", RACE], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
