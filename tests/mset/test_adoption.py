"""A database of the original is taken over, and left as it is."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from coflows_jupyter.access import accounts, groups
from coflows_jupyter.access.directory import Directory
from coflows_jupyter.access.passwords import Doorkeeper
from coflows_jupyter.database.connection import Database
from coflows_jupyter.database.location import Location
from coflows_jupyter.database.original import Original, read_value
from coflows_jupyter.database.status import look
from coflows_jupyter.errors import ConfigError, DeniedError, NotFoundError
from coflows_jupyter.mset.adoption import adopt
from coflows_jupyter.mset.model import decode
from coflows_jupyter.mset.place import open_database

PASSWORD = "correct horse"
SCHEMA = """
CREATE TABLE M (ID VARCHAR(250), EntryID VARCHAR(250), Entry TEXT, Assembly TEXT, Type TEXT, PRIMARY KEY (ID, EntryID));
CREATE TABLE Roles (ID VARCHAR(50) PRIMARY KEY, Name TEXT, Description TEXT, Parent TEXT, AccessType INT, profile TEXT,
  url TEXT, OwnerID TEXT);
CREATE TABLE PermissionsRepository (PermissibleID VARCHAR(250), GroupID VARCHAR(50), AccessType INT, Expiry DATETIME,
  Type TEXT, PRIMARY KEY (PermissibleID, GroupID));
CREATE TABLE Users (FirstName TEXT, LastName TEXT, IdentityProvider TEXT, NameIdentifier TEXT, Email TEXT,
  TenantName TEXT, Hash TEXT, Secret TEXT, GroupID TEXT, StripeID TEXT, MetaData TEXT);
