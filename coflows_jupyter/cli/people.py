"""``coflows user|group …`` and ``coflows audit``: people, in the database of the configuration.

They work on the database itself, so they need no server; servers that run see what changes within half a second.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from coflows_jupyter.access.records import Actor
from coflows_jupyter.cli.session import Session, session

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from coflows_jupyter.access.records import Member
    from coflows_jupyter.workflow.package import Package

T = TypeVar("T")

OPERATOR = Actor("root", "command line")

UserName = Annotated[str, typer.Argument(metavar="USER", help="E-mail address or name of an account.")]
GroupName = Annotated[str, typer.Argument(metavar="GROUP", help="ID of a group; a Workflow's ID is its group's.")]
_LEVELS = {"denied": -1, "view": 0, "read": 1, "write": 2}


def register(app: typer.Typer) -> None:
    """Add this family to ``app``."""
    user = typer.Typer(help="Accounts of people.")
    user.command(name="list")(list_users)
    for command in (add, password, close, remove):
        user.command()(command)
    user.command(name="open")(reopen)
    app.add_typer(user, name="user")
    group = typer.Typer(help="Groups, and what people may in them.")
    group.command(name="list")(list_groups)
    for other in (members, create, unset):
        group.command()(other)
    group.command(name="remove")(remove_group)
    group.command(name="set")(set_level)
    app.add_typer(group, name="group")
    app.command()(audit)


def do(current: Session, work: Callable[[Connection], T]) -> T:
    """Do ``work`` in a transaction on the configuration's database."""
    from coflows_jupyter.config import load_config
    from coflows_jupyter.database.connection import Database
    from coflows_jupyter.database.location import locate

    database = Database(locate(load_config(current.config)))
    try:
        return database.submit(work).result()
    finally:
        database.close()


def read(current: Session) -> Package:
    """Read the package of the configuration's Workflow."""
    from coflows_jupyter.config import load_config
    from coflows_jupyter.workflow.package import read_package

    return read_package(load_config(current.config).workflow)


def show_rows(current: Session, rows: Sequence[dict[str, Any]], nothing: str) -> None:
    """Print rows as a table, or say that there are none."""
    from coflows_jupyter.cli.render import show_table

    if current.output.json:
        return
    if rows:
        show_table(current.output.stdout, list(rows))
    else:
        current.output.say(nothing)


# -- accounts ----------------------------------------------------------------------------------------------------------


def list_users(context: typer.Context) -> None:
    """List accounts."""
    from coflows_jupyter.access import accounts

    current = session(context)
    found = do(current, accounts.list_users)
    current.output.document({"users": found})
    rows = [
        {
            "user": user.id,
            "name": f"{user.first_name} {user.last_name}".strip(),
            "password": "yes" if user.has_password else "",
            "created": user.created[:10],
            "closed": "yes" if user.disabled else "",
        }
        for user in found
    ]
    show_rows(current, rows, "no accounts")


def add(
    context: typer.Context,
    user: UserName,
    first_name: Annotated[str, typer.Option(help="The person's first name.")] = "",
    last_name: Annotated[str, typer.Option(help="The person's last name.")] = "",
    ask_password: Annotated[  # noqa: FBT002
        bool, typer.Option("--password", help="Ask for a password, or read it from standard input.")
    ] = False,
) -> None:
    """Make an account; without a password the person has keys only."""
    from coflows_jupyter.access import accounts

    current = session(context)
    hashed = _read_password() if ask_password else ""
    names = {"first_name": first_name, "last_name": last_name}
    made = do(current, lambda c: accounts.create_user(c, OPERATOR, user, password=hashed, **names))
    current.output.document(made)
    current.output.say(f"{made.id} has an account; `coflows group set GROUP {made.id} read` lets them in")


def password(context: typer.Context, user: UserName) -> None:
    """Give a person a new password, asked for or read from standard input; it ends their sessions."""
    from coflows_jupyter.access import accounts

    current = session(context)
    hashed = _read_password()
    _update(current, user, lambda c: accounts.update_user(c, OPERATOR, user, password=hashed))


