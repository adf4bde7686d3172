"""People in the database, and what a directory makes of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Executable, text
from sqlalchemy.exc import DBAPIError

from coflows_jupyter.access import accounts, groups, journal, userkeys
from coflows_jupyter.access.directory import Directory
from coflows_jupyter.access.permissions import AccessType, Caller, Grant, Scope, may_call, permission
from coflows_jupyter.access.records import Actor, Group, Member, parse_expiry
from coflows_jupyter.access.snapshot import Account, Snapshot
from coflows_jupyter.access.tables import metadata
from coflows_jupyter.access.tokens import mint, parse_scope, show_scope, split
from coflows_jupyter.database.connection import Database
from coflows_jupyter.database.location import Location
from coflows_jupyter.errors import ArgumentsError, ConflictError, NotFoundError

ME = Actor("root", "127.0.0.1")
JOHN = "john@doe.com"


class Clock:
    """A clock that tests set."""

    now = 1_000_000.0

    def __call__(self) -> float:
        """Return what they set."""
        return self.now


def executing(statement: Executable) -> Callable[[Connection], list[object]]:
    """Return work that executes a statement and gives its rows."""

    def work(connection: Connection) -> list[object]:
        found = connection.execute(statement)
        return list(found) if found.returns_rows else []

    return work


@asynccontextmanager
async def opened(location: Location) -> AsyncIterator[Directory]:
    """Open a directory, as a server does."""
    directory = Directory(Database(location))
    await directory.start()
    try:
        yield directory
    finally:
        await directory.close()


# -- levels ------------------------------------------------------------------------------------------------------------


def snapshot(*members: tuple[str, int], clock: Clock | None = None, expires: str = "") -> Snapshot:
    """Return what a database with one person and a few groups gives."""
    tree = [Group(g, g, "", parent) for g, parent in (("W", ""), ("W.sub", "W"), ("W.sub.sub", "W.sub"), ("V", ""))]
    rows = [Member(JOHN, group, level, expires, "") for group, level in members]
    return Snapshot(1, [Account(JOHN, JOHN, "John", "Doe", False, 1)], tree, rows, (), clock or Clock())


def level(found: Snapshot, group: str) -> int:
    """Return what John may in a group."""
    caller = found.caller(JOHN, "key", "http")
    assert caller is not None
    return permission(caller, group)


def test_who_is_in_no_group_is_denied() -> None:
    """Deny is the rule, and Public the exception."""
    assert level(snapshot(), "W") == AccessType.DENIED
    assert level(snapshot(), "nowhere") == AccessType.DENIED
    assert level(snapshot(), "Public") == AccessType.VIEW


def test_write_in_a_parent_is_write_below() -> None:
    """Down to the last sub-group, in nothing beside it, and only Write does that."""
    found = snapshot(("W", 2), ("W.sub", -1))
    assert [level(found, g) for g in ("W", "W.sub", "W.sub.sub", "V")] == [2, 2, 2, -1]
    found = snapshot(("W", 1))
    assert [level(found, g) for g in ("W", "W.sub", "V")] == [1, -1, -1]


def test_administrators_have_their_level_everywhere() -> None:
    """And what they have beyond it somewhere."""
    found = snapshot(("Administrator", 1), ("V", 2))
    assert [level(found, g) for g in ("W", "W.sub", "V", "an M set")] == [1, 1, 2, 1]


def test_invited_is_denied() -> None:
    """Who was invited is not in yet."""
    assert level(snapshot(("W", -2)), "W") == AccessType.DENIED


def test_what_ends_ends_in_time() -> None:
    """Nobody has to read or write anything for it."""
    clock = Clock()
    found = snapshot(("W", 2), clock=clock, expires="1970-01-12T13:46:41+00:00")
    assert level(found, "W") == AccessType.WRITE
    clock.now += 0.999
    assert level(found, "W.sub") == AccessType.WRITE
    clock.now += 0.001
    assert level(found, "W") == AccessType.DENIED
    assert level(found, "W.sub") == AccessType.DENIED


def test_a_circle_of_groups_ends() -> None:
    """A database that somebody damaged does not hang the server."""
    rows = [Member(JOHN, "a", 2, "", "")]
    people = [Account(JOHN, JOHN, "", "", False, 1)]
    found = Snapshot(1, people, [Group("a", "", "", "b"), Group("b", "", "", "a")], rows)
    assert level(found, "b") == AccessType.WRITE


# -- scopes ------------------------------------------------------------------------------------------------------------


def limited(*scopes: str) -> Caller:
    """Return somebody with Write everywhere, who presents a limited key."""
    return Caller("x", "x", "key", "http", 2, scopes=tuple(map(parse_scope, scopes)))


@pytest.mark.parametrize(
    ("scope", "may"),
    [
        ("workflow:W", {"a/f": 1, "a/g": 1, "b/f": 1}),
        ("workflow:W:w", {"a/f": 2, "a/g": 2, "b/f": 2}),
        ("query:W/a:w", {"a/f": 2, "a/g": 2}),
        ("function:W/a/f", {"a/f": 1}),
        ("m:W", {}),
        ("workflow:V:w", {}),
    ],
)
def test_a_limited_key_opens_what_it_names(scope: str, may: dict[str, int]) -> None:
    """And there no more than its letter says, whatever its user may."""
    caller = limited(scope)
    for query, function in (("a", "f"), ("a", "g"), ("b", "f")):
        held = may.get(f"{query}/{function}", -1)
        for needed in (AccessType.READ, AccessType.WRITE):
            grants = [Grant("W", needed)]
            assert may_call(caller, "W", query, function, grants, closed=False) == (held >= needed)
        assert caller.inside("W", query, function).scopes == ()
        assert permission(caller.inside("W", query, function), "anything") == held


def test_a_limited_key_is_not_its_user() -> None:
    """Neither in other groups nor as an administrator."""
    caller = limited("workflow:W:w", "m:prices")
    assert [permission(caller, g) for g in ("W", "prices", "V", "Administrator")] == [2, 1, -1, -1]


@given(
    st.sampled_from(["workflow", "query", "function", "m"]),
    st.lists(st.from_regex(r"[A-Za-z0-9 .\-]+", fullmatch=True), min_size=3, max_size=3),
    st.booleans(),
)
def test_scopes_are_read_as_they_are_shown(kind: str, parts: list[str], write: bool) -> None:
    """What `coflows key list` shows can be given to `coflows key create`."""
    target = "/".join(parts[: {"workflow": 1, "query": 2, "function": 3, "m": 1}[kind]])
    scope = Scope(kind, target, write)  # type: ignore[arg-type]
    assert parse_scope(show_scope(scope)) == scope


@pytest.mark.parametrize("text", ["", "W", "workflow:", "workflow:a/b", "query:a", "function:a/b", "all:x", "m:x:z:q"])
def test_what_is_no_scope_is_refused(text: str) -> None:
    """With what to write instead: a key must not be wider than somebody thought."""
    with pytest.raises(ArgumentsError, match="write workflow:WID"):
        parse_scope(text)


# -- keys --------------------------------------------------------------------------------------------------------------


def test_a_key_is_not_in_the_database(database: Database) -> None:
    """Only a salted hash is."""
    database.submit(lambda c: accounts.create_user(c, ME, JOHN)).result()
    made = database.submit(lambda c: userkeys.create_key(c, ME, JOHN)).result()
    secret = made.key.rpartition("_")[2]
    assert len(secret) == 64
    for table in metadata.tables.values():
        assert secret not in str(database.submit(executing(table.select())).result())
    assert mint().digest != mint().digest


@pytest.mark.parametrize("text", ["", "cfk_", "cfk_0_0", "cfk_" + "0" * 12 + "_" + "é" * 64, "x" * 10_000])
def test_what_has_not_the_form_of_a_key_is_none(text: str) -> None:
    """And costs nothing to refuse."""
    assert split(text) is None
    assert snapshot().by_key(text, "http") is None


def test_a_key_opens_what_its_owner_may(location: Location) -> None:
    """Until it is revoked, ends, or its owner's account is closed."""

    async def scenario() -> None:
        async with opened(location) as directory:
            await directory.do(lambda c: accounts.create_user(c, ME, JOHN, first_name="John"))
            await directory.do(lambda c: groups.create_group(c, ME, "W"))
            await directory.do(lambda c: groups.set_member(c, ME, "W", JOHN, 1))
            made = await directory.do(lambda c: userkeys.create_key(c, ME, JOHN))
            caller = directory.find(made.key, "cli")
            assert caller is not None
            assert (caller.id, caller.name, caller.first_name, caller.door) == (JOHN, "John", "John", "cli")
            assert permission(caller, "W") == AccessType.READ
            assert directory.current(caller) == caller

            other = made.key[:-1] + ("0" if made.key[-1] != "0" else "1")
            assert directory.find(other, "http") is None

            await directory.do(lambda c: accounts.update_user(c, ME, JOHN, disabled=True))
            assert directory.find(made.key, "http") is None
            await directory.do(lambda c: accounts.update_user(c, ME, JOHN, disabled=False))
            assert directory.find(made.key, "cli") == caller
            await directory.do(lambda c: userkeys.revoke_key(c, ME, made.info.id))
            assert directory.find(made.key, "http") is None
            assert directory.current(caller) is None
            past = parse_expiry("2020-01-01")
            over = await directory.do(lambda c: userkeys.create_key(c, ME, JOHN, expires=past))
            assert directory.find(over.key, "http") is None

    asyncio.run(scenario())


