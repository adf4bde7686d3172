"""``/administration/…``: groups and their members, as far as the original's clients ask for them.

The original changes things by GET. That is done here only for a key in a header, which no page of another site can
send; and every request needs Write in the group that it is about, where the original asks for nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qs

import msgspec

from coflows_jupyter.access import accounts, groups, passwords
from coflows_jupyter.access.permissions import ADMINISTRATORS, AccessType, permission
from coflows_jupyter.access.records import Group, parse_expiry
from coflows_jupyter.errors import ArgumentsError, DeniedError, FieldError, NotFoundError
from coflows_jupyter.server.account import LoginBase
from coflows_jupyter.server.people import check_unlimited

if TYPE_CHECKING:
    from sqlalchemy import Connection

T = TypeVar("T")

_FOREVER = "9999"


class GroupForm(msgspec.Struct, rename="pascal"):
    """What ``newsubgroup`` and ``editsubgroup`` take."""

    id: str = msgspec.field(default="", name="ID")
    name: str = ""
    description: str = ""
    parent_id: str = msgspec.field(default="", name="ParentID")


class PasswordForm(msgspec.Struct, rename="pascal"):
    """What ``updatepassword`` takes."""

    new_password: str
    old_password: str = ""
    user_id: str = msgspec.field(default="", name="UserID")


class AdministrationHandler(LoginBase):
    """Answers what is only asked, and changes by GET and POST."""

    def parameter(self, name: str) -> str:
        """Return a parameter of the query string."""
        return parse_qs(self.query).get(name, [""])[0]

    def needs_write(self, group: str) -> str:
        """Return the group if the caller has Write in it.

        Raises:
            DeniedError: they have not.
        """
        group = self.services.group(group)
        if permission(self.caller, group) < AccessType.WRITE:
            raise DeniedError("this needs Write in the group")
        return group

    async def change(self, work: Callable[[Connection], T]) -> T:
        """Do ``work`` on the database."""
        return await self.services.directory.do(work)

    async def get(self, action: str) -> None:
        """Answer, or change a group."""
        found = _GET.get(action.lower())
        if found is None:
            raise NotFoundError(f"/administration/{action} is not answered here", hint="see docs/compatibility.md")
        if action.lower() not in _ASKS and self.presented != "header":
            raise DeniedError("what changes something by GET needs the key in a header")
        await found(self)

    async def post(self, action: str) -> None:
        """Make or change a group, or the caller's own password."""
        found = _POST.get(action.lower())
        if found is None:
            raise NotFoundError(f"/administration/{action} is not answered here", hint="see docs/compatibility.md")
        await found(self)


def _expiry(handler: AdministrationHandler) -> str:
    year, month, day = (handler.parameter(name) for name in ("year", "month", "day"))
    if not year or year == _FOREVER:
        return ""
    return parse_expiry(f"{year:>04}-{month:>02}-{day:>02}", "year, month, day")


def _level(handler: AdministrationHandler) -> int:
    text = handler.parameter("accessType")
    names = {level.name.lower(): int(level) for level in AccessType} | {"invited": groups.INVITED}
    try:
        return names[text.lower()] if text.lower() in names else int(text)
    except ValueError:
        raise ArgumentsError(f"there is no level {text!r}", [FieldError("accessType", "is one from -2 to 2")]) from None


async def _set(handler: AdministrationHandler) -> None:
    user = handler.parameter("pid") or handler.parameter("email")
    group = handler.needs_write(handler.parameter("groupid"))
    level, expires = _level(handler), _expiry(handler)
    await handler.change(lambda c: groups.set_member(c, handler.actor, group, user, level, expires))
    handler.answer({"Data": "ok"})


async def _remove(handler: AdministrationHandler) -> None:
    user, group = handler.parameter("pid"), handler.needs_write(handler.parameter("groupid"))
    await handler.change(lambda c: groups.remove_member(c, handler.actor, group, user))
    handler.answer({"Data": "ok"})


