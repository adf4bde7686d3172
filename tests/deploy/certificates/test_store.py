"""Certificates in each kind of database."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from coflows_jupyter.access.secrets import KEY_VARIABLE
from coflows_jupyter.database.connection import Database
from coflows_jupyter.deploy.certificates.state import State
from coflows_jupyter.deploy.certificates.store import LEASE_SECONDS, Row, Store, make_owner

HOST, DIRECTORY = "app.example.com", "https://ca.example.com/directory"
ACCOUNT = State({"accounts/a/private_key.json": '{"kty": "RSA", "n": "AQAB", "e": "AQAB"}'})
CERTIFICATE = State({**ACCOUNT.files, "live/coflows/fullchain.pem": "chain", "live/coflows/privkey.pem": "secret key"})


@pytest.fixture(autouse=True)
def _own_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, str(tmp_path / "secrets.key"))


def test_one_asks_and_all_have_it(database: Database) -> None:
    """Of two servers one has the lease until it ends it; the other reads what came of it, key included."""
    first, second = (Store(HOST, DIRECTORY, owner) for owner in ("first", "second"))
    assert database.run(first.read) == Row()
    assert database.run(first.claim)
    assert not database.run(second.claim)
    database.run(lambda c: first.keep(c, ACCOUNT, checked=False))
    assert database.run(second.read).thumbprint == ACCOUNT.thumbprint
    assert not database.run(second.claim)
    database.run(lambda c: first.keep(c, CERTIFICATE, checked=True))
    row = database.run(second.read)
    assert second.open(row) == CERTIFICATE
    assert (row.chain, row.failures, row.lease_until) == ("chain", 0, 0)
    assert "secret key" not in row.sealed
    assert database.run(second.claim)
    database.run(second.release)
    assert database.run(first.claim)


def test_failures_and_other_authorities(database: Database) -> None:
    """A failure is kept until there is a certificate; each authority, like staging, has a row of its own."""
    store = Store(HOST, DIRECTORY, "me")
    database.run(store.claim)
    database.run(lambda c: store.fail(c, 2, 1e9, "no such name"))
    row = database.run(store.read)
    assert (row.failures, row.next_try, row.reason, row.lease_until) == (2, 10**9, "no such name", 0)
    assert database.run(Store(HOST, "https://staging.example.com/", "me").read) == Row()
    database.run(store.claim)
    database.run(lambda c: store.keep(c, CERTIFICATE, checked=True))
    assert database.run(store.read).reason == ""


def test_a_server_that_was_killed_is_not_waited_for(database: Database) -> None:
    """A lease of a process of this computer ends with it; one of another computer lasts its time."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    killed, next_one = (Store(HOST, DIRECTORY, make_owner(pid)) for pid in (process.pid, os.getpid()))
    try:
        assert database.run(killed.claim)
        assert not database.run(next_one.claim)
    finally:
        process.kill()
        process.communicate()
    assert database.run(next_one.claim)
    other_host = "other.example.com"
    assert database.run(Store(other_host, DIRECTORY, "a1b2 elsewhere 7 7").claim)
    assert not database.run(Store(other_host, DIRECTORY, make_owner(os.getpid())).claim)


def test_who_lost_the_lease_changes_nothing(
    open_database: Callable[..., Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that comes back after its lease does not overwrite what the next one got."""
    database = open_database()
    slow, quick = Store(HOST, DIRECTORY, "slow"), Store(HOST, DIRECTORY, "quick")
    assert database.run(slow.claim)
    later = time.time() + LEASE_SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert database.run(quick.claim)
    database.run(lambda c: quick.keep(c, CERTIFICATE, checked=True))
    database.run(lambda c: slow.fail(c, 1, later, "too late"))
    assert database.run(quick.read).reason == ""
