"""Takes over what a database of the original holds: people, groups, levels and M sets."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from coflows_jupyter.access import accounts, groups, passwords
from coflows_jupyter.access.records import Actor
from coflows_jupyter.database.connection import Database
from coflows_jupyter.database.location import Location
from coflows_jupyter.database.original import Original, OriginalEntry, OriginalMember, OriginalUser
from coflows_jupyter.errors import ArgumentsError, ConflictError, NotFoundError
from coflows_jupyter.mset.model import Author, Change, encode

if TYPE_CHECKING:
    from sqlalchemy import Connection

BATCH = 1000
IMPORT = "import"
_ACTOR = Actor(IMPORT)
_EVERYWHERE = frozenset({"root", "anonymous"})


class Adopted(msgspec.Struct):
    """What was taken over.

    Args:
        users: accounts that were made.
        groups: groups that were made.
        members: levels in groups that were given.
        sets: M sets that got entries.
        entries: entries that were added.
        known: entries that were there already, or whose value was.
        own: entries that the original kept for itself, which nobody needs here.
        left: what was not taken over, and why.
    """

    users: int = 0
    groups: int = 0
    members: int = 0
    sets: int = 0
    entries: int = 0
    known: int = 0
    own: int = 0
    left: list[str] = []


def adopt(location: Location, source: Location) -> Adopted:
    """Take over what ``source`` holds; what is here already stays, so it may be done again.

    Args:
        location: our database.
        source: the original's; it may be the same one, whose tables of the original stay as they are.

    Raises:
        ConfigError: one of the two can't be used.
        NotFoundError: there is no such file.
    """
    result = Adopted()
    with Original(source) as original:
        found = original.users()
        # Outside of the transaction: each takes a moment.
        hashes = {user.id: passwords.hash_md5(user.md5) if user.md5 else "" for user in found}
        database = Database(location)
        try:
            database.run(lambda connection: _people(connection, original, found, hashes, result))
        finally:
            database.close()
        _sets(location, original, result)
    return result


def _people(
    connection: Connection, original: Original, users: list[OriginalUser], hashes: dict[str, str], result: Adopted
) -> None:
    # Work may be called again, see Database.
    result.users = result.groups = result.members = 0
    result.left = []
    names = {user.id: user.email or user.id for user in users}
    for user in users:
        given = {"first_name": user.first_name, "last_name": user.last_name, "password": hashes[user.id]}
        with _leaving_out(result, f"user {names[user.id]}"):
            accounts.create_user(connection, _ACTOR, names[user.id], **given)
            result.users += 1
    for group in original.groups():
        given = {"name": group.name, "description": group.description, "parent": group.parent}
        with _leaving_out(result, f"group {group.name or group.id}"):
            groups.create_group(connection, _ACTOR, group.id, **given)
            result.groups += 1
    there = {(member.group, member.user) for member in groups.list_members(connection)}
    for member in original.members():
        name = names.get(member.user, member.user)
        if name in _EVERYWHERE or (member.group, name.lower()) in there:
            continue
        with _leaving_out(result, f"{name} in group {member.group}"):
            groups.set_member(connection, _ACTOR, member.group, name, member.level, _end(member))
            result.members += 1


@contextlib.contextmanager
def _leaving_out(result: Adopted, what: str) -> Iterator[None]:
    try:
        yield
    except ConflictError:
        # It is here already.
        pass
    except (ArgumentsError, NotFoundError) as error:
        result.left.append(f"{what}: {error}")


def _end(member: OriginalMember) -> str:
    if member.expires is None:
        raise ArgumentsError("its end can't be read")
    return member.expires


def _sets(location: Location, original: Original, result: Adopted) -> None:
    from coflows_jupyter.mset.place import open_database

    store = open_database(location)
    try:
        for name, entries in itertools.groupby(original.entries(), lambda entry: entry.set):
            before = result.entries
            changes = _changes(entries, result)
            while batch := list(itertools.islice(changes, BATCH)):
                outcomes = store.apply(name, batch, Author(IMPORT))
                done = sum(outcome.done for outcome in outcomes)
                result.entries += done
                result.known += len(outcomes) - done
            result.sets += result.entries > before
    finally:
        store.close()


def _changes(entries: Iterator[OriginalEntry], result: Adopted) -> Iterator[Change]:
    for entry in entries:
        if entry.value is None:
            result.own += 1
            continue
        yield Change("add", entry.id, encode(entry.value))