async def _remove_group(handler: AdministrationHandler) -> None:
    # The original's page sends `id`, its server reads `groupid`.
    group = handler.needs_write(handler.parameter("groupid") or handler.parameter("id"))
    kept = [engine.id for engine in handler.services.workflows]
    await handler.change(lambda c: groups.remove_group(c, handler.actor, group, kept))
    handler.answer({"Data": "ok"})


async def _permission(handler: AdministrationHandler) -> None:
    group, user = handler.needs_write(handler.parameter("groupid")), handler.parameter("pid")
    caller = handler.services.directory.snapshot.caller(user, "key", "http")
    handler.answer({"Data": int(permission(caller, group)) if caller else int(AccessType.DENIED)})


async def _users(handler: AdministrationHandler) -> None:
    group = handler.needs_write(handler.parameter("groupid"))
    people = handler.services.directory.snapshot.accounts
    found = await handler.services.directory.ask(lambda c: groups.list_members(c, group))
    handler.answer(
        [
            {
                "ID": account.id,
                "FirstName": account.first_name,
                "LastName": account.last_name,
                "Email": account.email,
                "Permission": _name(member.level),
                "Expiry": _date(member.expires),
                "MetaData": "",
            }
            for member in found
            if (account := people.get(member.user))
        ]
    )


def _name(level: int) -> str:
    return "Invited" if level == groups.INVITED else AccessType(level).name.title()


def _date(expires: str) -> dict[str, int]:
    year, month, day = (expires[:10] or f"{_FOREVER}-12-31").split("-")
    return {"year": int(year), "month": int(month), "day": int(day)}


async def _group(handler: AdministrationHandler) -> None:
    wanted = handler.services.group(handler.parameter("groupid"))
    group = handler.services.directory.snapshot.groups.get(wanted)
    if group is None or permission(handler.caller, wanted) <= AccessType.DENIED:
        raise DeniedError("there is no such group, or you may not view it")
    handler.answer(_describe(group))


async def _subgroups(handler: AdministrationHandler) -> None:
    above = handler.services.group(handler.parameter("groupid"))
    if permission(handler.caller, above) <= AccessType.DENIED:
        raise DeniedError("there is no such group, or you may not view it")
    known = handler.services.directory.snapshot.groups.values()
    handler.answer([_describe(group) for group in known if group.parent == above])


def _describe(group: Group) -> dict[str, Any]:
    return {"ID": group.id, "Name": group.name, "Description": group.description, "ParentID": group.parent}


async def _new_group(handler: AdministrationHandler) -> None:
    form = handler.read_json(GroupForm)
    parent = handler.needs_write(form.parent_id or ADMINISTRATORS)
    about = {"name": form.name, "description": form.description, "parent": parent if form.parent_id else ""}
    made = await handler.change(lambda c: groups.create_group(c, handler.actor, str(uuid.uuid4()), **about))
    handler.answer({"Data": made.id})


async def _edit_group(handler: AdministrationHandler) -> None:
    form = handler.read_json(GroupForm)
    group = handler.needs_write(form.id)
    about = {"name": form.name, "description": form.description}
    await handler.change(lambda c: groups.update_group(c, handler.actor, group, **about))
    handler.answer({"Data": "ok"})


async def _password(handler: AdministrationHandler) -> None:
    form = handler.read_json(PasswordForm)
    check_unlimited(handler)
    user = form.user_id or handler.caller.id
    if user != handler.caller.id:
        raise DeniedError("people change their own passwords")
    services, address = handler.services, handler.request.remote_ip or ""
    await services.doorkeeper.check(services.directory, user, form.old_password, address)
    hashed = await passwords.hash_password(form.new_password)
    await handler.change(lambda c: accounts.update_user(c, handler.actor, user, password=hashed))
    handler.answer({"Data": "ok"})


_ASKS = frozenset({"getpermission", "users", "subgroups", "group"})
_GET = {
    "setpermission": _set,
    "addpermission": _set,
    "removepermission": _remove,
    "removegroup": _remove_group,
    "getpermission": _permission,
    "users": _users,
    "subgroups": _subgroups,
    "group": _group,
}
_POST = {"newsubgroup": _new_group, "editsubgroup": _edit_group, "updatepassword": _password}
