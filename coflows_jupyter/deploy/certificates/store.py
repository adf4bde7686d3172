"""Certificates in the database: a row for each host and authority, which all servers of that host share.

The account and the private key are sealed like secrets are, with a key that is not in the database. Of several servers
one has a lease and asks the authority; the others take what it got.
"""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

import msgspec

from coflows_jupyter.access.secrets import Box
from coflows_jupyter.deploy.certificates.certbot import LONGEST_SECONDS
from coflows_jupyter.deploy.certificates.state import State
from coflows_jupyter.errors import ConfigError
from coflows_jupyter.processes import has_ended, identify

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

# An account and a certificate, one after the other, and some time for the database.
LEASE_SECONDS = 2 * LONGEST_SECONDS + 30


class Row(msgspec.Struct, frozen=True):
    """What the database knows of a host's certificate; times are whole seconds since 1970, 0 for never.

    Args:
        sealed: the ``State``; empty before there is an account.
        chain: the certificate as PEM; empty before there is one.
        thumbprint: of the account.
        version: grows with every change.
        checked: when the authority last gave a certificate, or said that there is time.
        failures: how often it was asked in vain since then.
        next_try: when it may be asked again after a failure.
        reason: why it gave none.
        owner: who asks it now.
        lease_until: until when nobody else does.
    """

    sealed: str = ""
    chain: str = ""
    thumbprint: str = ""
    version: int = 0
    checked: int = 0
    failures: int = 0
    next_try: int = 0
    reason: str = ""
    owner: str = ""
    lease_until: int = 0


def make_owner(pid: int) -> str:
    """Return what tells a server from others, also from an earlier one in the same process."""
    return f"{secrets.token_hex(4)} {identify(pid)}"


class Store:
    """Reads and changes the row of one host at one authority; each method is work for ``Database``.

    Args:
        host: the name that certificates are for.
        directory: URL of the authority's directory.
        owner: who asks, see ``make_owner``.
    """

    def __init__(self, host: str, directory: str, owner: str) -> None:
        self._host = host
        self._directory = directory
        self._owner = owner[:100]
        self._box = Box()

    def read(self, connection: Connection) -> Row:
        """Return the row, an empty one where there is none."""
        from sqlalchemy import select

        from coflows_jupyter.deploy.certificates.tables import certificates as table

        columns = [table.c[name] for name in Row.__struct_fields__]
        found = connection.execute(select(*columns).where(*self._here())).mappings().first()
        return Row(**found) if found else Row()

    def open(self, row: Row) -> State:
        """Return the account and the certificate of a row.

        Raises:
            ConfigError: they were sealed with another key than the one that is here.
        """
        if not row.sealed:
            return State()
        try:
            return State.decode(self._box.open(*self._label, row.sealed))
        except ConfigError as error:
            message = f"the certificate of {self._host} in the database can't be opened: {error.message}"
            hint = "bring that key back; `coflows certificate renew` asks for a new certificate instead"
            raise ConfigError(message, hint=hint) from None

    def claim(self, connection: Connection) -> bool:
        """Take the lease; say whether it was free, or its owner a process of this computer that is no more."""
        from sqlalchemy import false, insert, or_, update
        from sqlalchemy.exc import IntegrityError

        from coflows_jupyter.deploy.certificates.tables import certificates as table

        now = int(time.time())
        lease = {"owner": self._owner, "lease_until": now + int(LEASE_SECONDS)}
        row = self.read(connection)
        ended = table.c.owner == row.owner if has_ended(row.owner.partition(" ")[2]) else false()
        free = update(table).where(*self._here(), or_(table.c.lease_until <= now, ended)).values(**lease)
        if connection.execute(free).rowcount:
            return True
        if row.version:
            return False
        values = {**msgspec.structs.asdict(Row(version=1)), **lease, "host": self._host, "directory": self._directory}
        try:
            with connection.begin_nested():
                connection.execute(insert(table).values(**values))
        except IntegrityError:
            return False
        return True

    def keep(self, connection: Connection, state: State, *, checked: bool) -> None:
        """Keep what certbot left.

        Args:
            connection: to the database.
            state: the account, and perhaps a certificate.
            checked: whether the authority has no more to give for now; then the lease ends.
        """
        pair = state.pair
        values: dict[str, object] = {
            "sealed": self._box.seal(*self._label, state.encode()),
            "chain": pair.chain if pair else "",
            "thumbprint": state.thumbprint,
        }
        if checked:
            values |= {"checked": int(time.time()), "failures": 0, "next_try": 0, "reason": "", "lease_until": 0}
        self._change(connection, values)

    def fail(self, connection: Connection, failures: int, next_try: float, reason: str) -> None:
        """Keep that the authority was asked in vain, and end the lease."""
        values = {"failures": failures, "next_try": int(next_try), "reason": reason, "lease_until": 0}
        self._change(connection, values)

    def release(self, connection: Connection) -> None:
        """End the lease, as if nobody had asked."""
        self._change(connection, {"lease_until": 0})

    def _change(self, connection: Connection, values: dict[str, object]) -> None:
        from sqlalchemy import update

        from coflows_jupyter.deploy.certificates.tables import certificates as table

        mine = table.c.owner == self._owner
        connection.execute(update(table).where(*self._here(), mine).values(version=table.c.version + 1, **values))

    def _here(self) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        from coflows_jupyter.deploy.certificates.tables import certificates as table

        return table.c.host == self._host, table.c.directory == self._directory

    @property
    def _label(self) -> tuple[str, str]:
        return f"certificate {self._directory}", self._host
