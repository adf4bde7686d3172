"""What can be done to groups and their members; it happens on the database's thread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from coflows_jupyter.access import journal
from coflows_jupyter.access.accounts import find_user, user_row
from coflows_jupyter.access.permissions import ADMINISTRATORS, PUBLIC_GROUP, AccessType
from coflows_jupyter.access.records import PACKAGE, Actor, Group, Member
from coflows_jupyter.errors import ArgumentsError, ConflictError, FieldError, NotFoundError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

INVITED = -2


def list_groups(connection: Connection) -> list[Group]:
    """Return every group."""
    from sqlalchemy import select

    from coflows_jupyter.access.tables import groups

    return [Group(**row) for row in connection.execute(select(groups).order_by(groups.c.id)).mappings()]


def find_group(connection: Connection, group: str) -> Group:
    """Return a group.

    Raises:
        NotFoundError: there is none.
    """
    from sqlalchemy import select

    from coflows_jupyter.access.tables import groups

    row = connection.execute(select(groups).where(groups.c.id == group)).mappings().first()
    if row is None:
        raise NotFoundError(f"there is no group {group!r}")
    return Group(**row)


def create_group(
    connection: Connection, actor: Actor, group: str, *, name: str = "", description: str = "", parent: str = ""
) -> Group:
    """Make a group.

    Raises:
        ArgumentsError: this can't be an ID.
        ConflictError: there is one already.
        NotFoundError: there is no such parent.
    """
    from sqlalchemy import insert

    from coflows_jupyter.access.tables import groups

    journal.check_id("group", group)
    if group in {found.id for found in list_groups(connection)}:
        raise ConflictError(f"there is a group {group!r} already")
    if parent:
        find_group(connection, parent)
    connection.execute(insert(groups).values(id=group, name=name or group, description=description, parent=parent))
    journal.record(connection, actor, "group.create", group, parent=parent)
    journal.step(connection)
    return find_group(connection, group)


def update_group(connection: Connection, actor: Actor, group: str, **changes: str) -> Group:
    """Change ``name`` or ``description`` of a group.

    Raises:
        NotFoundError: there is none.
    """
    from sqlalchemy import update

    from coflows_jupyter.access.tables import groups

    found = find_group(connection, group)
    if not changes:
        return found
    connection.execute(update(groups).where(groups.c.id == group).values(**changes))
    journal.record(connection, actor, "group.update", group, **changes)
    journal.step(connection)
    return find_group(connection, group)


def remove_group(connection: Connection, actor: Actor, group: str, kept: Iterable[str] = ()) -> None:
    """Delete a group and its memberships.

    Args:
        connection: to the database.
        actor: who deletes it.
        group: the group.
        kept: further groups that can't go, those of open Workflows.

    Raises:
        NotFoundError: there is none.
        ConflictError: it is one that must be, or has sub-groups.
    """
    from sqlalchemy import delete

    from coflows_jupyter.access.tables import groups, members

    find_group(connection, group)
    if group in {PUBLIC_GROUP, ADMINISTRATORS, *kept}:
        raise ConflictError(f"the group {group!r} always is")
    if any(found.parent == group for found in list_groups(connection)):
        raise ConflictError(f"the group {group!r} has sub-groups", hint="remove these first")
    connection.execute(delete(members).where(members.c.group_id == group))
    connection.execute(delete(groups).where(groups.c.id == group))
    journal.record(connection, actor, "group.remove", group)
    journal.step(connection)


def list_members(connection: Connection, group: str = "") -> list[Member]:
    """Return who is in a group, or in any."""
    from sqlalchemy import select

    from coflows_jupyter.access.tables import members

    statement = select(members).order_by(members.c.group_id, members.c.user_id)
    if group:
        statement = statement.where(members.c.group_id == group)
    return [_member(row) for row in connection.execute(statement)]


def set_member(connection: Connection, actor: Actor, group: str, user: str, level: int, expires: str = "") -> Member:
    """Give a person a level in a group, instead of the one that they have.

    Raises:
        NotFoundError: there is no such group or account.
        ArgumentsError: there is no such level.
    """
    find_group(connection, group)
    found = find_user(connection, user)
    if level not in range(INVITED, AccessType.WRITE + 1):
        raise ArgumentsError(f"there is no level {level}", [FieldError("level", "is one from -2 to 2", str(level))])
    _put_member(connection, group, found.id, level, expires, "")
    journal.record(connection, actor, "member.set", f"{group}/{found.id}", level=level, expires=expires)
    journal.step(connection)
    return Member(found.id, group, level, expires, "")


def remove_member(connection: Connection, actor: Actor, group: str, user: str) -> None:
    """Take a person out of a group.

    Raises:
        NotFoundError: they are not in it.
        ConflictError: package.json says that they are.
    """
    from sqlalchemy import delete

    from coflows_jupyter.access.tables import members

    row = user_row(connection, user)
    names = {user.lower(), *((row.id, row.email) if row is not None else ())}
    found = [member for member in list_members(connection, group) if member.user in names]
    if not found:
        raise NotFoundError(f"{user!r} is not in the group {group!r}")
    if any(member.source == PACKAGE for member in found):
        hint = "change it there and build, or set the level to denied"
        raise ConflictError(f"Permissions of package.json puts {user!r} into this group", hint=hint)
    for member in found:
        connection.execute(delete(members).where(members.c.group_id == group, members.c.user_id == member.user))
        journal.record(connection, actor, "member.remove", f"{group}/{member.user}")
    journal.step(connection)


def ensure_group(connection: Connection, workflow: str, name: str) -> None:
    """Make a Workflow's group if there is none yet."""
    from sqlalchemy import insert

    from coflows_jupyter.access.tables import groups

    if workflow not in {group.id for group in list_groups(connection)}:
        connection.execute(insert(groups).values(id=workflow, name=name, description="", parent=""))
        journal.record(connection, Actor(PACKAGE), "group.create", workflow)
        journal.step(connection)


def apply_package(connection: Connection, workflow: str, name: str, levels: Mapping[str, int]) -> None:
    """Make a Workflow's group what its package says; a level that somebody set by hand stays.

    Args:
        connection: to the database.
        workflow: the Workflow's ID.
        name: its name.
        levels: ``Permissions``, by e-mail address or name of accounts that may not be there yet.
    """
    from sqlalchemy import delete

    from coflows_jupyter.access.tables import members

    ensure_group(connection, workflow, name)
    there = list_members(connection, workflow)
    by_hand = {member.user for member in there if member.source != PACKAGE}
    wanted = {
        user.lower(): level for user, level in levels.items() if user != PUBLIC_GROUP and user.lower() not in by_hand
    }
    if wanted == {member.user: member.level for member in there if member.source == PACKAGE}:
        return
    connection.execute(delete(members).where(members.c.group_id == workflow, members.c.source == PACKAGE))
    for user, level in wanted.items():
        _put_member(connection, workflow, user, level, "", PACKAGE)
    journal.record(connection, Actor(PACKAGE), "group.package", workflow, levels=wanted)
    journal.step(connection)


def _put_member(connection: Connection, group: str, user: str, level: int, expires: str, source: str) -> None:
    from sqlalchemy import delete, insert

    from coflows_jupyter.access.tables import members

    connection.execute(delete(members).where(members.c.group_id == group, members.c.user_id == user))
    values = {"group_id": group, "user_id": user, "level": level, "expires": expires, "source": source}
    connection.execute(insert(members).values(**values))


def _member(row: Row[Any]) -> Member:
    return Member(row.user_id, row.group_id, row.level, row.expires, row.source)