def test_a_change_elsewhere_is_seen_within_a_second(location: Location) -> None:
    """A key that another server or the command line revokes is useless here at once, near enough."""

    async def scenario() -> None:
        async with opened(location) as here, opened(location) as there:
            await there.do(lambda c: accounts.create_user(c, ME, JOHN))
            made = await there.do(lambda c: userkeys.create_key(c, ME, JOHN))
            changed = asyncio.Event()
            here.listen(changed.set)

            async def until(known: bool) -> None:
                while (here.find(made.key, "http") is not None) != known:
                    changed.clear()
                    await changed.wait()

            await asyncio.wait_for(until(known=True), 1)
            await there.do(lambda c: userkeys.revoke_key(c, ME, made.info.id))
            await asyncio.wait_for(until(known=False), 1)

    asyncio.run(scenario())


def test_a_directory_that_sees_nothing_lets_nobody_in(location: Location) -> None:
    """Who can't see whether a key was revoked can't say that it is valid."""

    async def scenario() -> None:
        async with opened(location) as directory:
            await directory.do(lambda c: accounts.create_user(c, ME, JOHN))
            made = await directory.do(lambda c: userkeys.create_key(c, ME, JOHN))
            directory._seen -= 60
            with pytest.raises(Exception, match="does not answer"):
                directory.find(made.key, "http")
            assert directory.person(JOHN, 1, "http") is None

    asyncio.run(scenario())


