"""Revisions in the database, on every kind of it that runs here."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, func, select

from coflows_jupyter.access.records import Actor
from coflows_jupyter.database.connection import Database
from coflows_jupyter.database.location import Location
from coflows_jupyter.deploy import revisions
from coflows_jupyter.deploy.revisions import KEPT, PIECE, Accepted, Revision
from coflows_jupyter.errors import ConflictError, NotFoundError

ACTOR = Actor("ada@example.com", "127.0.0.1")


def bundle(number: int, data: bytes = b"zip") -> Accepted:
    """Return something to accept."""
    return Accepted("Sample", f"{number:064x}", "mnt", 3, data)


def deploy(database: Database, number: int, data: bytes = b"zip", workflow: str = "W") -> Revision:
    """Let a bundle be accepted."""

    def work(connection: Connection) -> Revision:
        got = revisions.begin(connection, workflow, ACTOR)
        return revisions.accept(connection, workflow, got, ACTOR, bundle(number, data))

    return database.run(work)


def test_what_was_accepted_is_given_back(database: Database) -> None:
    """The newest revision says who, what and when, and its bundle is the same to the byte, however long."""
    data = os.urandom(2 * PIECE + 7)
    assert deploy(database, 1).number == 1
    second = deploy(database, 2, data)
    other = deploy(database, 3, b"other", "V")
    found = database.run(revisions.newest)
    assert sorted(found, key=lambda revision: revision.workflow) == [other, second]
    assert (second.number, second.by, second.state, second.size) == (2, ACTOR.id, "accepted", len(data))
    assert database.run(lambda connection: revisions.read_bundle(connection, second.digest)) == data


def test_one_at_a_time(database: Database) -> None:
    """Who deploys keeps everybody else out until it is accepted, failed, or its server is lost."""
    first = database.run(lambda c: revisions.begin(c, "W", ACTOR))
    with pytest.raises(ConflictError, match="is deploying the Workflow"):
        database.run(lambda c: revisions.begin(c, "W", ACTOR))
    assert database.run(lambda c: revisions.begin(c, "V", ACTOR)) == 1
    database.run(lambda c: revisions.fail(c, "W", first, "it does not build"))
    second = deploy(database, 1)
    history = database.run(lambda c: revisions.history(c, "W"))
    assert [(r.number, r.state, r.reason) for r in history] == [(2, "accepted", ""), (1, "failed", "it does not build")]
    assert database.run(revisions.newest) == [second]
    with pytest.raises(ConflictError):
        database.run(lambda c: revisions.accept(c, "W", first, ACTOR, bundle(9)))


def test_a_lost_server_is_waited_for_only_so_long(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease that nobody renews ends, and the revision counts as failed."""
    monkeypatch.setattr(revisions, "LEASE_SECONDS", -1.0)
    lost = database.run(lambda c: revisions.begin(c, "W", ACTOR))
    monkeypatch.undo()
    assert database.run(lambda c: revisions.find(c, "W", lost)).state == "failed"
    second = database.run(lambda c: revisions.begin(c, "W", ACTOR))
    assert second == lost + 1
    database.run(lambda c: revisions.renew(c, "W", second))


def test_two_servers_do_not_take_one_number(open_database: Callable[..., Database]) -> None:
    """Of those who begin at once one goes on."""
    databases = [open_database() for _ in range(4)]
    databases[0].run(revisions.newest)

    def begin(database: Database) -> int:
        try:
            return database.run(lambda connection: revisions.begin(connection, "W", ACTOR))
        except ConflictError:
            return 0

    with ThreadPoolExecutor() as pool:
        assert sorted(pool.map(begin, databases)) == [0, 0, 0, 1]


def test_old_bundles_are_forgotten(database: Database) -> None:
    """The latest can be rolled back to; a bundle goes with its last revision."""
    from coflows_jupyter.deploy.tables import BUNDLES

    for number in range(1, KEPT + 3):
        deploy(database, number)
    again = deploy(database, 3)
    history = database.run(lambda c: revisions.history(c, "W"))
    assert len(history) == KEPT
    assert history[0] == again
    held = database.run(lambda c: c.execute(select(func.count(BUNDLES.c.digest.distinct()))).scalar_one())
    assert held == len({revision.digest for revision in history})
    with pytest.raises(NotFoundError, match="not kept"):
        database.run(lambda c: revisions.read_bundle(c, bundle(1).digest))


def test_what_served_before_is_found(database: Database) -> None:
    """Back means the bundle before the present one, or the one that was removed."""
    with pytest.raises(NotFoundError):
        database.run(lambda c: revisions.before(c, "W"))
    first, _ = deploy(database, 1), deploy(database, 2)
    assert database.run(lambda c: revisions.before(c, "W")) == first
    second = deploy(database, 2)
    assert database.run(lambda c: revisions.before(c, "W")) == first
    database.run(lambda c: revisions.remove(c, "W", ACTOR))
    assert [r.state for r in database.run(revisions.newest)] == ["removed"]
    assert database.run(lambda c: revisions.before(c, "W")) == second


def test_a_start_need_not_open_a_database_without_revisions(database: Database, location: Location) -> None:
    """A look at a SQLite file says whether there is anything to read; of a server one has to ask."""
    assert revisions.may_have_any(location) is (location.file is None)
    database.run(revisions.newest)
    assert revisions.may_have_any(location) is (location.file is None)
    deploy(database, 1)
    assert revisions.may_have_any(location)
