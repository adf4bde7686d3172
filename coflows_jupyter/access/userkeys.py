"""What can be done to keys of people; it happens on the database's thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from coflows_jupyter.access import journal, tokens
from coflows_jupyter.access.accounts import find_user
from coflows_jupyter.access.permissions import ROOT, Scope
from coflows_jupyter.access.records import TOKEN, Actor, KeyInfo, NewKey, now
from coflows_jupyter.errors import NotFoundError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row


def list_keys(connection: Connection, user: str = "") -> list[KeyInfo]:
    """Return the keys of one person or of everybody, those that log-ins made and that are over left out."""
    from sqlalchemy import select

    from coflows_jupyter.access.tables import keys

    statement = select(keys).order_by(keys.c.created)
    if user:
        statement = statement.where(keys.c.user_id == user)
    found = [key_info(row) for row in connection.execute(statement)]
    return [key for key in found if key.kind != TOKEN or not (key.revoked or key.expires < now())]


def create_key(
    connection: Connection,
    actor: Actor,
    user: str,
    *,
    name: str = "",
    scopes: Sequence[Scope] = (),
    expires: str = "",
    kind: str = "key",
) -> NewKey:
    """Make a key; its text is in the answer and nowhere else.

    Raises:
        NotFoundError: there is no such account.
    """
    from sqlalchemy import delete, insert

    from coflows_jupyter.access.tables import keys

    owner = user if user == ROOT else find_user(connection, user).id
    if kind == TOKEN:
        connection.execute(delete(keys).where(keys.c.kind == TOKEN, keys.c.expires < now()))
    made = tokens.mint()
    info = KeyInfo(made.id, owner, name[: journal.LONGEST_ID], kind, tuple(scopes), now(), expires, "", "")
    values = {n: v for n, v in msgspec.structs.asdict(info).items() if n not in {"user", "scopes"}}
    stored = msgspec.json.encode(info.scopes).decode()
    connection.execute(insert(keys).values(**values, user_id=owner, salt=made.salt, digest=made.digest, scopes=stored))
    written = [tokens.show_scope(scope) for scope in scopes]
    journal.record(connection, actor, f"{kind}.create", made.id, user=owner, name=name, scopes=written, expires=expires)
    journal.step(connection)
    return NewKey(made.text, info)


def revoke_key(connection: Connection, actor: Actor, key: str, owner: str = "") -> KeyInfo:
    """Make a key useless.

    Args:
        connection: to the database.
        actor: who does.
        key: the key's ID.
        owner: whose key it must be; empty for anybody's.

    Raises:
        NotFoundError: there is no such key.
    """
    from sqlalchemy import select, update

    from coflows_jupyter.access.tables import keys

    row = connection.execute(select(keys).where(keys.c.id == key)).first()
    if row is None or (owner and row.user_id != owner):
        raise NotFoundError(f"there is no key {key!r}")
    if not row.revoked:
        connection.execute(update(keys).where(keys.c.id == key).values(revoked=now()))
        journal.record(connection, actor, "key.revoke", key, user=row.user_id)
        journal.step(connection)
    return key_info(connection.execute(select(keys).where(keys.c.id == key)).one())


def note_use(connection: Connection, used: Mapping[str, str]) -> None:
    """Keep when keys were used last; nobody has to read anew for it."""
    from sqlalchemy import update

    from coflows_jupyter.access.tables import keys

    for key, time in used.items():
        connection.execute(update(keys).where(keys.c.id == key).values(last_used=time))


def key_info(row: Row[Any]) -> KeyInfo:
    """Return a row without its hash."""
    scopes = msgspec.json.decode(row.scopes, type=tuple[Scope, ...])
    return KeyInfo(
        row.id, row.user_id, row.name, row.kind, scopes, row.created, row.expires, row.last_used, row.revoked
    )
