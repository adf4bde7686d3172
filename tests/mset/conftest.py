"""Stores of every kind, for tests that hold for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from coflows_jupyter.access.permissions import AccessType
from coflows_jupyter.mset.m import M
from coflows_jupyter.mset.model import Author
from coflows_jupyter.mset.place import Place, open_database
from coflows_jupyter.mset.store import MStore

OpenStore = Callable[[], MStore]


@pytest.fixture(params=["sqlite"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    """Return what opens one more store on the same sets, as another process would."""
    opened: list[MStore] = []

    def open_one() -> MStore:
        opened.append(open_database(tmp_path / "m.db"))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: OpenStore) -> MStore:
    """Return a store with no set in it."""
    return open_store()


def make(store: MStore, name: str = "prices", level: AccessType = AccessType.WRITE) -> M:
    """Return a set of ``store`` for somebody who has ``level`` on it."""
    return Place(lambda: store, lambda _: level, lambda: Author("ann", "run-1")).base(name)


@pytest.fixture
def m(store: MStore) -> M:
    """Return an empty set."""
    return make(store)


@pytest.fixture
def other(open_store: OpenStore) -> M:
    """Return the same set as another process has it."""
    return make(open_store())
