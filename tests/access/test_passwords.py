"""Passwords: who opens an account with one, and who is kept from guessing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from coflows_jupyter.access import accounts, journal
from coflows_jupyter.access.directory import Directory
from coflows_jupyter.access.passwords import Doorkeeper, Throttle, hash_now, hash_password
from coflows_jupyter.access.records import Actor
from coflows_jupyter.database.connection import Database
from coflows_jupyter.errors import ArgumentsError, DeniedError, ThrottledError

ME = Actor("root")
PASSWORD = "correct horse"


class Clock:
    """A clock that tests set."""

    now = 0.0

    def __call__(self) -> float:
        """Return what they set."""
        return self.now


def test_waits_grow_and_end() -> None:
    """A few mistakes are free; each further one doubles the wait, up to a minute; a success forgets them all."""
    clock = Clock()
    throttle = Throttle(clock)
    waits = []
    for _ in range(12):
        throttle.fail("x")
        waits.append(throttle.wait("x"))
    assert waits == [0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert throttle.wait("y") == 0
    clock.now += 60
    assert throttle.wait("x") == 0
    throttle.succeed("x")
    throttle.fail("x")
    assert throttle.wait("x") == 0


def test_old_failures_are_forgotten() -> None:
    """An hour later somebody begins anew."""
    clock = Clock()
    throttle = Throttle(clock)
    for _ in range(10):
        throttle.fail("x")
    clock.now += 3601
    throttle.fail("x")
    assert throttle.wait("x") == 0


def test_it_remembers_no_more_than_it_can_hold() -> None:
    """A flood of names costs a bounded amount of memory."""
    throttle = Throttle(Clock())
    for number in range(10_050):
        throttle.fail(str(number))
    assert len(throttle._failures) == 10_000


@pytest.mark.parametrize("password", ["", "too short", "x" * 1025])
def test_what_can_be_no_password_is_refused(password: str) -> None:
    """Before any work is spent on it."""
    with pytest.raises(ArgumentsError, match="10 to 1024"):
        hash_now(password)


def test_who_may_come_in(tmp_path: Path) -> None:
    """The right password of an open account, and nobody else; all of it is in the audit, no password is."""

    async def scenario() -> None:
        directory = Directory(Database(tmp_path / "people.db"))
        await directory.start()
        hashed = await hash_password(PASSWORD)
        await directory.do(lambda c: accounts.create_user(c, ME, "jane@doe.com", password=hashed))
        await directory.do(lambda c: accounts.create_user(c, ME, "keyonly"))
        door = Doorkeeper()
        assert await door.check(directory, "Jane@Doe.com", PASSWORD, "1.1.1.1") == "jane@doe.com"
        for user, password in (
            ("jane@doe.com", "wrong horse"),
            ("jane.doe.com", PASSWORD),
            ("keyonly", ""),
            ("nobody", PASSWORD),
            ("", ""),
            ("' OR 1=1 --", PASSWORD),
        ):
            with pytest.raises(DeniedError, match="do not fit"):
                await Doorkeeper().check(directory, user, password, "1.1.1.1")
        await directory.do(lambda c: accounts.update_user(c, ME, "jane@doe.com", disabled=True))
        with pytest.raises(DeniedError):
            await Doorkeeper().check(directory, "jane@doe.com", PASSWORD, "1.1.1.1")
        entries = await directory.ask(journal.list_audit)
        assert [e.action for e in entries].count("login.fail") == 7
        assert PASSWORD not in str(entries)
        assert "wrong horse" not in str(entries)
        await directory.close()

    asyncio.run(scenario())


def test_guessing_is_stopped_for_the_account_and_for_the_address(tmp_path: Path) -> None:
    """Also when all guesses come at once, from many addresses or for many accounts."""

    async def scenario() -> None:
        directory = Directory(Database(tmp_path / "people.db"))
        await directory.start()
        for user, address in (("jane", "1.1.1.{}"), ("user{}", "1.1.1.1")):
            door = Doorkeeper()
            tries = [door.check(directory, user.format(n), "wrong", address.format(n)) for n in range(20)]
            found = await asyncio.gather(*tries, return_exceptions=True)
            assert sum(isinstance(error, ThrottledError) for error in found) == 16
            assert sum(isinstance(error, DeniedError) for error in found) == 4
        await directory.close()

    asyncio.run(scenario())
