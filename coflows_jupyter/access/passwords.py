"""Passwords: hashed with argon2, checked off the loop, and not checked at all while somebody guesses."""

from __future__ import annotations

import asyncio
import hashlib
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from coflows_jupyter.access import accounts, journal
from coflows_jupyter.access.directory import Directory
from coflows_jupyter.access.records import Actor
from coflows_jupyter.errors import ArgumentsError, DeniedError, FieldError, ThrottledError

SHORTEST = 10
_LONGEST = 1024
# Before the argon2 hash of a password's MD5.
_MD5 = "md5+"
# Each check takes 64 MiB for a moment: who sends many at once waits in line.
_workers = ThreadPoolExecutor(2, "coflows-password")
_FREE_FAILURES = 3
_LONGEST_WAIT = 60.0
_FORGET_SECONDS = 3600.0
_MOST_REMEMBERED = 10_000


def check_form(password: str) -> None:
    """Refuse what can't be a password.

    Raises:
        ArgumentsError: it is too short or too long.
    """
    if not SHORTEST <= len(password) <= _LONGEST:
        raise ArgumentsError(
            f"a password has {SHORTEST} to {_LONGEST} characters",
            [FieldError("password", f"has {SHORTEST} to {_LONGEST} characters")],
        )


def hash_now(password: str) -> str:
    """Return what the database keeps of a password.

    Raises:
        ArgumentsError: it is too short or too long.
    """
    from argon2 import PasswordHasher

    check_form(password)
    return PasswordHasher().hash(password)


def hash_md5(digest: str) -> str:
    """Return what the database keeps of a password of which only the original's hex MD5 is known."""
    from argon2 import PasswordHasher

    return _MD5 + PasswordHasher().hash(digest.lower())


async def hash_password(password: str) -> str:
    """Do what ``hash_now`` does on a thread."""
    check_form(password)
    return await asyncio.get_running_loop().run_in_executor(_workers, hash_now, password)


def _matches(hashed: str, password: str) -> bool:
    """Whether a password is the one that was hashed; as slow when there is none, so that nobody learns who exists."""
    from argon2 import PasswordHasher
    from argon2.exceptions import Argon2Error, InvalidHashError

    hasher = PasswordHasher()
    if hashed.startswith(_MD5):
        hashed = hashed.removeprefix(_MD5)
        password = hashlib.md5(password.encode(), usedforsecurity=False).hexdigest()
    try:
        return hasher.verify(hashed or _nobodys(), password)
    except (Argon2Error, InvalidHashError):
        return False


_nobodys_hash: list[str] = []


def _nobodys() -> str:
    if not _nobodys_hash:
        _nobodys_hash.append(hash_now(secrets.token_hex(16)))
    return _nobodys_hash[0]


class Throttle:
    """Counts failures by name, and says how long that name has to wait.

    The first failures are free; each further one doubles the wait, up to a minute.

    Args:
        clock: seconds that only go up.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait(self, name: str) -> float:
        """Return the seconds until ``name`` may try again."""
        count, last = self._failures.get(name, (0, 0.0))
        if count <= _FREE_FAILURES:
            return 0.0
        until = last + min(2.0 ** (count - _FREE_FAILURES - 1), _LONGEST_WAIT)
        return max(0.0, until - self._clock())

    def fail(self, name: str) -> None:
        """Take a failure of ``name``."""
        count, last = self._failures.pop(name, (0, 0.0))
        now = self._clock()
        self._failures[name] = (1 if now - last > _FORGET_SECONDS else count + 1, now)
        while len(self._failures) > _MOST_REMEMBERED:
            self._failures.popitem(last=False)

    def succeed(self, name: str) -> None:
        """Forget the failures of ``name``."""
        self._failures.pop(name, None)


class Doorkeeper:
    """Checks passwords, and lets nobody try many; of accounts and of addresses alike.

    Args:
        throttle: counts failures.
    """

    def __init__(self, throttle: Throttle | None = None) -> None:
        self._throttle = throttle or Throttle()

    def admit(self, user: str, address: str) -> None:
        """Refuse who failed too often a moment ago.

        Raises:
            ThrottledError: that is so.
        """
        wait = max(self._throttle.wait(name) for name in self._names(user, address))
        if wait > 0:
            seconds = math.ceil(wait)
            raise ThrottledError(f"too many wrong passwords; try again in {seconds} s", seconds)

    def fail(self, user: str, address: str) -> None:
        """Take a failure."""
        for name in self._names(user, address):
            self._throttle.fail(name)

    async def check(self, directory: Directory, user: str, password: str, address: str) -> str:
        """Return the ID of the account that ``user`` and ``password`` open.

        Raises:
            DeniedError: they open none.
            ThrottledError: too many were wrong.
        """
        self.admit(user, address)
        # Counted before it is known: many at once must not all be free.
        self.fail(user, address)
        found, hashed, disabled = await directory.ask(lambda c: accounts.password_of(c, user))
        loop = asyncio.get_running_loop()
        right = await loop.run_in_executor(_workers, _matches, hashed, password[:_LONGEST])
        actor = Actor(found or user, address)
        if not right or disabled:
            await directory.ask(lambda c: journal.record(c, actor, "login.fail", found or user))
            raise DeniedError("user and password do not fit")
        for name in self._names(user, address):
            self._throttle.succeed(name)
        if hashed.startswith(_MD5) and len(password) >= SHORTEST:
            better = await hash_password(password)
            await directory.ask(lambda c: accounts.keep_hash(c, found, better))
        await directory.ask(lambda c: journal.record(c, actor, "login", found))
        return found

    @staticmethod
    def _names(user: str, address: str) -> tuple[str, str]:
        return f"user {user.lower()[:250]}", f"address {address}"
