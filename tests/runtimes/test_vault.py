"""`secret("NAME")` in user code: how it asks, and what its text does."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

from coflows_jupyter.runtimes import vault
from coflows_jupyter.runtimes.vault import SecretText, Vault, secret


def answering(texts: dict[str, str]) -> Vault:
    """Return a vault whose questions are answered from another thread, as a host's are."""
    server = ThreadPoolExecutor(1)
    made: Vault

    def ask(number: int, name: str) -> None:
        problem = "" if name in texts else f"there is no secret {name}"
        server.submit(made.told, number, texts.get(name, ""), problem)

    made = Vault(ask)
    return made


def test_its_text_is_one_to_everybody_but_repr() -> None:
    """Libraries take it as any text; what prints values for people does not show it."""
    text = SecretText("the text", "NAME")
    assert isinstance(text, str)
    assert (text, f"{text}", "%s" % text, text + "!") == ("the text", "the text", "the text", "the text!")  # noqa: UP031
    assert text.encode() == b"the text"
    assert repr({"a": [text]}) == "{'a': [<secret NAME>]}"
    assert f"{text!r}" == "<secret NAME>"
    copy = pickle.loads(pickle.dumps(text))  # noqa: S301
    assert (type(copy), copy) == (str, "the text")


def test_answers_go_to_their_questions() -> None:
    """Many threads ask at once, and each gets its own."""
    texts = {f"S{number}": f"text {number}" for number in range(100)}
    with vault.at(answering(texts)), ThreadPoolExecutor(16) as threads:
        inside = vault._inside.get()
        assert inside is not None
        assert list(threads.map(inside.get, texts)) == list(texts.values())


def test_what_was_asked_for_is_masked_from_then_on() -> None:
    """In whatever this process prints outside of calls, too."""
    with vault.at(answering({"NAME": "some long text"})):
        assert vault.hide("some long text") == "some long text"
        secret("NAME")
        assert vault.hide("it is some long text!") == "it is ***!"


def test_a_vault_is_seen_where_it_was_entered_only() -> None:
    """Two Workflows in one process do not see each other's."""
    with vault.at(answering({"NAME": "of the first"})):
        assert secret("NAME") == "of the first"
        with vault.at(answering({})), pytest.raises(LookupError, match="there is no secret NAME"):
            secret("NAME")
        assert secret("NAME") == "of the first"


def test_without_a_host_there_are_none() -> None:
    """And the sentence says what to do in a notebook."""
    with pytest.raises(LookupError, match="%load_ext coflows_jupyter"):
        secret("NAME")


def test_a_server_that_does_not_answer_is_no_endless_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """The function fails with a sentence, and a late answer disturbs nobody."""
    monkeypatch.setattr(vault, "WAIT_SECONDS", 0.01)
    asked: list[int] = []
    silent = Vault(lambda number, _name: asked.append(number))
    with pytest.raises(LookupError, match="did not tell"):
        silent.get("NAME")
    silent.told(asked[0], "late", "")
    assert not silent.masker
