"""Values of M sets as text, and what happens to them."""

from __future__ import annotations

import hashlib
import os
import time
from typing import Any, Literal, NamedTuple
from uuid import UUID

import msgspec

from coflows_jupyter.errors import ArgumentsError, FieldError, NotAcceptableError
from coflows_jupyter.jsonform import to_json

Op = Literal["add", "exchange", "remove", "put", "clear"]
Reason = Literal["", "duplicate", "absent", "changed"]

LONGEST_ID = 200

_VERSION, _VARIANT = 7 << 76, 2 << 62


class Text(NamedTuple):
    """A value as it is stored.

    Args:
        value: JSON.
        tag: the same for equal values, whatever the order of their fields: 32 hex digits.
    """

    value: str
    tag: str


class Change(NamedTuple):
    """Something to do to one entry of a set.

    Args:
        op: ``put`` adds or exchanges, whichever it takes; ``clear`` removes everything and names no entry.
        entry: its ID; empty means the entry whose value has the tag ``expected``.
        text: the value to add or to put in place.
        expected: tag of the value that must be there; empty lets any.
    """

    op: Op
    entry: str = ""
    text: Text = Text("", "")
    expected: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """What became of a ``Change``.

    Args:
        entry: ID of the entry that was changed, or that stands in the way; empty when there is none.
        reason: empty when it was done; ``duplicate``: an equal value is there already; ``absent``: there is no such
            entry; ``changed``: its value is no longer the expected one.
    """

    entry: str
    reason: Reason = ""

    @property
    def done(self) -> bool:
        """Whether it was done."""
        return not self.reason


class Author(NamedTuple):
    """Who changes a set.

    Args:
        actor: ID of the caller.
        run: ID of the run in which it happens, empty outside of one.
        attempt: which attempt of an Agent's run; 0 for others, which nobody gives up.
    """

    actor: str = ""
    run: str = ""
    attempt: int = 0


class Entry(NamedTuple):
    """An entry as it is stored; ``number`` orders entries by age."""

    number: int
    id: str
    value: str


class Logged(NamedTuple):
    """A row of the change log; ``op`` is ``add``, ``exchange``, ``remove`` or ``clear``.

    Args:
        seq: ascends with every change of the database, and within a set in the order of commits.
        op: what happened.
        entry: to which entry; empty for ``clear``.
        value: JSON of the new value; for ``remove`` the one that was there; empty for ``clear``.
        run: ID of the run that did it, empty when none did.
        actor: ID of who did it.
        at: when, ISO 8601 in UTC.
    """

    seq: int
    op: Op
    entry: str
    value: str
    run: str
    actor: str
    at: str


class Page(NamedTuple):
    """A piece of the change log.

    Args:
        changes: in order.
        seq: where to go on from.
        reset: what was asked for is not kept any more: the set must be read anew.
    """

    changes: list[Logged]
    seq: int
    reset: bool = False


class Event(msgspec.Struct, frozen=True):
    """A change as user code, the REST API and the command give it.

    Args:
        seq: ascends from change to change; a reader goes on after it.
        op: ``add``, ``exchange``, ``remove`` or ``clear`` (of the whole set).
        entry: ID of the entry; empty for ``clear``.
        value: the new value; for ``remove`` the one that was there.
        run: ID of the run that did it, empty when none did.
        actor: ID of who did it.
        at: when, ISO 8601 in UTC.
    """

    seq: int
    op: Op
    entry: str
    value: Any
    run: str
    actor: str
    at: str


class SetInfo(msgspec.Struct, frozen=True):
    """A set and the number of its entries."""

    id: str
    entries: int


def encode(value: Any) -> Text:
    """Return a value as it is stored.

    Raises:
        ArgumentsError: it has no JSON form, or is ``None``.
    """
    if value is None:
        raise ArgumentsError("None can't be an entry of an M set", [FieldError("value", "is missing")])
    try:
        text = to_json(value)
        # Fields may come in any order, which is no reason to have a value twice.
        canonical = to_json(decode(text), ordered=True) if b"{" in text else text
    except NotAcceptableError as error:
        message = str(error).replace("the result", "the value")
        raise ArgumentsError(message, [FieldError("value", message)]) from None
    return Text(text.decode(), hashlib.blake2b(canonical, digest_size=16).hexdigest())


decode = msgspec.json.Decoder().decode


def event(logged: Logged) -> Event:
    """Return a change with its value decoded."""
    seq, op, entry, value, run, actor, at = logged
    return Event(seq, op, entry, decode(value) if value else None, run, actor, at)


def new_id() -> str:
    """Return a new GUID; later ones sort after earlier ones, which keeps indexes small (RFC 9562, version 7)."""
    random = int.from_bytes(os.urandom(10), "big")
    moment = time.time_ns() // 1_000_000
    number = moment << 80 | _VERSION | (random >> 68) << 64 | _VARIANT | random & ((1 << 62) - 1)
    return str(UUID(int=number))


def check_id(what: str, name: str) -> str:
    """Return ``name`` if it can be the ID of a set or an entry.

    Raises:
        ArgumentsError: it is empty, too long or no text.
    """
    text: object = name  # user code gives what it likes
    if not isinstance(text, str) or not 0 < len(text) <= LONGEST_ID:
        message = f"is a text of 1 to {LONGEST_ID} characters"
        raise ArgumentsError(f"the ID of {what} {message}", [FieldError("id", message)])
    return name
