"""Backups: whole, restored on any kind of database, and never over somebody who works."""

from __future__ import annotations

import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from coflows_jupyter.database import dump
from coflows_jupyter.database.connection import Database
from coflows_jupyter.database.location import Location
from coflows_jupyter.database.migrate import migrate, version, versions
from coflows_jupyter.database.status import look
from coflows_jupyter.errors import ConfigError, NotFoundError
from coflows_jupyter.runs import store
from tests.database.test_contract import row

STRANGE = "日本 \U0001f600 \"'\\\n"


def fill(connection: Connection) -> None:
    """Write rows of several tables: numbers, booleans, texts, and such as may never be deleted."""
    store.insert(connection, [row(number, STRANGE) for number in range(3)])
    connection.execute(
        text(
            "INSERT INTO coflows_users (id, email, first_name, last_name, password, sessions, created, disabled)"
            " VALUES ('u1', 'u1@x', :name, '', '', 0, '', :yes)"
        ),
        {"name": STRANGE, "yes": True},
    )
    connection.execute(
        text(
            "INSERT INTO coflows_audit (at, actor, address, action, target, detail) VALUES ('', 'u1', '', 'a', 't', '')"
        )
    )


def contents(location: Location) -> dict[str, list[tuple[object, ...]]]:
    """Return all rows."""
    database = Database(location, migrate=False)
    try:
        return database.run(
            lambda c: {t.name: sorted(map(tuple, c.execute(t.select())), key=repr) for t in dump.tables(versions()[-1])}
        )
    finally:
        database.close()


@pytest.fixture
def filled(location: Location) -> Location:
    """Return a database with something in it."""
    database = Database(location)
    database.run(fill)
    database.close()
    return location


@pytest.fixture(params=["sqlite", "postgres"])
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    """Return another, empty database of each kind."""
    if request.param == "sqlite":
        return Location.at(tmp_path / "other" / "own.db")
    server = request.getfixturevalue("postgres_server")
    name = server.make_database()
    request.addfinalizer(lambda: server.drop_database(name))  # noqa: PT021 - only for one of the kinds
    return Location.parse("postgres", server.url(name))


def test_a_backup_of_any_kind_is_restored_on_any_kind(filled: Location, other: Location, tmp_path: Path) -> None:
    """Row by row the same; numbers that the database gives go on after those that are there."""
    made = dump.back_up(filled, tmp_path / "b.zip")
    assert (made.tables["runs"], made.tables["coflows_audit"], made.schema) == (3, 1, versions()[-1])
    dump.restore(other, tmp_path / "b.zip")
    assert contents(other) == contents(filled)
    database = Database(other)
    database.run(lambda c: store.insert(c, [row(9)]))
    assert database.run(lambda c: c.execute(text("SELECT number FROM runs WHERE id = 'r9'")).scalar()) == 4
    database.close()


def test_a_backup_is_taken_while_others_write(filled: Location, tmp_path: Path) -> None:
    """It holds one moment, and only its owner may read it."""
    database = Database(filled)
    database.run(lambda c: store.insert(c, [row(5)]))
    dump.back_up(filled, tmp_path / "b.zip")
    assert dump.read_manifest(tmp_path / "b.zip").tables["runs"] == 4
    assert stat.S_IMODE((tmp_path / "b.zip").stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.glob("b.zip*")] == ["b.zip"]
    database.close()


def test_a_database_in_use_is_not_restored(filled: Location, tmp_path: Path) -> None:
    """Whoever works with it would mix old with new."""
    dump.back_up(filled, tmp_path / "b.zip")
    database = Database(filled)
    database.run(lambda c: store.insert(c, [row(7)]))
    with pytest.raises(ConfigError, match="is in use") as raised:
        dump.restore(filled, tmp_path / "b.zip", replace=True)
    assert "stop the servers" in raised.value.hint
    assert database.run(lambda c: store.find(c, "r7"))
    database.close()


def test_what_is_there_is_replaced_only_when_asked(filled: Location, tmp_path: Path) -> None:
    """Without `--replace` nothing is lost; with it, also rows go that a trigger protects, and the trigger stays."""
    dump.back_up(filled, tmp_path / "b.zip")
    database = Database(filled)
    database.run(lambda c: store.insert(c, [row(7)]))
    database.close()
    with pytest.raises(ConfigError, match="holds something already"):
        dump.restore(filled, tmp_path / "b.zip")
    dump.restore(filled, tmp_path / "b.zip", replace=True)
    assert len(contents(filled)["runs"]) == 3
    database = Database(filled)
    with pytest.raises(Exception, match="append-only"):
        database.run(lambda c: c.execute(text("DELETE FROM coflows_audit")))
    database.close()


def test_an_older_backup_is_upgraded(tmp_path: Path, other: Location) -> None:
    """What it holds goes through the same migrations as a database."""
    old = Location.at(tmp_path / "old.db")
    database = Database(old, migrate=False)
    database.run(lambda c: migrate(c, "old", target="0001"))
    values = "'r1', 'w', 'q', 'f', 'http', 'root', 'query', '2026-01-01', 0.5, 'succeeded', 200, '', 'b', 1, ''"
    columns = "id, workflow, query, function, door, caller, form, started, seconds, outcome, status, error, build"
    statement = f"INSERT INTO runs ({columns}, result_bytes, log) VALUES ({values})"  # noqa: S608 - as written above
    database.run(lambda c: c.execute(text(statement)))
    database.close()
    assert dump.back_up(old, tmp_path / "b.zip").schema == "0001"
    dump.restore(other, tmp_path / "b.zip")
    database = Database(other)
    found = database.run(lambda c: store.find(c, "r1"))
    assert found is not None
    assert (found[0].kind, found[0].seconds) == ("query", 0.5)
    assert database.run(version) == versions()[-1]
    database.close()


@pytest.mark.parametrize(
    ("make", "error", "sentence"),
    [
        (lambda _: None, NotFoundError, "no such file"),
        (lambda file: file.write_text("text"), ConfigError, "is no backup"),
        (lambda file: zipfile.ZipFile(file, "w").close(), ConfigError, "is no backup"),
    ],
)
def test_what_is_no_backup_is_refused(
    tmp_path: Path, make: Callable[[Path], object], error: type[Exception], sentence: str
) -> None:
    """The sentence names the file, and no database is touched."""
    make(tmp_path / "b.zip")
    with pytest.raises(error, match=sentence):
        dump.restore(Location.at(tmp_path / "own.db"), tmp_path / "b.zip")
    assert not (tmp_path / "own.db").exists()


def test_a_backup_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    """What it holds is not understood."""
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr(dump.MANIFEST, json.dumps({"schema": "9999", "tables": {}, "program": "99.0"}))
    with pytest.raises(ConfigError, match=r"newer version of coflows_jupyter \(99\.0\)"):
        dump.restore(Location.at(tmp_path / "own.db"), tmp_path / "b.zip")


def test_the_state_of_a_database_is_told_without_changing_it(location: Location) -> None:
    """Empty, up to date, and of a newer version."""
    assert look(location).schema == ""
    database = Database(location)
    database.run(fill)
    found = look(location)
    assert (found.schema, found.rows["runs"], found.rows["coflows_audit"]) == (found.newest, 3, 1)
    assert "up to date" in found.sentence
    database.run(lambda c: c.execute(text("UPDATE coflows_schema SET version_num = '9999'")))
    assert "newer version" in look(location).sentence
    database.run(lambda c: c.execute(text("UPDATE coflows_schema SET version_num = '0001'")))
    assert "next start" in look(location).sentence
    database.close()
