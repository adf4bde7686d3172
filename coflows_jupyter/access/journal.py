"""What every change to people leaves behind: a line of the audit and a step of the version.

Both belong to the transaction of the change. A directory anywhere that sees the version change reads everything anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from coflows_jupyter.access.records import Actor, AuditEntry, now
from coflows_jupyter.errors import ArgumentsError, FieldError

if TYPE_CHECKING:
    from sqlalchemy import Connection

LONGEST_ID = 250


def read_version(connection: Connection) -> int:
    """Return a number that grows with every change."""
    from sqlalchemy import select

    from coflows_jupyter.access.tables import version

    return int(connection.execute(select(version.c.version)).scalar_one())


def step(connection: Connection) -> None:
    """Let every directory read anew."""
    from sqlalchemy import update

    from coflows_jupyter.access.tables import version

    connection.execute(update(version).values(version=version.c.version + 1))


def record(connection: Connection, actor: Actor, action: str, target: str, **detail: object) -> None:
    """Add a line to the audit."""
    from sqlalchemy import insert

    from coflows_jupyter.access.tables import audit

    connection.execute(
        insert(audit).values(
            at=now(),
            actor=actor.id[:LONGEST_ID],
            address=actor.address[:64],
            action=action,
            target=target[:800],
            detail=msgspec.json.encode(detail).decode() if detail else "",
        )
    )


def list_audit(connection: Connection, *, before: int = 0, limit: int = 100) -> list[AuditEntry]:
    """Return lines of the audit, the latest first.

    Args:
        connection: to the database.
        before: only those with a lower number, 0 for the end.
        limit: how many at most.
    """
    from sqlalchemy import select

    from coflows_jupyter.access.tables import audit

    statement = select(audit).order_by(audit.c.number.desc()).limit(limit)
    if before:
        statement = statement.where(audit.c.number < before)
    return [AuditEntry(**row) for row in connection.execute(statement).mappings()]


def check_id(what: str, text: str) -> str:
    """Return ``text`` if it can be the ID of a user or a group.

    Raises:
        ArgumentsError: it can't.
    """
    if (
        not text
        or len(text) > LONGEST_ID
        or not text.isprintable()
        or text != text.strip()
        or set("/\\?#%") & set(text)
    ):
        raise ArgumentsError(
            f"{text!r} can't be the ID of a {what}",
            [FieldError("id", f"has 1 to {LONGEST_ID} characters and none of / \\ ? # %", text)],
        )
    return text