def _read_password() -> str:
    from coflows_jupyter.access.passwords import hash_now

    if sys.stdin.isatty():
        return hash_now(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return hash_now(sys.stdin.readline().rstrip("\r\n"))


def close(context: typer.Context, user: UserName) -> None:
    """Let a person in no more, by no key and no session; nothing is deleted."""
    from coflows_jupyter.access import accounts

    _update(session(context), user, lambda c: accounts.update_user(c, OPERATOR, user, disabled=True))


def reopen(context: typer.Context, user: UserName) -> None:
    """Let a person in again; their keys work as before."""
    from coflows_jupyter.access import accounts

    _update(session(context), user, lambda c: accounts.update_user(c, OPERATOR, user, disabled=False))


def remove(context: typer.Context, user: UserName) -> None:
    """Delete an account with its keys and memberships."""
    from coflows_jupyter.access import accounts

    _update(session(context), user, lambda c: accounts.remove_user(c, OPERATOR, user))


def _update(current: Session, user: str, work: Callable[[Connection], object]) -> None:
    changed = do(current, work)
    current.output.document(changed or {})
    current.output.say(f"{user}: done")


# -- groups ------------------------------------------------------------------------------------------------------------


def list_groups(context: typer.Context) -> None:
    """List groups."""
    from coflows_jupyter.access import groups

    current = session(context)
    found = do(current, groups.list_groups)
    current.output.document({"groups": found})
    rows = [{"group": g.id, "name": g.name, "parent": g.parent, "description": g.description} for g in found]
    show_rows(current, rows, "no groups")


def members(context: typer.Context, group: GroupName) -> None:
    """List who is in a group, and what they may."""
    from coflows_jupyter.access import groups

    current = session(context)
    found = do(current, lambda c: (groups.find_group(c, group), groups.list_members(c, group))[1])
    current.output.document({"members": found})
    names = {level: name for name, level in _LEVELS.items()}
    rows = [
        {
            "user": member.user,
            "level": names.get(member.level, "invited"),
            "expires": member.expires[:16],
            "said by": "package.json" if member.source else "",
        }
        for member in found
    ]
    show_rows(current, rows, "nobody")


def create(
    context: typer.Context,
    group: GroupName,
    name: Annotated[str, typer.Option(help="What to show.")] = "",
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    parent: Annotated[str, typer.Option(help="Who has Write there has Write here.")] = "",
) -> None:
    """Make a group."""
    from coflows_jupyter.access import groups

    current = session(context)
    about = {"name": name, "description": description, "parent": parent}
    made = do(current, lambda c: groups.create_group(c, OPERATOR, group, **about))
    current.output.document(made)
    current.output.say(f"{group}: made")


def remove_group(context: typer.Context, group: GroupName) -> None:
    """Delete a group without sub-groups."""
    from coflows_jupyter.access import groups

    _update(session(context), group, lambda c: groups.remove_group(c, OPERATOR, group))


def set_level(
    context: typer.Context,
    group: GroupName,
    user: UserName,
    level: Annotated[str, typer.Argument(help="view, read, write or denied.")],
    expires: Annotated[str, typer.Option(help="A duration (90d) or a date (2027-01-31).")] = "",
) -> None:
    """Say what a person may in a group."""
    from coflows_jupyter.access import groups
    from coflows_jupyter.access.records import parse_expiry
    from coflows_jupyter.errors import ArgumentsError

    current = session(context)
    if level.lower() not in _LEVELS:
        raise ArgumentsError(f"there is no level {level!r}; there are {', '.join(_LEVELS)}")
    end = parse_expiry(expires)
    package = read(current)

    def work(connection: Connection) -> Member:
        if group == package.id:
            # No server may have opened the Workflow yet.
            groups.ensure_group(connection, group, package.name)
        return groups.set_member(connection, OPERATOR, group, user, _LEVELS[level.lower()], end)

    made = do(current, work)
    current.output.document(made)
    current.output.say(f"{made.user}: {level.lower()} in {group}" + (f" until {made.expires[:16]}" if end else ""))


def unset(context: typer.Context, group: GroupName, user: UserName) -> None:
    """Take a person out of a group."""
    from coflows_jupyter.access import groups

    _update(session(context), user, lambda c: groups.remove_member(c, OPERATOR, group, user))


# -- audit -------------------------------------------------------------------------------------------------------------


def audit(
    context: typer.Context,
    limit: Annotated[int, typer.Option(help="How many lines at most.", min=1, max=10_000)] = 50,
) -> None:
    """List what was done to people, keys and secrets, and who logged in; the latest first."""
    from coflows_jupyter.access import journal

    current = session(context)
    found = do(current, lambda c: journal.list_audit(c, limit=limit))
    current.output.document({"entries": found})
    rows = [
        {
            "at": entry.at[:19].replace("T", " "),
            "who": entry.actor,
            "from": entry.address,
            "did": entry.action,
            "to": entry.target,
            "detail": entry.detail,
        }
        for entry in found
    ]
    show_rows(current, rows, "nothing yet")
