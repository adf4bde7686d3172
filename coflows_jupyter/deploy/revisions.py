"""Revisions: every bundle that a server accepted, numbered by Workflow, in the database.

The newest is what serves, on every server of the database and after every restart. A rollback is a new revision with
an old bundle, so numbers only grow and the history says what happened. One that is being built is a row too: it keeps
everybody else from deploying the same Workflow, as long as its server renews the lease.

All functions run in a transaction on the database's thread.
"""

from __future__ import annotations

import sqlite3
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from coflows_jupyter.access import journal
from coflows_jupyter.access.records import Actor
from coflows_jupyter.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from coflows_jupyter.database.location import Location

KEPT = 10
"""How many accepted revisions of a Workflow there are at most; it can be rolled back to these."""

KEPT_ROWS = 100
"""How many revisions of a Workflow the history has at most, those that failed included."""

LEASE_SECONDS = 60.0
PIECE = 512 * 1024
"""Bytes of a bundle in one row: what every kind of database takes in one statement without a thought."""

State = Literal["building", "accepted", "failed", "removed"]

_MICROS = 1_000_000


class Revision(msgspec.Struct, frozen=True):
    """One attempt to change what a server serves.

    Args:
        workflow: the Workflow's ID.
        number: ascending by Workflow, from 1.
        name: the Workflow's name.
        state: ``building``, ``accepted``, ``failed``, or ``removed``: since then nothing serves.
        digest: what the bundle is called by; empty where there is none.
        folder: name of the folder in which it is unpacked.
        files: how many files it has.
        size: bytes of the bundle.
        by: who did it.
        created: when, ISO 8601 in UTC.
        reason: why it failed, or what it is; may be empty.
    """

    workflow: str
    number: int
    name: str
    state: State
    digest: str
    folder: str
    files: int
    size: int
    by: str
    created: str
    reason: str = ""


def begin(connection: Connection, workflow: str, actor: Actor, reason: str = "") -> int:
    """Reserve the next number of a Workflow.

    Args:
        connection: to the database.
        workflow: the Workflow's ID.
        actor: who deploys.
        reason: what it is about to be.

    Raises:
        ConflictError: somebody else is deploying it.
    """
    from sqlalchemy import insert
    from sqlalchemy.exc import IntegrityError

    from coflows_jupyter.deploy.tables import REVISIONS

    now = _now()
    last = 0
    for row in _rows(connection, workflow):
        last = max(last, row.number)
        if row.state == "building" and row.lease_until > now:
            raise _busy(workflow, row.by)
    values = _values(workflow, last + 1, "building", actor.id, reason) | {"lease_until": _lease(now)}
    try:
        connection.execute(insert(REVISIONS).values(**values))
    except IntegrityError:
        raise _busy(workflow, "somebody else") from None
    return last + 1


def renew(connection: Connection, workflow: str, number: int) -> None:
    """Keep others from deploying for another while."""
    _update(connection, workflow, number, lease_until=_lease(_now()))


def fail(connection: Connection, workflow: str, number: int, reason: str) -> None:
    """Say that a revision was not accepted; nothing of it is kept but that."""
    _update(connection, workflow, number, state="failed", reason=reason[:4000])


class Accepted(msgspec.Struct, frozen=True):
    """What is accepted: the Workflow's name, its bundle's digest and data, and see ``Revision``."""

    name: str
    digest: str
    folder: str
    files: int
    data: bytes


def accept(connection: Connection, workflow: str, number: int, actor: Actor, what: Accepted) -> Revision:
    """Let a revision be the newest that was accepted, and let all servers know.

    Raises:
        ConflictError: its lease was lost, and somebody else deployed.
    """
    from sqlalchemy import insert, select

    from coflows_jupyter.deploy.tables import BUNDLES

    known = select(BUNDLES.c.piece).where(BUNDLES.c.digest == what.digest).limit(1)
    if connection.execute(known).first() is None:
        for piece, start in enumerate(range(0, len(what.data), PIECE)):
            data = what.data[start : start + PIECE]
            connection.execute(insert(BUNDLES).values(digest=what.digest, piece=piece, data=data))
    fields = {"name": what.name, "digest": what.digest, "folder": what.folder, "files": what.files}
    _update(connection, workflow, number, state="accepted", size=len(what.data), **fields)
    _prune(connection, workflow)
    journal.record(connection, actor, "workflow.deploy", workflow, revision=number, digest=what.digest)
    journal.step(connection)
    return find(connection, workflow, number)


def remove(connection: Connection, workflow: str, actor: Actor) -> None:
    """Let nothing serve any more; the revisions stay, and a rollback brings one back.

    Raises:
        ConflictError: somebody is deploying it.
    """
    number = begin(connection, workflow, actor)
    _update(connection, workflow, number, state="removed")
    journal.record(connection, actor, "workflow.remove", workflow)
    journal.step(connection)


def newest(connection: Connection) -> list[Revision]:
    """Return of each Workflow the newest revision that was accepted or removed."""
    from sqlalchemy import func, select

    from coflows_jupyter.deploy.tables import REVISIONS

    latest = (
        select(REVISIONS.c.workflow, func.max(REVISIONS.c.number).label("number"))
        .where(REVISIONS.c.state.in_(["accepted", "removed"]))
        .group_by(REVISIONS.c.workflow)
        .subquery()
    )
    both = (REVISIONS.c.workflow == latest.c.workflow) & (REVISIONS.c.number == latest.c.number)
    return [_revision(row) for row in connection.execute(select(REVISIONS).join(latest, both))]


