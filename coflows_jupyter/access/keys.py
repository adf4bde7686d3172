"""Which keys open a running server, where each of them may be presented, and one-time login codes.

A key that anybody can know or guess must never open Lab: a request with the Lab token skips Jupyter's origin and XSRF
checks, so with such a key any web page could start a kernel. ``KeyRing`` therefore replaces a published, short or
missing SecretKey by a random one for the run.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
import string
import time
from collections.abc import Callable
from typing import Literal

import msgspec

from coflows_jupyter.access.permissions import Door
from coflows_jupyter.config import PUBLISHED_KEY

Place = Literal["x-api-key", "header", "url"]

MINIMUM_BITS = 128

_ALPHABETS = (string.digits, string.ascii_lowercase, string.ascii_uppercase, string.punctuation + " ")
_HEX_DIGITS = (frozenset(string.digits + "abcdef"), frozenset(string.digits + "ABCDEF"))
_FEWEST_CHARACTERS = 8

_HEADERS: frozenset[Place] = frozenset({"x-api-key", "header"})
_ANYWHERE: frozenset[Place] = _HEADERS | {"url"}


def estimate_bits(key: str) -> float:
    """Estimate how many bits it takes to guess ``key``: length times the bits of the alphabet that it seems drawn from.

    A key of few different characters counts as a repetition, which gives nothing.
    """
    characters = set(key)
    if len(characters) < _FEWEST_CHARACTERS:
        return 0.0
    if any(characters <= digits for digits in _HEX_DIGITS):
        size = 10 if characters <= set(string.digits) else 16
    else:
        size = sum(len(alphabet) for alphabet in _ALPHABETS if characters & set(alphabet))
        size += len(characters - set("".join(_ALPHABETS)))
    return len(key) * math.log2(size)


def weakness(key: str) -> str:
    """Say why ``key`` can't be a SecretKey; empty when it can."""
    if not key:
        return "there is no Server.SecretKey"
    if key.lower() == PUBLISHED_KEY:
        return "Server.SecretKey is the one that the tutorial publishes"
    if estimate_bits(key) < MINIMUM_BITS:
        return f"Server.SecretKey can be guessed (it has less than {MINIMUM_BITS} bits, e.g. 32 random hex digits)"
    return ""


class Key(msgspec.Struct, frozen=True):
    """A key that opens the server.

    Args:
        secret: the key itself.
        places: where it may be presented.
        door: what its bearer came through when it does not say.
    """

    secret: bytes
    places: frozenset[Place]
    door: Door = "http"


class KeyRing:
    """The keys of one run.

    Args:
        secret_key: ``Server.SecretKey`` of the configuration, empty when there is none.
        loopback: whether the server listens on a loopback address only; a published or guessable key is of use only
            there, and only in the ``x-api-key`` header, which no other site's page can send.

    Attributes:
        secret: the effective key: the SecretKey, or a random one in its place.
        session: a further random key for the kernels and terminals that this server starts.
        weakness: why the SecretKey was replaced, empty when it was not.
    """

    def __init__(self, secret_key: str, *, loopback: bool) -> None:
        self.weakness = weakness(secret_key)
        self.secret = secrets.token_hex(32) if self.weakness else secret_key
        self.session = secrets.token_hex(32)
        self._keys = [
            Key(self.secret.encode(), _ANYWHERE),
            Key(self.session.encode(), _HEADERS, "notebook"),
        ]
        if self.weakness and secret_key and loopback:
            self._keys.append(Key(secret_key.encode(), frozenset({"x-api-key"})))

    def find(self, candidate: str, place: Place) -> Key | None:
        """Return the key that ``candidate`` is, if it is valid at ``place``; takes equally long for every candidate."""
        given = candidate.encode("utf-8", "replace")
        found = None
        for key in self._keys:
            if hmac.compare_digest(key.secret, given) and place in key.places:
                found = key
        return found

    def holds(self, candidate: str) -> bool:
        """Whether ``candidate`` is a key of this run at any place, so must not be passed on."""
        given = candidate.encode("utf-8", "replace")
        return sum(hmac.compare_digest(key.secret, given) for key in self._keys) > 0

    def opens_lab(self, candidate: str) -> bool:
        """Whether ``candidate`` is the key of Lab."""
        return hmac.compare_digest(self.secret.encode(), candidate.encode("utf-8", "replace"))

    @property
    def cookie_material(self) -> bytes:
        """What belongs into the secret that signs login cookies, so that a new key ends all sessions of the old one."""
        return hashlib.sha256(b"coflows login cookie\0" + self.secret.encode()).digest()


class LoginCodes:
    """Codes that log a browser in once, so that no printed URL carries the key.

    Args:
        lifetime: seconds until an unused code is void.
        clock: seconds that only go up.
    """

    def __init__(self, lifetime: float = 600.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._lifetime = lifetime
        self._clock = clock
        self._expiry: dict[bytes, float] = {}

    def issue(self) -> str:
        """Return a new code."""
        self._drop_expired()
        code = secrets.token_urlsafe(24)
        self._expiry[_digest(code)] = self._clock() + self._lifetime
        return code

    def redeem(self, code: str) -> bool:
        """Whether ``code`` is valid; it no longer is afterwards."""
        self._drop_expired()
        # Looked up by digest: how long that takes says nothing about the code.
        return self._expiry.pop(_digest(code), None) is not None

    def _drop_expired(self) -> None:
        now = self._clock()
        self._expiry = {code: expiry for code, expiry in self._expiry.items() if expiry > now}


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode("utf-8", "replace")).digest()
