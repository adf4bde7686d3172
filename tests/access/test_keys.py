"""Which keys are strong, what opens what, and login codes."""

from __future__ import annotations

import hashlib
import secrets
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coflows_jupyter.access.keys import KeyRing, LoginCodes, estimate_bits, weakness
from coflows_jupyter.config import PUBLISHED_KEY

STRONG = "9f86d081884c7d659a2feaa0c55ad015"


def test_published_key_is_the_one_of_the_tutorial() -> None:
    """The key that every reader of the tutorial has is the MD5 digest of a known text."""
    assert hashlib.md5(b"QuantAppSecure_root", usedforsecurity=False).hexdigest() == PUBLISHED_KEY


@pytest.mark.parametrize("key", [PUBLISHED_KEY, PUBLISHED_KEY.upper()])
def test_published_key_is_never_strong(key: str) -> None:
    """The published key has enough bits by its looks, and still is refused."""
    assert "publishes" in weakness(key)


@pytest.mark.parametrize(
    "key", ["", "xxx", "secret", "correct horse battery", "a" * 64, "0123456789" * 3, STRONG[:31], "ab" * 32]
)
def test_weak_keys_have_a_reason(key: str) -> None:
    """Missing, short and repetitive keys are weak, and the reason names the setting."""
    assert "Server.SecretKey" in weakness(key)


@pytest.mark.parametrize("key", [STRONG, "6mXk2p9QvR7tYw3ZaB5cDe", "correct horse battery staple of mine"])
def test_keys_of_128_bits_are_strong(key: str) -> None:
    """32 hex digits, 22 letters and digits, or a long phrase will do."""
    assert not weakness(key)


@given(st.integers(16, 40).map(secrets.token_hex))
def test_random_keys_are_strong(key: str) -> None:
    """Whatever `coflows new` may draw is accepted."""
    assert not weakness(key)


@given(st.text(string.printable, max_size=200))
def test_more_characters_never_make_a_key_weaker(key: str) -> None:
    """The estimate grows with the key."""
    assert estimate_bits(key + key) >= estimate_bits(key)


def test_strong_key_opens_everything() -> None:
    """A SecretKey of one's own is the Lab token and valid in headers and URLs."""
    ring = KeyRing(STRONG, loopback=False)
    assert ring.secret == STRONG
    assert not ring.weakness
    assert ring.opens_lab(STRONG)
    assert all(ring.find(STRONG, place) for place in ("x-api-key", "header", "url"))


@pytest.mark.parametrize("key", [PUBLISHED_KEY, "short"])
def test_weak_key_is_a_header_on_loopback_and_nothing_else(key: str) -> None:
    """A weak key never opens Lab, and only the x-api-key header of a local client is heard."""
    local, public = KeyRing(key, loopback=True), KeyRing(key, loopback=False)
    assert local.weakness
    assert not local.opens_lab(key)
    assert local.find(key, "x-api-key")
    assert not local.find(key, "header")
    assert not local.find(key, "url")
    assert not public.find(key, "x-api-key")


def test_weak_key_is_replaced_by_a_random_one() -> None:
    """Each run draws its own, and it is strong."""
    one, other = KeyRing(PUBLISHED_KEY, loopback=True), KeyRing(PUBLISHED_KEY, loopback=True)
    assert one.secret != other.secret
    assert not weakness(one.secret)
    assert one.opens_lab(one.secret)
    assert not one.opens_lab(other.secret)


def test_missing_key_opens_nothing() -> None:
    """An empty candidate never matches, not even where the config has no key."""
    ring = KeyRing("", loopback=True)
    assert not ring.find("", "x-api-key")
    assert not ring.opens_lab("")
    assert not ring.holds("")


def test_session_key_opens_our_routes_but_not_lab() -> None:
    """What kernels get is no Lab token and has no place in a URL."""
    ring = KeyRing(STRONG, loopback=True)
    found = ring.find(ring.session, "header")
    assert found
    assert found.door == "notebook"
    assert not ring.find(ring.session, "url")
    assert not ring.opens_lab(ring.session)


def test_cookies_depend_on_the_key() -> None:
    """The same key keeps sessions over a restart, another one ends them; the material is not the key."""
    material = KeyRing(STRONG, loopback=True).cookie_material
    assert material == KeyRing(STRONG, loopback=False).cookie_material
    assert material != KeyRing(STRONG[::-1], loopback=True).cookie_material
    assert STRONG.encode() not in material


@given(st.text(), st.text())
def test_any_text_may_be_presented(key: str, candidate: str) -> None:
    """No candidate, however odd, raises; only the key itself is found."""
    ring = KeyRing(key, loopback=True)
    assert ring.holds(candidate) == (candidate in {ring.secret, ring.session} or (candidate == key and bool(key)))


def test_login_code_works_once() -> None:
    """A code that was used is void."""
    codes = LoginCodes()
    code = codes.issue()
    assert codes.redeem(code)
    assert not codes.redeem(code)
    assert not codes.redeem("")


def test_login_code_expires() -> None:
    """A code that was not used for its lifetime is void."""
    now = 1000.0
    codes = LoginCodes(lifetime=600, clock=lambda: now)
    early, late = codes.issue(), codes.issue()
    now += 599
    assert codes.redeem(early)
    now += 2
    assert not codes.redeem(late)
