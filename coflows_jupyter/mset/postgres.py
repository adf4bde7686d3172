"""M sets in PostgreSQL: conditions and indexes on fields by jsonb, and NOTIFY as a wake-up call."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from coflows_jupyter.errors import ConfigError
from coflows_jupyter.mset.server import ServerSets, lock_key

if TYPE_CHECKING:
    from coflows_jupyter.database.location import Location
    from coflows_jupyter.mset.conditions import Condition
    from coflows_jupyter.mset.database import Run, Table

CHANNEL = "coflows_m"

_WAKE_SECONDS = 0.5

log = logging.getLogger(__name__)


class PostgresSets(ServerSets):
    """See ``SetDatabase``."""

    PARAMETER = "%s"

    def _forget(self) -> None:
        super()._forget()
        self._ear: _Ear | None = None

    def lock(self, run: Run, set_name: str) -> None:
        """See ``ServerSets.lock``; PostgreSQL lets go of it after others can see the commit."""
        run(f"SELECT pg_advisory_xact_lock({int.from_bytes(lock_key(set_name), 'big', signed=True):d})")

    def hold(self, run: Run, _set_name: str) -> None:
        """See ``ServerSets.hold``."""
        run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")

    def notify(self, run: Run) -> None:
        """See ``ServerSets.notify``; it says nothing more than that there is something in the log."""
        run(f"NOTIFY {CHANNEL}")

    def signal(self) -> int | None:
        """See ``SetDatabase.signal``."""
        with self._lock:
            if self._ear is None:
                self._ear = _Ear(self.location)
            return self._ear.signal()

    def close(self) -> None:
        """See ``SetDatabase.close``."""
        with self._lock:
            ear, self._ear = self._ear, None
        if ear is not None:
            ear.close()
        super().close()

    def condition(self, condition: Condition) -> tuple[str, list[Any]] | None:
        """See ``SetDatabase.condition``."""
        return _compared(condition.path, condition.op, condition.wanted)

    def make_index(self, run: Run, name: str, number: int, path: Sequence[str]) -> None:
        """See ``SetDatabase.make_index``: one for numbers, one for text."""
        run("SET LOCAL statement_timeout = 0")
        for index, field in ((name, _number(path)), (f"{name}_t", _text(path))):
            run(f"CREATE INDEX {index} ON m_entry (({field})) WHERE set_no = {number:d}")

    def has_index(self, run: Run, name: str) -> bool:
        """See ``SetDatabase.has_index``."""
        return run("SELECT to_regclass(?)", (name,)).fetchone()[0] is not None

    def by_index(self, _name: str) -> str:
        """See ``SetDatabase.by_index``."""
        return "m_entry"

    def inserted(self, run: Run, statement: str, parameters: Sequence[Any]) -> bool:
        """See ``SetDatabase.inserted``."""
        return run(f"{statement} ON CONFLICT DO NOTHING RETURNING 1", parameters).fetchone() is not None

    def insert_all(self, run: Run, table: Table, rows: Sequence[Sequence[Any]]) -> None:
        """See ``SetDatabase.insert_all``; numbers are given in the order of the SELECT."""
        columns = ", ".join(table.columns)
        kinds = ", ".join(f"{column} text" for column in table.columns)
        statement = (
            f"INSERT INTO {table.name} ({', '.join(table.fixed)}, {columns})"  # noqa: S608 - names of ours
            f" SELECT {', '.join('?' * len(table.fixed))}, {columns}"
            f" FROM ROWS FROM (json_to_recordset(?) AS ({kinds})) WITH ORDINALITY AS batch ({columns}, place)"
            " ORDER BY place"
        )
        # One text: the driver takes longer for arrays of them than the database for all the rest.
        batch = msgspec.json.encode([dict(zip(table.columns, row, strict=True)) for row in rows]).decode()
        run(statement, (*table.fixed.values(), batch))

    def limited(self, statement: str, limit: int) -> str:
        """See ``SetDatabase.limited``."""
        return f"{statement} LIMIT {limit:d}"


class _Ear:
    """Counts notifications on a connection and a thread of its own.

    Args:
        location: the database.
    """

    def __init__(self, location: Location) -> None:
        self._location = location
        self._heard = 0
        self._listening = False
        self._closing = threading.Event()
        threading.Thread(target=self._stay, name="coflows-m-notify", daemon=True).start()

    def signal(self) -> int | None:
        """Return a number that changes with every notification; ``None`` while none can come."""
        # Also with every second: a pooler between us and the server may swallow them all.
        return self._heard + int(time.monotonic()) if self._listening else None

    def close(self) -> None:
        """Count no more; the connection goes within a second."""
        self._closing.set()

    def _stay(self) -> None:
        import psycopg

        while not self._closing.is_set():
            try:
                self._listen()
            except (psycopg.Error, OSError, ConfigError) as error:
                log.debug("no notifications from %s: %s", self._location, error)
            self._listening = False
            self._closing.wait(_WAKE_SECONDS)

    def _listen(self) -> None:
        from coflows_jupyter.database.postgres import connect

        with connect(self._location) as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            # Whatever was not heard before is in the log, which is read now.
            self._heard += 1
            self._listening = True
            while not self._closing.is_set():
                for _ in connection.notifies(timeout=_WAKE_SECONDS):
                    self._heard += 1


# -- Conditions --------------------------------------------------------------------------------------------------------
#
# They may find too much, never too little: Python decides. A field is compared as a double, in which no numbers change
# places, and as text by its first characters, in the order of code points. jsonb has no NUL; the next character, which
# nobody uses either, stands for it.

_LONGEST = 400  # an indexed text must fit into a third of a page
_LARGEST = 1e300
_COMPARISONS = {"eq": "=", "gt": ">=", "gte": ">=", "lt": "<=", "lte": "<="}
_SPECIAL = re.compile(r"[\x01-\x1f!-/:-@\[-`{-\x7f]")


def _compared(path: Sequence[str], op: str, wanted: Any) -> tuple[str, list[Any]] | None:
    if op == "in":
        found = [_compared(path, "eq", item) for item in wanted]
        clauses = [clause for clause in found if clause]
        if not wanted or len(clauses) < len(found):
            return None
        return f"({' OR '.join(sql for sql, _ in clauses)})", [given for _, more in clauses for given in more]
    if isinstance(wanted, int | float) and op in _COMPARISONS:
        number = float(max(min(wanted, _LARGEST), -_LARGEST))
        return f"{_number(path)} {_COMPARISONS[op]} ?::float8", [number]
    return _compared_text(path, op, wanted) if isinstance(wanted, str) else None


def _compared_text(path: Sequence[str], op: str, wanted: str) -> tuple[str, list[Any]] | None:
    if op != "eq" and "\\" in wanted:
        # A backslash and u0000 look like NUL here, which would change their place in the order.
        return None
    text = wanted.replace("\0", "\1").replace(r"\u0000", r"\u0001")
    if op in _COMPARISONS:
        return f"{_text(path)} {_COMPARISONS[op]} left(?::text, {_LONGEST})", [text]
    if op == "startswith":
        between = f"{_text(path)} BETWEEN left(?::text, {_LONGEST}) AND left(?::text, {_LONGEST})"
        return between, [text, text + "\U0010ffff"]
    return None


def _names(path: Sequence[str]) -> str:
    # Escaped, no character of a name means anything to a driver or a server.
    names = (_SPECIAL.sub(lambda found: f"\\u{ord(found[0]):04x}", name.replace("\0", "\1")) for name in path)
    return ", ".join(f"E'{name}'" for name in names)


_JSON = r"replace(value, E'\\u0000', E'\\u0001')::jsonb"


def _text(path: Sequence[str]) -> str:
    return f'left({_JSON} #>> ARRAY[{_names(path)}], {_LONGEST}) COLLATE "C"'


def _number(path: Sequence[str]) -> str:
    field = f"({_JSON} #> ARRAY[{_names(path)}])"
    return (
        f"CASE jsonb_typeof({field}) WHEN 'number' THEN greatest(least({field}::numeric, 1e300), -1e300)::float8"
        f" WHEN 'boolean' THEN {field}::boolean::int::float8 END"
    )
