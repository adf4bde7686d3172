"""Secrets in text: masked as if the text came in one piece, whatever pieces it comes in."""

from __future__ import annotations

import json

from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretBytes, SecretStr

from coflows_jupyter.runtimes.masking import MASK, MaskedText, Masker, texts

# Few letters, so that secrets overlap, contain and begin one another.
WORDS = st.text("ab\n", min_size=4, max_size=8)


def test_spellings() -> None:
    """A secret is found as it is, in a repr, in JSON, and line by line."""
    secret = "pass\"wörd'\nsecond line"
    masker = Masker([secret])
    for text in (secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        assert masker.mask(f"<{text}>") == f"<{MASK}>"
    assert masker.mask("the second line only") == f"the {MASK} only"


def test_short_values_are_left_alone() -> None:
    """Masking every 1 would hide everything but the secret."""
    assert Masker(["1", "abc", ""]).mask("1 abc") == "1 abc"


def test_the_longer_of_two_secrets_is_meant() -> None:
    """No end of a longer secret is left behind a shorter one."""
    assert Masker(["token", "token-extended"]).mask("token-extended token") == f"{MASK} {MASK}"


def test_more_secrets_may_come() -> None:
    """What is added is masked from then on."""
    masker = Masker(["first"])
    text = MaskedText(masker)
    assert text.feed("first second\n") == f"{MASK} second\n"
    masker.add(["second"])
    assert text.feed("first second\n") == f"{MASK} {MASK}\n"


def test_only_what_may_be_a_secret_is_held_back() -> None:
    """Other output is seen at once."""
    text = MaskedText(Masker(["hunter2"]))
    assert text.feed("loading … hun") == "loading … "
    assert text.feed("dred") == "hundred"
    assert text.feed("hunter") == ""
    assert text.feed("2!") == f"{MASK}!"
    assert text.feed("hunt") == ""
    assert text.end() == "hunt"


@given(st.lists(WORDS, min_size=1, max_size=3), st.lists(st.text("ab\n", max_size=6), max_size=8))
@example(["xyab", "ab12"], ["xyab", "12"])
@example(["aaaa"], ["aaa", "aaa", "aa"])
def test_pieces_make_no_difference(secrets: list[str], pieces: list[str]) -> None:
    """However a text is cut, what comes out is what masking the whole gives, and no secret is in it."""
    masker = Masker(secrets)
    text = MaskedText(masker)
    passed = "".join(map(text.feed, pieces)) + text.end()
    assert passed == masker.mask("".join(pieces))
    assert not any(secret in passed for secret in secrets)


def test_texts_of_arguments() -> None:
    """Secrets are found in containers, and opened."""
    value = {"a": SecretStr("one"), "b": [SecretBytes(b"two"), 3], "c": None, "d": True}
    assert list(texts(value)) == ["one", "two", "3"]
