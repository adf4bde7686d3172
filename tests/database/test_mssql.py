"""SQL Server, as far as it can be shown without one: its address, the log-in by Microsoft's driver, and its SQL."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import ClauseElement, func, select
from sqlalchemy.dialects import mssql as dialects

from coflows_jupyter.database import mssql
from coflows_jupyter.database.connection import Database
from coflows_jupyter.database.location import Location
from coflows_jupyter.database.migrate import write_sql
from coflows_jupyter.errors import ConfigError
from coflows_jupyter.runs import table
from tests.database.tds import Login, LoginRecorder

GOLDEN = Path(__file__).parent / "mssql"
SEED = (
    "Server=name.database.windows.net,1433;Database=flows;User ID=me;Password=p;"
    "MultipleActiveResultSets=True;Packet Size=32768"
)
PASSWORD = "p;w{d}='x\"y@ z"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (SEED, {"Server": "name.database.windows.net,1433", "UID": "me", "PacketSize": "32768", "Encrypt": "yes"}),
        ("Data Source=tcp:db, 1433; Initial Catalog = x ;uid=a;PWD=b", {"Server": "db,1433", "Database": "x"}),
        (r"Server=.\SQLEXPRESS;Integrated Security=SSPI;User ID=a", {"Server": r"localhost\SQLEXPRESS", "UID": None}),
        ("Server=(local);Trusted_Connection=yes", {"Server": "localhost", "Trusted_Connection": "yes"}),
        ("Server=db;Encrypt=False;TrustServerCertificate=True", {"Encrypt": "no", "TrustServerCertificate": "yes"}),
        ("Server=db;Encrypt=Strict;Connect Timeout=7", {"Encrypt": "strict", "timeout": "7"}),
        ("Server=db;Authentication=Active Directory Managed Identity", {"Authentication": "ActiveDirectoryMsi"}),
        ("Server=db;ApplicationIntent=ReadOnly;Application Name=x", {"ApplicationIntent": "ReadOnly", "APP": "x"}),
        ("Server=db;Password='it''s';Pooling=false", {"PWD": "it's"}),
        ("Server=db;Password=", {"PWD": ""}),
    ],
)
def test_keywords_of_dotnet_become_those_of_odbc(written: str, expected: dict[str, str | None]) -> None:
    """Case, spaces and synonyms do not matter; what is about .NET itself is left out."""
    found = mssql.parse(written)
    assert {name: found.get(name) for name in expected} == expected
    assert not {"MARS_Connection", "Pooling"} & found.keys()


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("Database=hunter2", "names no Server"),
        ("Server=db;Pasword=hunter2", r"keyword 2 is unknown; did you mean password\?"),
        ("Server=db;Password=a;hunter2=b", "keyword 3 is unknown; a value with ; in it goes into quotes"),
        ("Server=db;Password=a;hunter2", r"character 22 has no '='"),
        ('Server=db;Password="hunter2', "a quote without its end"),
        ('Server=db;Password="a"hunter2', "a quote without its end"),
        ("Server=db;Packet Size=hunter2", "Packet is a whole number"),
        ("Server=db;Encrypt=hunter2", "Encrypt is one of yes, no, strict"),
        ("Server=db,hunter2", "number after the comma"),
        ("Server=db;TrustServerCertificate=hunter2", "is true or false"),
    ],
)
def test_a_mistake_is_named_without_the_text(written: str, sentence: str) -> None:
    """Any word of the text may be a piece of the password."""
    with pytest.raises(ValueError, match=sentence) as raised:
        mssql.parse(written)
    assert "hunter2" not in str(raised.value)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_any_password_survives_the_quotes_of_both(password: str) -> None:
    """What .NET's quotes hold is what ODBC's braces hold."""
    quoted = password.replace('"', '""')
    text = mssql.odbc(mssql.parse(f'Server=db;Password="{quoted}"'), "X")
    found = re.search(r"PWD=(?:\{((?:[^}]|\}\})*)\}|([^;]*))", text)
    assert found is not None
    assert (found[2] if found[1] is None else found[1].replace("}}", "}")) == password


@pytest.fixture(scope="module")
def vendors_driver() -> str:
    """Return Microsoft's ODBC driver; skip where there is none."""
    pytest.importorskip("pyodbc", reason="needs pyodbc: pip install 'coflows_jupyter[mssql]'", exc_type=ImportError)
    driver = mssql.find_driver()
    if driver == "FreeTDS":
        pytest.skip("needs Microsoft's driver: pip install 'coflows_jupyter[mssql]'")
    return driver


def attempt(recorder: LoginRecorder, password: str) -> tuple[Login, ConfigError]:
    """Let a Database log in, and return what arrived and what it says."""
    quoted = password.replace('"', '""')
    text = (
        f'Server=tcp:127.0.0.1,{recorder.port};Database=flows ü;User ID=me;Password="{quoted}";Encrypt=False;'
        "Packet Size=16384;MultipleActiveResultSets=True"
    )
    database = Database(Location.parse("mssql", text), wait=0)
    with pytest.raises(ConfigError) as raised:
        database.run(lambda _: None)
    database.close()
    return recorder.logins[0], raised.value


def test_microsofts_driver_sends_what_was_written(vendors_driver: str) -> None:
    """User, password, database and packet size arrive; why it was refused is said, and nothing of the password."""
    with LoginRecorder() as recorder:
        login, error = attempt(recorder, PASSWORD)
    assert login == Login("me", PASSWORD, "coflows", "flows ü", 16384)
    assert "flows ü at 127.0.0.1" in error.message
    assert "Login failed" in error.message
    assert PASSWORD not in f"{error.message} {error.hint}"


@settings(max_examples=15, deadline=None)
@given(st.text(st.characters(codec="utf-16", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60))
def test_microsofts_driver_sends_any_password(vendors_driver: str, password: str) -> None:
    """No character of it ends or changes it."""
    with LoginRecorder() as recorder:
        assert attempt(recorder, password)[0].password == password


def compiled(statement: ClauseElement) -> str:
    """Return what SQL Server would be sent."""
    dialect = dialects.dialect(deprecate_large_types=True)  # type: ignore[no-untyped-call]
    return re.sub(r"\s+", " ", str(statement.compile(dialect=dialect)))


def test_statements_of_the_history() -> None:
    """What the store of runs says to SQL Server; a change here is looked at."""
    column = table.runs().c
    statements = [
        table.upsert("mssql"),
        table.used_bytes("mssql"),
        select(column.id, column.function).where(column.error.icontains("x", autoescape=True)).limit(20),
        table.runs().delete().where(column.number <= select(func.max(column.number) - 10).scalar_subquery()),
    ]
    check("statements.sql", ";\n".join(compiled(statement) for statement in statements))  # type: ignore[arg-type]


def test_the_schema() -> None:
    """All migrations as SQL Server's administrators would run them: Unicode everywhere, keys that can be indexed."""
    script = write_sql("mssql")
    check("schema.sql", script)
    assert not re.search(r"\b(NTEXT|TEXT|IMAGE)\b", script)
    keys = [int(size) for size in re.findall(r"\[?id\]? NVARCHAR\((\d+)\)", script)]
    assert keys
    assert max(keys) <= 450


def check(name: str, text: str) -> None:
    """Compare with what is kept."""
    golden = GOLDEN / name
    assert text.strip() == golden.read_text().strip(), f"look at the difference, then write it to {golden}"
