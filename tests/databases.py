"""Every kind of database that can run here, as a fixture: what is tested with it is tested on each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from coflows_jupyter.database.connection import Database
from coflows_jupyter.database.location import Location


@pytest.fixture(params=["sqlite", "postgres"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    """Return an empty database of each kind."""
    if request.param == "sqlite":
        return Location.at(tmp_path / "own.db")
    return Location.parse("postgres", request.getfixturevalue("postgres_url"))


@pytest.fixture
def open_database(location: Location) -> Iterator[Callable[..., Database]]:
    """Return what opens the database, as often as wanted; each is closed at the end."""
    opened: list[Database] = []

    def open_one(**options: float) -> Database:
        opened.append(Database(location, **options))  # type: ignore[arg-type]  # as the test says
        return opened[-1]

    yield open_one
    for database in opened:
        database.close()


@pytest.fixture
def database(open_database: Callable[..., Database]) -> Database:
    """Return the database, opened."""
    return open_database()