def history(connection: Connection, workflow: str) -> list[Revision]:
    """Return all revisions of a Workflow, the latest first."""
    return [_revision(row) for row in _rows(connection, workflow)]


def find(connection: Connection, workflow: str, number: int) -> Revision:
    """Return a revision.

    Raises:
        NotFoundError: there is none.
    """
    found = next((row for row in _rows(connection, workflow) if row.number == number), None)
    if found is None:
        raise NotFoundError(f"there is no revision {number}", hint="`coflows cloud status` lists them")
    return _revision(found)


def before(connection: Connection, workflow: str) -> Revision:
    """Return the accepted revision whose bundle served before the present one.

    Raises:
        NotFoundError: there is none.
    """
    rows = _rows(connection, workflow)
    accepted = [row for row in rows if row.state == "accepted"]
    serving = next((row for row in rows if row.state in {"accepted", "removed"}), None)
    digest = serving.digest if serving is not None else ""
    for row in accepted:
        if row.digest != digest:
            return _revision(row)
    raise NotFoundError("there is no revision to go back to", hint="`coflows cloud status` lists what there is")


def read_bundle(connection: Connection, digest: str) -> bytes:
    """Return the zip of a bundle.

    Raises:
        NotFoundError: it is not kept any more.
    """
    from sqlalchemy import select

    from coflows_jupyter.deploy.tables import BUNDLES

    pieces = select(BUNDLES.c.data).where(BUNDLES.c.digest == digest).order_by(BUNDLES.c.piece)
    data = b"".join(connection.execute(pieces).scalars())
    if not data:
        raise NotFoundError("the bundle of this revision is not kept any more", hint=f"the latest {KEPT} are")
    return data


def may_have_any(location: Location) -> bool:
    """Whether there may be revisions, without importing what works with all kinds of databases: a start is in a hurry.

    Args:
        location: the database.
    """
    if location.file is None:
        return True
    if not location.file.exists():
        return False
    connection = sqlite3.connect(f"{location.file.absolute().as_uri()}?mode=ro", uri=True, timeout=1)
    try:
        return connection.execute("SELECT 1 FROM revisions LIMIT 1").fetchone() is not None
    except sqlite3.OperationalError as error:
        return "no such table" not in str(error)
    finally:
        connection.close()


# ----------------------------------------------------------------------------------------------------------------------


def _prune(connection: Connection, workflow: str) -> None:
    """Forget what is too old, bundles that no revision has any more included."""
    from sqlalchemy import delete

    from coflows_jupyter.deploy.tables import BUNDLES, REVISIONS

    rows = _rows(connection, workflow)
    accepted = [row for row in rows if row.state == "accepted"]
    old = {row.number for row in (*rows[KEPT_ROWS:], *accepted[KEPT:])}
    kept = {row.digest for row in rows if row.number not in old}
    for number in old:
        connection.execute(delete(REVISIONS).where(REVISIONS.c.workflow == workflow, REVISIONS.c.number == number))
    for digest in {row.digest for row in rows if row.number in old and row.digest} - kept:
        connection.execute(delete(BUNDLES).where(BUNDLES.c.digest == digest))


def _update(connection: Connection, workflow: str, number: int, **changes: object) -> None:
    from sqlalchemy import update

    from coflows_jupyter.deploy.tables import REVISIONS

    mine = (REVISIONS.c.workflow == workflow) & (REVISIONS.c.number == number) & (REVISIONS.c.state == "building")
    if connection.execute(update(REVISIONS).where(mine).values(**changes)).rowcount != 1:
        raise _busy(workflow, "somebody else")


def _rows(connection: Connection, workflow: str) -> list[Any]:
    from sqlalchemy import select

    from coflows_jupyter.deploy.tables import REVISIONS

    mine = select(REVISIONS).where(REVISIONS.c.workflow == workflow).order_by(REVISIONS.c.number.desc())
    return list(connection.execute(mine))


def _values(workflow: str, number: int, state: State, by: str, reason: str) -> dict[str, object]:
    empty: dict[str, object] = dict.fromkeys(("name", "digest", "folder"), "") | dict.fromkeys(
        ("files", "size", "lease_until"), 0
    )
    fields = {"workflow": workflow, "number": number, "state": state, "by": by[:250], "created": _now()}
    return empty | fields | {"reason": reason}


def _revision(row: Any) -> Revision:
    fields = {name: getattr(row, name) for name in Revision.__struct_fields__}
    created = datetime.fromtimestamp(row.created / _MICROS, UTC).isoformat(timespec="seconds")
    if row.state == "building" and row.lease_until < _now():
        fields |= {"state": "failed", "reason": "its server ended before it was built"}
    return Revision(**fields | {"created": created})


def _busy(workflow: str, by: str) -> ConflictError:
    return ConflictError(f"{by} is deploying the Workflow {workflow} now", hint="try again when that is done")


def _now() -> int:
    return time.time_ns() // 1000


def _lease(now: int) -> int:
    return now + round(LEASE_SECONDS * _MICROS)
