"""People and their keys, in the native REST API."""

from __future__ import annotations

from urllib.parse import parse_qsl

import msgspec

from coflows_jupyter.access import accounts, journal, passwords, userkeys
from coflows_jupyter.access.jupyter import CoFlowsIdentityProvider
from coflows_jupyter.access.permissions import ROOT, permission
from coflows_jupyter.access.records import TOKEN, NewKey, parse_expiry
from coflows_jupyter.access.tokens import parse_scope
from coflows_jupyter.errors import ArgumentsError, DeniedError, FieldError
from coflows_jupyter.server.base import BaseHandler
from coflows_jupyter.server.models import (
    AuditList,
    KeyList,
    KeyWish,
    Me,
    Names,
    NewPassword,
    UserChanges,
    UserList,
    UserWish,
)

_MOST = 1000


class MeHandler(BaseHandler):
    """``GET /coflows/api/me``."""

    def get(self) -> None:
        """Say who the caller is."""
        caller = self.caller
        permissions = {engine.id: int(permission(caller, engine.id)) for engine in self.services.workflows if engine.id}
        about = caller.email, caller.first_name, caller.last_name
        own = has_account(self) and not is_limited(self)
        me = Me(caller.id, caller.name, caller.source, caller.level, permissions, *about, dict(caller.groups), own)
        self.write_json(msgspec.json.encode(me))


class MyNameHandler(BaseHandler):
    """``PUT /coflows/api/me/name``."""

    async def put(self) -> None:
        """Say what one is called."""
        wish, user = self.read_json(Names), own_account(self)
        names = msgspec.structs.asdict(wish)
        await self.services.directory.do(lambda c: accounts.update_user(c, self.actor, user, **names))
        self.set_status(204)


class MyPasswordHandler(BaseHandler):
    """``POST /coflows/api/me/password``."""

    async def post(self) -> None:
        """Give oneself a new password; it ends one's sessions but the one that this comes from."""
        wish, user = self.read_json(NewPassword), own_account(self)
        directory = self.services.directory
        _, stored, _ = await directory.ask(lambda c: accounts.password_of(c, user))
        if stored:
            await self.services.doorkeeper.check(directory, user, wish.old, self.actor.address)
        hashed = await passwords.hash_password(wish.new)
        await directory.do(lambda c: accounts.update_user(c, self.actor, user, password=hashed))
        provider = self.identity_provider
        if self.caller.source == "session" and isinstance(provider, CoFlowsIdentityProvider):
            provider.go_on(self, user)
        self.set_status(204)


def own_account(handler: BaseHandler) -> str:
    """Return the caller's account.

    Raises:
        DeniedError: they have none, or a key of theirs that is limited speaks for them.
    """
    check_unlimited(handler)
    if not has_account(handler):
        raise DeniedError("only a person with an account has a name and a password here")
    return handler.caller.id


def has_account(handler: BaseHandler) -> bool:
    """Whether the caller is a person with an account."""
    return handler.caller.source in {"key", "session"} and handler.caller.id != ROOT


def check_unlimited(handler: BaseHandler) -> None:
    """Refuse a key that is limited or ends: it could make one that isn't and doesn't.

    Raises:
        DeniedError: the caller presents such a key.
    """
    if is_limited(handler):
        raise DeniedError("a key that is limited or has an end can't do this", hint="log in with a password")


def is_limited(handler: BaseHandler) -> bool:
    """Whether the caller presents a key that is limited or ends."""
    key = handler.services.directory.snapshot.keys.get(handler.caller.key)
    return key is not None and bool(key.scopes or key.expires < float("inf")) and key.kind != TOKEN


class MyKeysHandler(BaseHandler):
    """``/coflows/api/me/keys``."""

    async def get(self) -> None:
        """List one's keys."""
        owner = owner_of(self)
        found = await self.services.directory.ask(lambda c: userkeys.list_keys(c, owner))
        self.write_json(msgspec.json.encode(KeyList(found)))

    async def post(self) -> None:
        """Make a key for oneself; the answer is the one place where its text is."""
        check_unlimited(self)
        await create_key(self, owner_of(self), self.read_json(KeyWish))