# -- what can be done --------------------------------------------------------------------------------------------------


def test_package_permissions_are_applied_once_and_follow_the_package(database: Database) -> None:
    """Applying again changes nothing; a level set by hand stays; who is taken out of the file is taken out."""

    def apply(levels: dict[str, int]) -> dict[str, int]:
        database.submit(lambda c: groups.apply_package(c, "W", "Workflow", levels)).result()
        return {m.user: m.level for m in database.submit(lambda c: groups.list_members(c, "W")).result()}

    assert apply({"John@Doe.com": 2, "Public": 1}) == {JOHN: 2}
    version = database.submit(journal.read_version).result()
    assert apply({"John@Doe.com": 2}) == {JOHN: 2}
    assert database.submit(journal.read_version).result() == version
    # They may not have an account yet; it counts from when they have one.
    database.submit(lambda c: accounts.create_user(c, ME, JOHN)).result()
    assert apply({JOHN: 1, "jane@doe.com": 0}) == {JOHN: 1, "jane@doe.com": 0}
    database.submit(lambda c: groups.set_member(c, ME, "W", JOHN, -1)).result()
    assert apply({JOHN: 2}) == {JOHN: -1}


def test_what_package_json_says_is_changed_there(database: Database) -> None:
    """Else the next build would undo it."""
    database.submit(lambda c: groups.apply_package(c, "W", "W", {JOHN: 2})).result()
    with pytest.raises(ConflictError, match=r"package\.json"):
        database.submit(lambda c: groups.remove_member(c, ME, "W", JOHN)).result()


