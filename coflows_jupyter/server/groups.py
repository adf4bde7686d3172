"""Groups and who is in them, in the native REST API."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import msgspec

from coflows_jupyter.access import groups
from coflows_jupyter.access.permissions import ADMINISTRATORS, AccessType, permission
from coflows_jupyter.access.records import Member, parse_expiry
from coflows_jupyter.errors import DeniedError
from coflows_jupyter.server.base import BaseHandler
from coflows_jupyter.server.models import GroupChanges, GroupList, GroupWish, MemberList, MemberWish

if TYPE_CHECKING:
    from sqlalchemy import Connection


class GroupsHandler(BaseHandler):
    """``/coflows/api/groups``."""

    def get(self) -> None:
        """List the groups that the caller may view."""
        known = self.services.directory.snapshot.groups.values()
        found = [group for group in known if permission(self.caller, group.id) >= AccessType.VIEW]
        self.write_json(msgspec.json.encode(GroupList(found)))

    async def post(self) -> None:
        """Make a group: below one on which the caller has Write, or at the top as an Administrator."""
        wish = self.read_json(GroupWish)
        above = wish.parent or ADMINISTRATORS
        if permission(self.caller, above) < AccessType.WRITE:
            raise DeniedError(f"this needs Write in the group {above}")
        group = wish.id or str(uuid.uuid4())
        if permission(self.caller, ADMINISTRATORS) < AccessType.WRITE:
            # A chosen ID could be the one of an M set or a Workflow to come, and Write above is Write in it.
            group = str(uuid.uuid4())
        about = {"name": wish.name, "description": wish.description, "parent": wish.parent}
        made = await self.services.directory.do(lambda c: groups.create_group(c, self.actor, group, **about))
        self.set_status(201)
        self.write_json(msgspec.json.encode(made))


class GroupHandler(BaseHandler):
    """``/coflows/api/groups/GROUP``."""

    async def get(self, group: str) -> None:
        """Describe a group."""
        found = await self.services.directory.ask(lambda c: groups.find_group(c, group))
        self.write_json(msgspec.json.encode(found))

    async def patch(self, group: str) -> None:
        """Change name or description."""
        wish = self.read_json(GroupChanges)
        changes = {n: v for n, v in msgspec.structs.asdict(wish).items() if v is not None}
        found = await self.services.directory.do(lambda c: groups.update_group(c, self.actor, group, **changes))
        self.write_json(msgspec.json.encode(found))

    async def delete(self, group: str) -> None:
        """Delete a group without sub-groups."""
        kept = [engine.id for engine in self.services.workflows]
        await self.services.directory.do(lambda c: groups.remove_group(c, self.actor, group, kept))
        self.set_status(204)


class MembersHandler(BaseHandler):
    """``GET /coflows/api/groups/GROUP/members``."""

    async def get(self, group: str) -> None:
        """List who is in a group, people named by package.json without an account included."""
        found = await self.services.directory.ask(lambda c: groups.list_members(c, group))
        self.write_json(msgspec.json.encode(MemberList(found)))


class MemberHandler(BaseHandler):
    """``/coflows/api/groups/GROUP/members/USER``."""

    async def put(self, group: str, user: str) -> None:
        """Give a person a level in the group."""
        wish = self.read_json(MemberWish)
        expires = parse_expiry(wish.expires)
        engine = self.services.workflows.get(group)

        def work(connection: Connection) -> Member:
            if engine is not None and engine.id == group:
                # A Workflow that was opened a moment ago.
                groups.ensure_group(connection, group, engine.name)
            return groups.set_member(connection, self.actor, group, user, wish.level, expires)

        made = await self.services.directory.do(work)
        self.write_json(msgspec.json.encode(made))

    async def delete(self, group: str, user: str) -> None:
        """Take a person out of the group."""
        await self.services.directory.do(lambda c: groups.remove_member(c, self.actor, group, user))
        self.set_status(204)
