"""``secret("NAME")``: texts that user code needs and nobody else may see."""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol, Self
from weakref import WeakSet

from coflows_jupyter.runtimes.masking import Masker

WAIT_SECONDS = 10.0

OWNER = "owner:"
"""Begins the question whether a key is the SecretKey; its ``key_digest`` follows. No secret has a name with a colon."""


class SecretText(str):
    """The text of a secret: a ``str`` to every library, but its ``repr`` does not show it."""

    __slots__ = ("_name",)
    _name: str

    def __new__(cls, text: str, name: str) -> Self:
        """Make the text of the secret ``name``."""
        made = super().__new__(cls, text)
        made._name = name
        return made

    def __repr__(self) -> str:
        return f"<secret {self._name}>"

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        """Be pickled as the text that it is: another process has no vault."""
        return str, (str(self),)


class Vault:
    """Asks the server for secrets of one Workflow, and knows what to mask.

    Args:
        ask: sends a question's number and a secret's name.

    Attributes:
        masker: hides all secrets that were asked for so far.
    """

    def __init__(self, ask: Callable[[int, str], None]) -> None:
        self.masker = Masker()
        self._ask = ask
        self._numbers = itertools.count(1)
        self._waiting: dict[int, _Answer] = {}
        _vaults.add(self)

    def get(self, name: str) -> str:
        """Return a secret.

        Raises:
            LookupError: there is none, or it can't be read.
        """
        if name.startswith(OWNER):
            raise LookupError(f"{name!r} can't be the name of a secret")
        text = self._answer(name)
        self.masker.add([text])
        return SecretText(text, name)

    def is_owner(self, key: str) -> bool:
        """Whether a key is the server's SecretKey, which the server never tells."""
        try:
            return bool(self._answer(OWNER + key_digest(key)))
        except LookupError:
            return False

    def _answer(self, name: str) -> str:
        number, answer = next(self._numbers), _Answer()
        self._waiting[number] = answer
        try:
            self._ask(number, name)
            if not answer.there.wait(WAIT_SECONDS):
                raise LookupError(f"the server did not tell the secret {name} within {WAIT_SECONDS:g} s")
        finally:
            del self._waiting[number]
        if answer.problem:
            raise LookupError(answer.problem)
        return answer.text

    def told(self, number: int, text: str, problem: str) -> None:
        """Take the answer to a question."""
        answer = self._waiting.get(number)
        if answer is not None:
            answer.text, answer.problem = text, problem
            answer.there.set()


class _Answer:
    def __init__(self) -> None:
        self.there = threading.Event()
        self.text = ""
        self.problem = ""


class Teller(Protocol):
    """Knows secrets, as a ``Vault`` does."""

    def get(self, name: str) -> str:
        """See ``Vault.get``."""


_vaults: WeakSet[Vault] = WeakSet()
_inside: ContextVar[Vault | None] = ContextVar("coflows_vault", default=None)
_settled: list[Teller] = []


@contextmanager
def at(vault: Vault) -> Iterator[None]:
    """Let code in this context have the secrets of ``vault``."""
    token = _inside.set(vault)
    try:
        yield
    finally:
        _inside.reset(token)


def enter(vault: Vault) -> None:
    """Let this context have the secrets of ``vault`` from now on."""
    _inside.set(vault)


def settle(teller: Teller) -> None:
    """Let the whole process have them, also threads that belong to no call."""
    _settled[:] = [teller]


def _teller() -> Teller | None:
    return _inside.get() or next(iter(_settled), None)


def is_owner(key: str) -> bool:
    """Whether a key is the SecretKey of the server whose host this is; nobody's is it elsewhere."""
    teller = _teller()
    return isinstance(teller, Vault) and teller.is_owner(key)


def key_digest(key: str) -> str:
    """Return what stands for a key where that itself is not to be told."""
    return hashlib.sha256(b"coflows owner\0" + key.encode("utf-8", "replace")).hexdigest()


def hide(text: str) -> str:
    """Return ``text`` without any secret that code in this process asked for."""
    for vault in list(_vaults):
        if vault.masker:
            text = vault.masker.mask(text)
    return text


def secret(name: str) -> str:
    """Return a secret of the Workflow, which ``coflows secret set NAME`` keeps.

    It is masked in what the call prints and logs, in its errors and tracebacks; what the function returns is its own.
    In a notebook its ``repr`` does not show it, and nothing is masked.

    Args:
        name: as it was set.

    Raises:
        LookupError: there is none of this name, it may not be told, or this code runs in no host and no notebook.
    """
    teller = _teller()
    if teller is None:
        message = "secrets are told to functions of the Workflow and to notebooks"
        raise LookupError(f"{message}; in a notebook: %load_ext coflows_jupyter")
    return teller.get(name)
