"""``/connect/token`` and ``/account/…``: how the original's clients log in and ask who they are."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import msgspec

from coflows_jupyter.access import accounts, userkeys
from coflows_jupyter.access.permissions import AccessType, permission
from coflows_jupyter.access.records import TOKEN, Actor, parse_expiry
from coflows_jupyter.errors import DeniedError
from coflows_jupyter.server.base import BaseHandler
from coflows_jupyter.server.identity import find

TOKEN_HOURS = 24
_SUFFIX = "_Workflow"


class Login(msgspec.Struct, rename="pascal"):
    """What ``/account/login`` takes; ``Code`` is a key, in place of a password."""

    username: str = ""
    password: str = ""
    code: str = ""
    group_id: str = msgspec.field(default="", name="GroupID")


class LoginBase(BaseHandler):
    """Base of what makes a token of a password."""

    async def token_for(self, user: str, password: str, key: str) -> str:
        """Return what opens our routes for a day: a token, or the key that was given.

        Raises:
            DeniedError: what was given fits nobody.
            ThrottledError: too much did not.
        """
        services, address = self.services, self.request.remote_ip or ""
        if key:
            services.doorkeeper.admit("", address)
            if find(self, key, "header") is None:
                services.doorkeeper.fail("", address)
                raise DeniedError("this is no key")
            return key
        account = await services.doorkeeper.check(services.directory, user, password, address)
        expires, actor = parse_expiry(f"{TOKEN_HOURS}h"), Actor(account, address)
        made = await services.directory.do(
            lambda c: userkeys.create_key(c, actor, account, name="login", expires=expires, kind=TOKEN)
        )
        return made.key

    def answer(self, document: object, status: int = 200) -> None:
        """End with a document as the original's clients read it."""
        self.set_status(status)
        self.write_json(msgspec.json.encode(document))


class TokenHandler(LoginBase):
    """``POST /connect/token``: the OAuth 2 password grant; a key as ``username`` needs no password."""

    async def post(self) -> None:
        """Answer with a token."""
        form = {name: values[0] for name, values in parse_qs(self.request.body.decode("utf-8", "replace")).items()}
        if form.get("grant_type") != "password":
            self.answer({"error": "unsupported_grant_type"}, 400)
            return
        user, password = form.get("username", ""), form.get("password", "")
        try:
            token = await self.token_for(user, password, "" if password else user)
        except DeniedError as error:
            self.answer({"error": "invalid_grant", "error_description": error.message}, 400)
            return
        self.answer({"access_token": token, "expires_in": TOKEN_HOURS * 3600, "token_type": "Bearer"})


class LoginHandler(LoginBase):
    """``POST /account/login``."""

    async def post(self) -> None:
        """Answer with a token and who it is for."""
        wish = self.read_json(Login)
        try:
            token = await self.token_for(wish.username, wish.password, wish.code)
        except DeniedError:
            token = ""
        caller = find(self, token, "header") if token else None
        if caller is None or (wish.group_id and permission(caller, wish.group_id) <= AccessType.DENIED):
            self.answer({"Data": "Could not verify user"}, 400)
            return
        self.caller = caller
        self.answer({"User": describe(self), "token": token, "Secret": token, "Session": ""})


class LogoutHandler(LoginBase):
    """``/account/logout``."""

    async def get(self) -> None:
        """End the session or the token that this request came with."""
        caller, directory = self.caller, self.services.directory
        key = directory.snapshot.keys.get(caller.key)
        if caller.source == "session":
            await directory.do(lambda c: accounts.end_sessions(c, self.actor, caller.id))
        elif key is not None and key.kind == TOKEN:
            await directory.do(lambda c: userkeys.revoke_key(c, self.actor, key.id))
        self.answer({"Data": "ok"})

    async def post(self) -> None:
        """Do as GET does."""
        await self.get()


class WhoAmIHandler(LoginBase):
    """``GET /account/whoami``; there is no secret to show: keys are kept nowhere."""

    def get(self) -> None:
        """Say who the caller is."""
        self.answer({"Loggedin": True, "User": describe(self), "Secret": "", "Session": ""})


class PermissionHandler(LoginBase):
    """``GET /account/getpermission?groupid=``."""

    def get(self) -> None:
        """Answer with the caller's level in a group."""
        group = self.services.group(parse_qs(self.query).get("groupid", [""])[0].removesuffix(_SUFFIX))
        self.answer({"Data": int(permission(self.caller, group))})


class PermissionsHandler(LoginBase):
    """``GET /account/getpermissions``."""

    def get(self) -> None:
        """List the groups at the top in which the caller may something."""
        levels = [(g, permission(self.caller, g.id)) for g in self.services.directory.snapshot.groups.values()]
        found = [
            {"ID": group.id, "Name": group.name, "Permission": int(level)}
            for group, level in levels
            if not group.parent and level > AccessType.DENIED
        ]
        self.answer({"Data": found})


def describe(handler: BaseHandler) -> dict[str, Any]:
    """Return the caller as the original describes a user."""
    caller = handler.caller
    first = caller.first_name or caller.name
    return {"ID": caller.id, "Email": caller.email, "FirstName": first, "LastName": caller.last_name}