"""
USER = "QuantApp.Kernel.User"


@pytest.fixture
def original(tmp_path: Path) -> Path:
    """Make a database as the original leaves it."""
    file = tmp_path / "database.db"
    md5 = hashlib.md5(PASSWORD.encode(), usedforsecurity=False).hexdigest()
    with sqlite3.connect(file) as connection:
        connection.executescript(SCHEMA)
        connection.executemany(
            "INSERT INTO M VALUES (?, ?, ?, '', ?)",
            [
                ("prices", "e1", "{\x1bname\x1b:\x1bO\x1aNeil\x1b,\x1bprice\x1b:1.5}", "Newtonsoft.Json.Linq.JObject"),
                ("prices", "e2", "{\\\x1bname\\\x1b: 1}", "System.String"),
                ("prices", "e3", "no json", "Some.Lost.Type"),
                ("numbers", "e4", "7", "System.Int32"),
                ("wid", "e5", "{}", "QuantApp.Engine.Workflow"),
                ("_m_q_i_topic", "e6", "x", "System.String"),
            ],
        )
        connection.executemany(
            "INSERT INTO Users VALUES (?, ?, 'p', ?, ?, ?, ?, 's', '', '', '')",
            [
                ("Ann", "Lee", "n1", "Ann@example.org", "t1", md5.upper()),
                ("Root", "", "n0", "root", "root", "202cb962ac59075b964b07152d234b70"),
            ],
        )
        connection.executemany(
            "INSERT INTO Roles VALUES (?, ?, '', ?, 1, '', '', '')",
            [("sub", "Sub", "wid"), ("wid", "Master", ""), ("Public", "Public", "")],
        )
        connection.executemany(
            "INSERT INTO PermissionsRepository VALUES (?, ?, ?, ?, ?)",
            [
                ("t1", "wid", 2, "9999-12-31 00:00:00", USER),
                ("t1", "sub", 1, "2001-02-03 04:05:06.789", USER),
                ("t1", "Public", 0, "31/12/2030", USER),
                ("file", "wid", 1, "", "QuantApp.Kernel.FileRepository"),
                ("root", "Public", 2, "", USER),
            ],
        )
    return file


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("{\x1ba\x1b:[1,null]}", "X", {"a": [1, None]}),
        ("\x1bquoted\x1b", "System.String", "quoted"),
        ("it\x1as", "System.String", "it's"),
        ("7", "System.String", "7"),
        ("7", "System.Int64", 7),
        ("true", "System.Boolean", True),
        ("\x1b2020-01-01T00:00:00\x1b", "System.DateTime", "2020-01-01T00:00:00"),
        ("{broken", "X", "{broken"),
    ],
)
def test_values_are_read_as_the_original_reads_them(text: str, kind: str, value: Any) -> None:
    """Characters 26 and 27 are quotes; text stays text; what is no JSON is text."""
    assert read_value(text, kind) == value


def test_everything_is_taken_over_and_nothing_changed(original: Path, location: Location) -> None:
    """People with their levels, sets with the IDs of their entries; a second time adds nothing."""
    before = original.read_bytes()
    source = Location.at(original)
    found = adopt(location, source)
    assert (found.users, found.groups, found.members) == (1, 2, 2)
    assert (found.sets, found.entries, found.known, found.own) == (2, 4, 0, 2)
    assert found.left == ["ann@example.org in group Public: its end can't be read"]
    assert original.read_bytes() == before

    database = Database(location)
    user = database.run(lambda c: accounts.find_user(c, "ann@example.org"))
    assert (user.first_name, user.last_name, user.has_password) == ("Ann", "Lee", True)
    levels = {m.group: (m.level, m.expires) for m in database.run(groups.list_members)}
    assert levels == {"wid": (2, ""), "sub": (1, "2001-02-03T04:05:06+00:00")}
    assert database.run(lambda c: groups.find_group(c, "sub")).parent == "wid"
    database.close()

    store = open_database(location)
    prices = {entry.id: decode(entry.value) for entry in store.load("prices").entries}
    assert prices == {"e1": {"name": "O'Neil", "price": 1.5}, "e2": '{"name": 1}', "e3": "no json"}
    store.close()

    again = adopt(location, source)
    assert (again.users, again.groups, again.members, again.entries, again.known) == (0, 0, 0, 0, 4)
    assert again.left == found.left


def test_the_file_of_the_original_may_become_ours(original: Path) -> None:
    """A configuration of the original names its file: its tables stay, and status says that they are there."""
    assert look(Location.at(original)).original
    adopt(Location.at(original), Location.at(original))
    assert "PermissionsRepository" in look(Location.at(original)).original
    with Original(Location.at(original)) as found:
        assert len(list(found.entries())) == 6


def test_the_original_may_be_on_a_server(original: Path, postgres_url: str, tmp_path: Path) -> None:
    """Its tables are found in a database server, too, and what is taken over may be kept beside them."""
    with psycopg.connect(postgres_url) as there, closing(sqlite3.connect(original)) as here:
        there.execute(SCHEMA.replace("DATETIME", "TIMESTAMP").encode())
        here.execute("DELETE FROM PermissionsRepository WHERE Expiry NOT LIKE '____-%'")
        for table in ("M", "Users", "Roles", "PermissionsRepository"):
            rows = here.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - one of these
            marks = ", ".join(["%s"] * len(rows[0]))
            there.cursor().executemany(f"INSERT INTO {table} VALUES ({marks})".encode(), rows)  # noqa: S608 - likewise
    source = Location.parse("postgres", postgres_url)
    for location in (source, Location.at(tmp_path / "own.db")):
        found = adopt(location, source)
        assert (found.users, found.groups, found.members, found.sets, found.entries) == (1, 2, 2, 2, 4)
        database = Database(location)
        levels = {m.group: (m.level, m.expires) for m in database.run(groups.list_members)}
        assert levels == {"wid": (2, ""), "sub": (1, "2001-02-03T04:05:06+00:00")}
        database.close()
    with psycopg.connect(postgres_url) as there:
        assert there.execute("SELECT count(*) FROM M").fetchone() == (6,)


def test_passwords_of_the_original_still_open(original: Path, tmp_path: Path) -> None:
    """Nothing keeps the MD5 as it was; with the first log-in it is out of the way."""
    location = Location.at(tmp_path / "own.db")
    adopt(location, Location.at(original))

    async def work() -> list[str]:
        database = Database(location)
        directory = Directory(database)
        await directory.refresh()
        doorkeeper, kept = Doorkeeper(), []
        with pytest.raises(DeniedError):
            await doorkeeper.check(directory, "ann@example.org", "wrong password", "a")
        for _ in range(2):
            kept.append((await directory.ask(lambda c: accounts.password_of(c, "ann@example.org")))[1])
            assert await doorkeeper.check(directory, "Ann@example.org", PASSWORD, "b") == "ann@example.org"
        await directory.close()
        return kept

    first, second = asyncio.run(work())
    assert first.startswith("md5+$argon2")
    assert second.startswith("$argon2")


def test_other_files_are_refused(tmp_path: Path) -> None:
    """The sentence names the file."""
    location = Location.at(tmp_path / "own.db")
    with pytest.raises(NotFoundError, match=r"no such file: .*nothing\.db"):
        adopt(location, Location.at(tmp_path / "nothing.db"))
    (tmp_path / "text.db").write_text("no database " * 100)
    with pytest.raises(ConfigError, match=r"text\.db can't be read"):
        adopt(location, Location.at(tmp_path / "text.db"))
    sqlite3.connect(tmp_path / "empty.db").close()
    with pytest.raises(ConfigError, match="is no database of the original"):
        adopt(location, Location.at(tmp_path / "empty.db"))
