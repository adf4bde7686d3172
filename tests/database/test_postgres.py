"""PostgreSQL: how its address is written, and what happens when it goes away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from coflows_jupyter.database import postgres
from coflows_jupyter.database.connection import Database
from coflows_jupyter.database.location import Location
from coflows_jupyter.errors import ConfigError, DatabaseError
from tests.postgres import PostgresServer

FULL = {"host": "db", "port": "5433", "user": "me", "password": "p", "dbname": "x"}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("postgresql://me:p@db:5433/x", FULL),
        ("postgresql+psycopg://me:p@db:5433/x", FULL),
        ("host=db port=5433 user=me password=p dbname=x", FULL),
        ("host = 'db'  port=5433 user=me password='p' dbname=x\n", FULL),
        ("Host=db;Port=5433;Username=me;Password=p;Database=x", FULL),
        ("Server=db;Port=5433;User Id=me;Password=p;Database=x;Pooling=true;", FULL),
        ("postgres://me:p%40%2F%3A@db/x?sslmode=require", {"password": "p@/:", "sslmode": "require"}),
        ("postgres://me@one:1,[::1]:2/x", {"host": "one,::1", "port": "1,2"}),
        (r"host=db password='it\'s \\ here'", {"password": r"it's \ here"}),
        ("host=db password=a;b;c", {"host": "db", "password": "a;b;c"}),
        ('Host=db;Password="a;b""c"', {"password": 'a;b"c'}),
        ("Host=db;Password=a b;SSL Mode=VerifyFull", {"password": "a b", "sslmode": "verify-full"}),
        ("Host=db;Search Path=one two", {"options": r"-c search_path=one\ two"}),
        ("service=mine", {"service": "mine"}),
        ("postgresql://me:p@q:r@db/x", {"password": "p@q:r", "host": "db"}),
    ],
)
def test_forms_of_an_address(written: str, expected: dict[str, str]) -> None:
    """A URL, libpq's keywords and .NET's keywords mean the same."""
    found = postgres.parse(written)
    assert {name: found.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("host=db pasword=hunter2", r"keyword 2 is unknown; did you mean password\?"),
        ("Host=db;Usrname=hunter2", r"keyword 2 is unknown; did you mean username\?"),
        ("Host=db;Password=hunter2;hunter2", "character 26 has no '='"),
        ("Host=db;Password='hunter2", "a quote without its end"),
        ("host=db password=hun ter2", "character 21"),
        ("postgresql://me:hunter2@d[b/x", "%40"),
        ("postgresql://me:hunter2@/x", "names no host"),
        ("dbname=hunter2", "names no host"),
        ("hunter2", "character 1"),
        ("", "names no host"),
    ],
)
def test_a_mistake_is_named_without_the_text(written: str, sentence: str) -> None:
    """Any word of the text may be a piece of the password."""
    with pytest.raises(ValueError, match=sentence) as raised:
        postgres.parse(written)
    assert "hunter2" not in str(raised.value)
    assert "ter2" not in str(raised.value)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_any_password_survives(password: str) -> None:
    """Quoted as each form wants it, every text comes back as it was."""
    libpq = password.replace("\\", "\\\\").replace("'", "\\'")
    dotnet = password.replace('"', '""')
    assert postgres.parse(f"host=db password='{libpq}'")["password"] == password
    assert postgres.parse(f'Host=db;Password="{dotnet}"')["password"] == password


def test_nothing_shows_the_password() -> None:
    """Neither the place itself nor the engine that is made of it."""
    location = Location.parse("postgres", "postgresql://me:hunter2@db/x?sslpassword=hunter2")
    assert "hunter2" not in f"{location} {location!r} {postgres.make_engine(location)!r}"
    assert str(location) == "x at db"


@pytest.fixture
def own_server(postgres_server: PostgresServer) -> Iterator[PostgresServer]:
    """Return the server to stop and start; it runs again afterwards."""
    yield postgres_server
    postgres_server.stop()
    postgres_server.start()


def test_work_goes_on_when_the_server_restarts(own_server: PostgresServer, postgres_url: str) -> None:
    """What is submitted while it is away waits for it; connections that broke are replaced."""
    database = Database(Location.parse("postgres", postgres_url))
    assert database.run(lambda c: c.execute(text("SELECT 1")).scalar()) == 1
    own_server.stop()
    waiting = [database.submit(lambda c: c.execute(text("SELECT 2")).scalar()) for _ in range(3)]
    own_server.start()
    assert [future.result() for future in waiting] == [2, 2, 2]
    database.close()


def test_a_server_that_stays_away_is_said_in_a_sentence(own_server: PostgresServer, postgres_url: str) -> None:
    """The first to notice waits, others are told at once; when it is back, it works again without a restart of ours."""
    database = Database(Location.parse("postgres", postgres_url), wait=0.2)
    own_server.stop()
    for _ in range(2):
        with pytest.raises(DatabaseError, match=r"does not answer: .*refused"):
            database.run(lambda c: c.execute(text("SELECT 1")))
    own_server.start()
    assert database.run(lambda c: c.execute(text("SELECT 1")).scalar()) == 1
    database.close()


@pytest.mark.parametrize("change", [{"dbname": "nowhere"}, {"sslmode": "require"}])
def test_what_waiting_does_not_change_is_said_at_once(postgres_url: str, change: dict[str, str]) -> None:
    """A wrong name is no outage."""
    parameters = postgres.parse(postgres_url) | change
    database = Database(Location("postgres", "x at db", parameters))
    with pytest.raises(ConfigError, match="x at db can't be used") as raised:
        database.run(lambda c: c.execute(text("SELECT 1")))
    assert "Database.Connection" in raised.value.hint
    database.close()