@pytest.mark.parametrize("user", ["", " x", "a/b", "x" * 251, "a\nb", "a?b"])
def test_what_can_be_no_id_is_refused(database: Database, user: str) -> None:
    """IDs are part of addresses."""
    with pytest.raises(ArgumentsError):
        database.submit(lambda c: accounts.create_user(c, ME, user)).result()


@pytest.mark.parametrize("user", ["root", "ROOT", "anonymous", JOHN, "JOHN@doe.com"])
def test_an_id_is_given_once(database: Database, user: str) -> None:
    """In any case, and never one of the server's own."""
    database.submit(lambda c: accounts.create_user(c, ME, JOHN)).result()
    with pytest.raises(ConflictError):
        database.submit(lambda c: accounts.create_user(c, ME, user)).result()


def test_groups_that_must_be_stay(database: Database) -> None:
    """Public, Administrator, those of Workflows, and those with sub-groups."""
    database.submit(lambda c: groups.create_group(c, ME, "W")).result()
    database.submit(lambda c: groups.create_group(c, ME, "S", parent="W")).result()
    for group in ("Public", "Administrator", "W", "S"):
        remove = partial(groups.remove_group, actor=ME, group=group, kept=["S"])
        with pytest.raises(ConflictError):
            database.submit(remove).result()
    database.submit(lambda c: groups.remove_group(c, ME, "S")).result()
    with pytest.raises(NotFoundError):
        database.submit(lambda c: groups.create_group(c, ME, "T", parent="S")).result()


def test_nothing_can_be_taken_out_of_the_audit(database: Database) -> None:
    """Not even by who writes to the file."""
    database.submit(lambda c: accounts.create_user(c, ME, JOHN)).result()
    (entry,) = database.submit(journal.list_audit).result()
    assert (entry.actor, entry.address, entry.action, entry.target) == ("root", "127.0.0.1", "user.create", JOHN)
    for statement in ("DELETE FROM coflows_audit", "UPDATE coflows_audit SET actor = 'x'"):
        with pytest.raises(DBAPIError, match="append-only"):
            database.submit(executing(text(statement))).result()
    assert database.submit(journal.list_audit).result() == [entry]


def test_what_fails_leaves_no_line(database: Database) -> None:
    """The audit and the change are one transaction."""
    with pytest.raises(NotFoundError):
        database.submit(lambda c: groups.set_member(c, ME, "Public", JOHN, 1)).result()
    assert database.submit(journal.list_audit).result() == []


@pytest.mark.parametrize("text", ["90d", "12h", "2027-01-31", "2027-01-31T10:00", "2027-01-31T10:00+02:00"])
def test_ends_are_durations_or_dates(text: str) -> None:
    """And kept in UTC."""
    assert parse_expiry(text).endswith("+00:00")


@pytest.mark.parametrize("text", ["soon", "2027-13-01", "-1d", "99999999999999d"])
def test_what_is_no_time_is_refused(text: str) -> None:
    """With what to write instead."""
    with pytest.raises(ArgumentsError, match="90d"):
        parse_expiry(text)
