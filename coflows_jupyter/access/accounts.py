"""What can be done to accounts; it happens on the database's thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coflows_jupyter.access import journal
from coflows_jupyter.access.permissions import ROOT
from coflows_jupyter.access.records import PACKAGE, TOKEN, Actor, User, now
from coflows_jupyter.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

_RESERVED = frozenset({ROOT, "anonymous", "local", PACKAGE})


def list_users(connection: Connection) -> list[User]:
    """Return everybody who has an account."""
    from sqlalchemy import select

    from coflows_jupyter.access.tables import users

    return [_user(row) for row in connection.execute(select(users).order_by(users.c.id))]


def find_user(connection: Connection, user: str) -> User:
    """Return an account.

    Raises:
        NotFoundError: there is none.
    """
    row = user_row(connection, user)
    if row is None:
        hint = "an Administrator makes accounts: coflows user add"
        raise NotFoundError(f"there is no user {user!r}", hint=hint)
    return _user(row)


def password_of(connection: Connection, user: str) -> tuple[str, str, bool]:
    """Return ID, hashed password and whether the account is closed; empty text when there is no such account."""
    row = user_row(connection, user)
    return ("", "", False) if row is None else (row.id, row.password, row.disabled)


def create_user(
    connection: Connection,
    actor: Actor,
    user: str,
    *,
    first_name: str = "",
    last_name: str = "",
    email: str = "",
    password: str = "",
) -> User:
    """Make an account.

    Args:
        connection: to the database.
        actor: who makes it.
        user: what the person logs in with, an e-mail address or a name; in any case.
        first_name: the person's.
        last_name: the person's.
        email: the person's address, ``user`` when that is one.
        password: hashed; empty for none.

    Raises:
        ArgumentsError: this can't be an ID.
        ConflictError: somebody has it already.
    """
    from sqlalchemy import insert

    from coflows_jupyter.access.tables import users

    user_id = journal.check_id("user", user.lower())
    email = (email or (user_id if "@" in user_id else "")).lower()
    if user_id in _RESERVED:
        raise ConflictError(f"{user_id!r} is a name of the server's own")
    if user_row(connection, user_id) is not None or (email and user_row(connection, email) is not None):
        raise ConflictError(f"there is a user {user_id!r} already")
    connection.execute(
        insert(users).values(
            id=user_id,
            email=email,
            first_name=first_name,
            last_name=last_name,
            password=password,
            sessions=1,
            created=now(),
            disabled=False,
        )
    )
    journal.record(connection, actor, "user.create", user_id)
    journal.step(connection)
    return find_user(connection, user_id)


def update_user(connection: Connection, actor: Actor, user: str, **changes: Any) -> User:
    """Change ``first_name``, ``last_name``, ``disabled`` or ``password`` (hashed) of an account.

    A new password, and closing the account, end the person's sessions and tokens.

    Raises:
        NotFoundError: there is no such account.
    """
    from sqlalchemy import update

    from coflows_jupyter.access.tables import users

    found = find_user(connection, user)
    if not changes:
        return found
    values = dict(changes)
    if "password" in changes or changes.get("disabled"):
        values["sessions"] = users.c.sessions + 1
        _revoke_tokens(connection, found.id)
    connection.execute(update(users).where(users.c.id == found.id).values(**values))
    journal.record(
        connection, actor, "user.update", found.id, **{n: "new" if n == "password" else v for n, v in changes.items()}
    )
    journal.step(connection)
    return find_user(connection, found.id)


def keep_hash(connection: Connection, user: str, password: str) -> None:
    """Hash the same password in another way: sessions go on."""
    from sqlalchemy import update

    from coflows_jupyter.access.tables import users

    connection.execute(update(users).where(users.c.id == user).values(password=password))


def end_sessions(connection: Connection, actor: Actor, user: str) -> None:
    """Log a person out everywhere; keys stay."""
    from sqlalchemy import update

    from coflows_jupyter.access.tables import users

    found = find_user(connection, user)
    connection.execute(update(users).where(users.c.id == found.id).values(sessions=users.c.sessions + 1))
    _revoke_tokens(connection, found.id)
    journal.record(connection, actor, "user.logout", found.id)
    journal.step(connection)


def remove_user(connection: Connection, actor: Actor, user: str) -> None:
    """Delete an account, its keys and its memberships."""
    from sqlalchemy import delete

    from coflows_jupyter.access.tables import keys, members, users

    found = find_user(connection, user)
    connection.execute(delete(keys).where(keys.c.user_id == found.id))
    connection.execute(delete(members).where(members.c.user_id == found.id, members.c.source != PACKAGE))
    connection.execute(delete(users).where(users.c.id == found.id))
    journal.record(connection, actor, "user.remove", found.id)
    journal.step(connection)


def user_row(connection: Connection, user: str) -> Row[Any] | None:
    """Return the row of the account with this ID or e-mail address, ``None`` when there is none."""
    from sqlalchemy import or_, select

    from coflows_jupyter.access.tables import users

    name = user.lower()
    if not name:
        return None
    return connection.execute(select(users).where(or_(users.c.id == name, users.c.email == name))).first()


def _user(row: Row[Any]) -> User:
    return User(row.id, row.email, row.first_name, row.last_name, bool(row.password), row.created, bool(row.disabled))


def _revoke_tokens(connection: Connection, user: str) -> None:
    from sqlalchemy import delete

    from coflows_jupyter.access.tables import keys

    connection.execute(delete(keys).where(keys.c.user_id == user, keys.c.kind == TOKEN))
