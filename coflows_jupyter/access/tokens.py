"""Keys of people: random text that is shown once, of which the database has a salted hash.

A key has 256 random bits, so nobody can try them all and a fast hash is as good as a slow one.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import NamedTuple

from coflows_jupyter.access.permissions import Scope
from coflows_jupyter.errors import ArgumentsError, FieldError

PREFIX = "cfk_"

_FORM = re.compile(r"cfk_([0-9a-f]{12})_([0-9a-f]{64})")
_SCOPE = re.compile(r"(workflow|query|function|m):([^:]+?)(?::(r|w|rw))?")
_PARTS = {"workflow": 1, "query": 2, "function": 3}


class Minted(NamedTuple):
    """A new key: its text, and what the database keeps of it."""

    text: str
    id: str
    salt: str
    digest: str


def mint() -> Minted:
    """Make a key."""
    key_id, secret, salt = secrets.token_hex(6), secrets.token_hex(32), secrets.token_hex(16)
    return Minted(f"{PREFIX}{key_id}_{secret}", key_id, salt, digest(salt, secret))


def split(text: str) -> tuple[str, str] | None:
    """Return ID and secret part of a key's text, ``None`` when it has not the form of one."""
    found = _FORM.fullmatch(text)
    return (found[1], found[2]) if found else None


def digest(salt: str, secret: str) -> str:
    """Return what the database keeps of a key's secret part."""
    return hashlib.sha256(f"{salt}{secret}".encode()).hexdigest()


def matches(salt: str, expected: str, secret: str) -> bool:
    """Whether ``secret`` is the one that was hashed."""
    return hmac.compare_digest(digest(salt, secret), expected)


def parse_scope(text: str) -> Scope:
    """Return the scope that ``text`` means.

    Args:
        text: ``workflow:WID``, ``query:WID/QID``, ``function:WID/QID/FUNCTION`` or ``m:SET``, then ``:r`` (the default)
            or ``:w``.

    Raises:
        ArgumentsError: it has another form.
    """
    found = _SCOPE.fullmatch(text)
    if found is None or len(found[2].split("/")) != _PARTS.get(found[1], len(found[2].split("/"))):
        hint = "write workflow:WID, query:WID/QID, function:WID/QID/FUNCTION or m:SET, then :r or :w"
        raise ArgumentsError(f"{text!r} is no scope; {hint}", [FieldError("scopes", hint, text)])
    return Scope(found[1], found[2], "w" in (found[3] or ""))  # type: ignore[arg-type]  # one of the four kinds


def show_scope(scope: Scope) -> str:
    """Return a scope as people write it."""
    return f"{scope.kind}:{scope.target}:{'w' if scope.write else 'r'}"