class MyKeyHandler(BaseHandler):
    """``/coflows/api/me/keys/KEY``."""

    async def delete(self, key: str) -> None:
        """Revoke one of one's keys."""
        check_unlimited(self)
        owner = owner_of(self)
        found = await self.services.directory.do(lambda c: userkeys.revoke_key(c, self.actor, key, owner))
        self.write_json(msgspec.json.encode(found))


def owner_of(handler: BaseHandler) -> str:
    """Return whose keys the caller may make and revoke: root's are those of the server's own key."""
    caller = handler.caller
    return ROOT if caller.source == "lab" or (caller.source == "key" and not caller.key) else caller.id


async def create_key(handler: BaseHandler, owner: str, wish: KeyWish) -> None:
    """Make a key and answer with it."""
    scopes = [parse_scope(text) for text in wish.scopes]
    expires = parse_expiry(wish.expires)
    made: NewKey = await handler.services.directory.do(
        lambda c: userkeys.create_key(c, handler.actor, owner, name=wish.name, scopes=scopes, expires=expires)
    )
    handler.set_status(201)
    handler.write_json(msgspec.json.encode(made))


class KeysHandler(BaseHandler):
    """``/coflows/api/keys``: everybody's."""

    async def get(self) -> None:
        """List all keys."""
        found = await self.services.directory.ask(userkeys.list_keys)
        self.write_json(msgspec.json.encode(KeyList(found)))

    async def post(self) -> None:
        """Make a key for somebody."""
        check_unlimited(self)
        wish = self.read_json(KeyWish)
        if not wish.user:
            raise ArgumentsError("user is missing", [FieldError("user", "names the account that the key is for")])
        await create_key(self, wish.user, wish)


class KeyHandler(BaseHandler):
    """``/coflows/api/keys/KEY``."""

    async def delete(self, key: str) -> None:
        """Revoke a key."""
        found = await self.services.directory.do(lambda c: userkeys.revoke_key(c, self.actor, key))
        self.write_json(msgspec.json.encode(found))


class UsersHandler(BaseHandler):
    """``/coflows/api/users``."""

    async def get(self) -> None:
        """List accounts."""
        found = await self.services.directory.ask(accounts.list_users)
        self.write_json(msgspec.json.encode(UserList(found)))

    async def post(self) -> None:
        """Make an account."""
        wish = self.read_json(UserWish)
        hashed = await passwords.hash_password(wish.password) if wish.password else ""
        names = {"first_name": wish.first_name, "last_name": wish.last_name, "email": wish.email}
        made = await self.services.directory.do(
            lambda c: accounts.create_user(c, self.actor, wish.id, password=hashed, **names)
        )
        self.set_status(201)
        self.write_json(msgspec.json.encode(made))


class UserHandler(BaseHandler):
    """``/coflows/api/users/USER``."""

    async def get(self, user: str) -> None:
        """Describe an account."""
        found = await self.services.directory.ask(lambda c: accounts.find_user(c, user))
        self.write_json(msgspec.json.encode(found))

    async def patch(self, user: str) -> None:
        """Change names, close or open the account, or give it a password."""
        wish = self.read_json(UserChanges)
        changes = {n: v for n, v in msgspec.structs.asdict(wish).items() if v is not None}
        if "password" in changes:
            changes["password"] = await passwords.hash_password(changes["password"])
        found = await self.services.directory.do(lambda c: accounts.update_user(c, self.actor, user, **changes))
        self.write_json(msgspec.json.encode(found))

    async def delete(self, user: str) -> None:
        """Delete the account and its keys."""
        await self.services.directory.do(lambda c: accounts.remove_user(c, self.actor, user))
        self.set_status(204)


class AuditHandler(BaseHandler):
    """``GET /coflows/api/audit``."""

    async def get(self) -> None:
        """List what was done, the latest first; ``before`` and ``limit`` in the query string."""
        given = dict(parse_qsl(self.query))
        try:
            before, limit = int(given.get("before", 0)), int(given.get("limit", 100))
        except ValueError:
            raise ArgumentsError("before and limit are whole numbers") from None
        limit = min(max(limit, 1), _MOST)
        found = await self.services.directory.ask(lambda c: journal.list_audit(c, before=before, limit=limit))
        self.write_json(msgspec.json.encode(AuditList(found)))
