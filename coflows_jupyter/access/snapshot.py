"""Who may what, as the database had it at one moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from coflows_jupyter.access import tokens
from coflows_jupyter.access.permissions import ADMINISTRATORS, ROOT, AccessType, Caller, Door, Scope, Source
from coflows_jupyter.access.records import Group, Member, timestamp

if TYPE_CHECKING:
    from sqlalchemy import Connection

NEVER = float("inf")


class Account(NamedTuple):
    """An account; ``sessions`` is a number that a log-in must have been made under to be good still."""

    id: str
    email: str
    first_name: str
    last_name: str
    disabled: bool
    sessions: int


class StoredKey(NamedTuple):
    """A key that is not revoked."""

    id: str
    user: str
    salt: str
    digest: str
    scopes: tuple[Scope, ...]
    expires: float
    kind: str


class Levels(NamedTuple):
    """What a person may: everywhere, and by group; good until one of their memberships ends."""

    everywhere: int
    groups: dict[str, int]
    until: float


_NOBODY = Levels(AccessType.DENIED, {}, NEVER)


class Snapshot:
    """Answers who holds a key and what they may; each person's levels are worked out once.

    Args:
        version: the version of the database that this was read at.
        accounts: everybody who has one.
        groups: all groups.
        members: all memberships, also of people without an account yet.
        keys: all keys that are not revoked.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        version: int = 0,
        accounts: Iterable[Account] = (),
        groups: Iterable[Group] = (),
        members: Iterable[Member] = (),
        keys: Iterable[StoredKey] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.version = version
        self.accounts = {account.id: account for account in accounts}
        self.groups = {group.id: group for group in groups}
        self.keys = {key.id: key for key in keys}
        self._members: dict[str, list[Member]] = {}
        for member in members:
            self._members.setdefault(member.user, []).append(member)
        self._by_email = {account.email: account for account in self.accounts.values() if account.email}
        self._levels: dict[str, Levels] = {}
        self._callers: dict[tuple[str, Source, Door, str], tuple[Caller, float]] = {}
        self._clock = clock

    def account(self, user: str) -> Account | None:
        """Return the open account with this ID or e-mail address."""
        found = self.accounts.get(user.lower()) or self._by_email.get(user.lower())
        return None if found is None or found.disabled else found

    def levels(self, user: str) -> Levels:
        """Return what a person may now."""
        if user == ROOT:
            return Levels(AccessType.WRITE, {}, NEVER)
        found = self._levels.get(user)
        if found is None or found.until <= self._clock():
            account = self.account(user)
            found = self._levels[user] = _NOBODY if account is None else self._work_out(account)
        return found

    def _work_out(self, account: Account) -> Levels:
        now, until = self._clock(), NEVER
        own: dict[str, int] = {}
        for name in {account.email, account.id} - {""}:
            for member in self._members.get(name, ()):
                end = timestamp(member.expires)
                if end > now:
                    own[member.group] = max(member.level, own.get(member.group, AccessType.DENIED))
                    until = min(until, end)
        everywhere = own.pop(ADMINISTRATORS, AccessType.DENIED)
        written = {group for group, level in own.items() if level >= AccessType.WRITE}
        if written:
            own |= {group: AccessType.WRITE for group in self.groups if written & set(self._line(group))}
        own = {group: int(level) for group, level in own.items() if level > everywhere}
        return Levels(int(everywhere), own, until)

    def _line(self, group: str) -> Iterable[str]:
        """Give a group and those that it is in, each once."""
        seen: set[str] = set()
        while group and group not in seen:
            seen.add(group)
            yield group
            found = self.groups.get(group)
            group = found.parent if found else ""

    def by_key(self, candidate: str, door: Door) -> Caller | None:
        """Return who presents a key, ``None`` when it is not one of ours, is over, or its owner is gone."""
        parts = tokens.split(candidate)
        key = self.keys.get(parts[0]) if parts else None
        if parts is None or key is None or not tokens.matches(key.salt, key.digest, parts[1]):
            return None
        return self.caller(key.user, "key", door, key) if key.expires > self._clock() else None

    def caller(self, user: str, source: Source, door: Door, key: StoredKey | None = None) -> Caller | None:
        """Return a person as a caller, ``None`` when there is no such account or it is closed."""
        about = user, source, door, key.id if key else ""
        found = self._callers.get(about)
        if found is None or found[1] <= self._clock():
            caller = self._make(user, source, door, key)
            if caller is None:
                return None
            found = self._callers[about] = caller, self.levels(caller.id).until
        return found[0]

    def _make(self, user: str, source: Source, door: Door, key: StoredKey | None) -> Caller | None:
        everywhere, groups, _ = self.levels(user)
        scopes, key_id = (key.scopes, key.id) if key else ((), "")
        if user == ROOT:
            return Caller(ROOT, ROOT, source, door, everywhere, scopes=scopes, key=key_id)
        account = self.account(user)
        if account is None:
            return None
        everywhere, groups, _ = self.levels(account.id)
        name = f"{account.first_name} {account.last_name}".strip() or account.id
        about = account.id, name, source, door, everywhere, account.email, account.first_name, account.last_name
        return Caller(*about, groups, scopes, key_id or str(account.sessions))


def read(connection: Connection, clock: Callable[[], float] = time.time) -> Snapshot:
    """Read everything; on the database's thread."""
    from sqlalchemy import select

    from coflows_jupyter.access import tables
    from coflows_jupyter.access.groups import list_groups, list_members
    from coflows_jupyter.access.journal import read_version

    version = read_version(connection)
    users = tables.users.c
    columns = users.id, users.email, users.first_name, users.last_name, users.disabled, users.sessions
    accounts = [Account(*row) for row in connection.execute(select(*columns))]
    rows = connection.execute(select(tables.keys).where(tables.keys.c.revoked == ""))
    scopes = msgspec.json.Decoder(tuple[Scope, ...]).decode
    keys = [StoredKey(r.id, r.user_id, r.salt, r.digest, scopes(r.scopes), timestamp(r.expires), r.kind) for r in rows]
    return Snapshot(version, accounts, list_groups(connection), list_members(connection), keys, clock)
