"""The database file: where it is, how its schema grows, and what keeps it from being used."""

from __future__ import annotations

import json
import secrets
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from coflows_jupyter.config import Config, load_config
from coflows_jupyter.database.connection import Database
from coflows_jupyter.database.location import locate
from coflows_jupyter.errors import ConfigError


def config(folder: Path, **sections: Any) -> Config:
    """Write a configuration and read it."""
    document = {"Workflow": "package.json", "Server": {"SecretKey": secrets.token_hex(16)}, **sections}
    (folder / "coflows_config.json").write_text(json.dumps(document))
    return load_config(folder, environ={})


@pytest.mark.parametrize("written", ["data/own.db", "mnt/data/own.db", "/app/mnt/data/own.db"])
def test_connection_names_the_file(tmp_path: Path, written: str) -> None:
    """A path means what it means everywhere in the configuration."""
    assert locate(config(tmp_path, Database={"Connection": written, "Type": "sqlite"})) == tmp_path / "data" / "own.db"


def test_without_a_section_it_lies_beside_the_configuration(tmp_path: Path) -> None:
    """A Workflow needs no word about a database to have one."""
    assert locate(config(tmp_path)) == tmp_path / "coflows.db"


@pytest.mark.parametrize("kind", ["mssql", "postgres"])
def test_other_types_are_not_supported_yet(tmp_path: Path, kind: str) -> None:
    """What we can't do yet is said, with what to write meanwhile."""
    with pytest.raises(ConfigError, match="not supported yet") as raised:
        locate(config(tmp_path, Database={"Connection": "Server=x", "Type": kind}))
    assert [d.severity for d in raised.value.diagnostics] == ["warning"]


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


def test_a_newer_schema_is_refused_with_a_sentence(tmp_path: Path) -> None:
    """An older program does not touch what it can't understand."""
    file = tmp_path / "own.db"
    with sqlite3.connect(file) as newer:
        newer.execute("CREATE TABLE coflows_schema (version_num TEXT)")
        newer.execute("INSERT INTO coflows_schema VALUES ('9999')")
    database = Database(file)
    for _ in range(2):
        with pytest.raises(ConfigError, match="newer version of coflows_jupyter"):
            database.submit(lambda c: c.execute(text("SELECT 1"))).result()
    database.close()


def test_a_file_that_is_no_database_is_refused_with_a_sentence(tmp_path: Path) -> None:
    """The sentence names the file and the setting."""
    (tmp_path / "own.db").write_text("these are no pages of a database, " * 100)
    database = Database(tmp_path / "own.db")
    with pytest.raises(ConfigError, match=r"own\.db can't be used") as raised:
        database.submit(lambda c: c.execute(text("SELECT 1"))).result()
    assert "Database.Connection" in raised.value.hint
    database.close()


def test_work_happens_on_one_thread_in_order(tmp_path: Path) -> None:
    """Whoever submits never waits, and what was submitted first is done first."""
    database = Database(tmp_path / "own.db")
    seen: list[tuple[int, str]] = []
    for number in range(5):
        database.submit(lambda _c, n=number: seen.append((n, threading.current_thread().name)))  # type: ignore[misc]
    database.close()
    assert [number for number, _ in seen] == list(range(5))
    assert {name.rpartition("_")[0] for _, name in seen} == {"coflows-database"}


def test_two_programs_open_a_new_file_at_once(tmp_path: Path) -> None:
    """Migrations of one file wait for each other."""
    databases = [Database(tmp_path / "own.db") for _ in range(4)]
    counts = [d.submit(lambda c: c.execute(text("SELECT count(*) FROM runs")).scalar()) for d in databases]
    assert [count.result() for count in counts] == [0] * 4
    for database in databases:
        database.close()


def test_importing_costs_nothing() -> None:
    """SQLAlchemy and alembic are imported by the thread, at its first piece of work."""
    names = "coflows_jupyter.database.connection", "coflows_jupyter.engine", "coflows_jupyter.server.extension"
    code = f"import sys, {', '.join(names)}; print('sqlalchemy' in sys.modules, 'alembic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
