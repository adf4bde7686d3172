"""People, groups, keys and what was done to them, as the database, the REST API and the CLI have them.

Times are ISO 8601 in UTC; an empty one means never.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from coflows_jupyter.access.permissions import Scope
from coflows_jupyter.errors import ArgumentsError, FieldError
from coflows_jupyter.units import parse_duration

PACKAGE = "package"
TOKEN = "token"  # noqa: S105 - a kind of key


class User(msgspec.Struct, frozen=True):
    """A person; ``has_password`` says whether they can log in with one."""

    id: str
    email: str
    first_name: str
    last_name: str
    has_password: bool
    created: str
    disabled: bool


class Group(msgspec.Struct, frozen=True):
    """A group of people; ``parent`` is empty at the top."""

    id: str
    name: str
    description: str
    parent: str


class Member(msgspec.Struct, frozen=True):
    """What a person may in a group; ``source`` is ``package`` when ``Permissions`` of package.json says so."""

    user: str
    group: str
    level: int
    expires: str
    source: str


class KeyInfo(msgspec.Struct, frozen=True):
    """A key without its text; ``kind`` is ``token`` when a log-in made it."""

    id: str
    user: str
    name: str
    kind: str
    scopes: tuple[Scope, ...]
    created: str
    expires: str
    last_used: str
    revoked: str


class NewKey(msgspec.Struct, frozen=True):
    """A key that was just made; ``key`` is shown this once and kept nowhere."""

    key: str
    info: KeyInfo


class AuditEntry(msgspec.Struct, frozen=True):
    """Something that was done: by whom, from which address, to what."""

    number: int
    at: str
    actor: str
    address: str
    action: str
    target: str
    detail: str


class SecretInfo(msgspec.Struct, frozen=True):
    """A secret without its text."""

    name: str
    changed: str
    changed_by: str


class Actor(msgspec.Struct, frozen=True):
    """Who changes something, for the audit."""

    id: str
    address: str = ""


def now() -> str:
    """Return the current time as records have it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def timestamp(time: str) -> float:
    """Return a record's time in seconds since 1970, infinity for never."""
    return datetime.fromisoformat(time).timestamp() if time else float("inf")


def parse_expiry(text: str, field: str = "expires") -> str:
    """Return when something ends as records have it.

    Args:
        text: a duration from now (``90d``, ``12h``), a date or a time in ISO 8601, UTC when it names no zone; empty for
            never.
        field: what to call it in an error.

    Raises:
        ArgumentsError: it is none of these.
    """
    if not text:
        return ""
    try:
        return _moment(text).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError):
        hint = "write a duration like 90d or 12h, or a date like 2027-01-31"
        raise ArgumentsError(f"{field}: {text!r} is no time; {hint}", [FieldError(field, hint, text)]) from None


def _moment(text: str) -> datetime:
    try:
        seconds = parse_duration(text)
    except ValueError:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    return datetime.now(UTC) + timedelta(seconds=seconds)
