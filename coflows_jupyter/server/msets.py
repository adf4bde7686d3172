"""M sets over HTTP: their entries, and the original's routes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from tornado.web import HTTPError

from coflows_jupyter.access.permissions import AccessType
from coflows_jupyter.engine import Engine
from coflows_jupyter.errors import ArgumentsError, ConflictError, DeniedError, FieldError, NotFoundError, NotReadyError
from coflows_jupyter.mset.conditions import parse
from coflows_jupyter.mset.m import moment
from coflows_jupyter.mset.model import (
    Author,
    Change,
    Entry,
    Op,
    Outcome,
    SetInfo,
    Text,
    check_id,
    decode,
    encode,
    event,
)
from coflows_jupyter.mset.original import raw_entries
from coflows_jupyter.mset.rights import level_at_door
from coflows_jupyter.mset.store import MStore
from coflows_jupyter.server.base import BaseHandler
from coflows_jupyter.server.models import (
    MAdded,
    MContents,
    MEntry,
    MHistory,
    MOutcomes,
    MPast,
    MSetList,
)

T = TypeVar("T")

MOST = 10_000
_OWN = frozenset({"workflow", "limit", "after", "at", "tag"})


class MChange(msgspec.Struct, forbid_unknown_fields=True):
    """A change as a client sends it; see ``Change``. ``expected`` is the value's tag, as ``ETag`` gives it."""

    op: Op
    entry: str = ""
    value: Any = None
    expected: str = ""

    def change(self) -> Change:
        """Return what the store takes."""
        if self.entry:
            check_id("an entry", self.entry)
        text = encode(self.value) if self.op in {"add", "exchange", "put"} else Text("", "")
        return Change(self.op, self.entry, text, self.expected)


class MChanges(msgspec.Struct, forbid_unknown_fields=True):
    """Changes to make in one transaction, ``atomic`` all or none, and fields to index."""

    changes: list[MChange] = []
    atomic: bool = False
    index: list[str] = []


class MHandler(BaseHandler):
    """Base of what concerns M sets."""

    def options_of(self) -> dict[str, str]:
        """Return what the query string says."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    def engine_of(self) -> Engine:
        """Return the Workflow that ``?workflow=`` names, else the server's first."""
        wanted = self.options_of().get("workflow", "")
        if wanted:
            return self.services.engine(wanted)
        engine = next(iter(self.services.workflows), None)
        if engine is None:
            raise NotFoundError("no Workflow is open", hint=self.services.idle)
        if not engine.id:
            raise NotReadyError(f"{engine.name} is being opened")
        return engine

    async def work(self, name: str, level: AccessType, work: Callable[[MStore], T]) -> T:
        """Do ``work`` off the event loop, if the caller has ``level`` on the set.

        Raises:
            DeniedError: they have not.
        """
        check_id("an M set", name)
        engine = self.engine_of()

        def checked() -> T:
            store = engine.m.store
            if self.level(store, engine, name) < level:
                raise DeniedError(f"this needs {level.name.title()} on the M set {name}")
            return work(store)

        return await asyncio.to_thread(checked)

    def level(self, store: MStore, engine: Engine, name: str) -> AccessType:
        """Return what the caller may do to a set."""
        return level_at_door(self.caller, name, engine.id, guarded=store.guarded(name))

    @property
    def author(self) -> Author:
        """Who changes sets here."""
        return Author(self.caller.id)


class MSetsHandler(MHandler):
    """``GET /coflows/api/m``."""

    async def get(self) -> None:
        """List the sets that the caller may read."""
        engine = self.engine_of()

        def readable() -> list[SetInfo]:
            store = engine.m.store
            return [info for info in store.sets() if self.level(store, engine, info.id) >= AccessType.READ]

        self.write_json(msgspec.json.encode(MSetList(await asyncio.to_thread(readable))))


class MSetHandler(MHandler):
    """``/coflows/api/m/SET``."""

    async def get(self, name: str) -> None:
        """List entries, the oldest first: those that meet ``field__operator=value``, or those of a time ``at``."""
        given = self.options_of()
        if "at" in given:
            past = await self.work(name, AccessType.READ, lambda store: store.at(name, moment(given["at"])))
            entries = [MEntry(entry, msgspec.Raw(value.encode())) for entry, value in past]
            self.write_json(msgspec.json.encode(MPast(name, entries)))
            return
        limit, after = _number(given, "limit", 100), _number(given, "after", 0)
        conditions = parse({field: _json(text) for field, text in given.items() if field not in _OWN})

        def read(store: MStore) -> MContents:
            if "tag" in given:
                entry = store.find(name, given["tag"])
                found = [Entry(0, entry, store.get(name, entry) or "null")] if entry else []
                return MContents(name, [_entry(one) for one in found], 0)
            seq = store.changes(name, -1).seq
            if not limit:
                return MContents(name, [], seq, count=store.count(name))
            found = store.select(name, conditions, after, limit)
            following = found[-1].number if len(found) == limit else 0
            return MContents(name, [_entry(one) for one in found], seq, following)

        self.write_json(msgspec.json.encode(await self.work(name, AccessType.READ, read)))

    async def post(self, name: str) -> None:
        """Add the value that the body is."""
        (outcome,) = await self._change(name, lambda: [Change("add", text=encode(_body(self.request.body)))])
        self.set_status(201 if outcome.done else 200)
        self.write_json(msgspec.json.encode(MAdded(outcome.entry, outcome.reason)))

    async def patch(self, name: str) -> None:
        """Make changes in one transaction."""
        body, author = self.request.body, self.author

        def work(store: MStore) -> list[Outcome]:
            try:
                wish = msgspec.json.decode(body, type=MChanges)
            except msgspec.MsgspecError as error:
                raise ArgumentsError(f"the body does not fit: {error}") from None
            for field in wish.index:
                store.index(name, tuple(field.split("__")))
            changes = [change.change() for change in wish.changes]
            return store.apply(name, changes, author, atomic=wish.atomic) if changes else []

        self.write_json(msgspec.json.encode(MOutcomes(await self.work(name, AccessType.WRITE, work))))

    async def delete(self, name: str) -> None:
        """Remove every entry."""
        await self._change(name, lambda: [Change("clear")])
        self.set_status(204)

    async def _change(self, name: str, changes: Callable[[], list[Change]]) -> list[Outcome]:
        author = self.author
        return await self.work(name, AccessType.WRITE, lambda store: store.apply(name, changes(), author))


class MEntryHandler(MHandler):
    """``/coflows/api/m/SET/ENTRY``."""

    async def get(self, name: str, entry: str) -> None:
        """Answer with the value; its ``ETag`` goes into ``If-Match``."""
        value = await self.work(name, AccessType.READ, lambda store: store.get(name, entry))
        if value is None:
            raise NotFoundError(f"the M set {name} has no entry {entry!r}")
        self.set_header("ETag", f'"{encode(decode(value)).tag}"')
        self.write_json(value.encode())

    async def put(self, name: str, entry: str) -> None:
        """Put the value that the body is under the ID; with ``If-Match`` in the place of that value only."""
        expected, body = self._expected(), self.request.body
        op: Op = "exchange" if expected else "add" if self.request.headers.get("If-None-Match") == "*" else "put"
        await self._change(name, entry, lambda: Change(op, entry, encode(_body(body)), expected))

    async def delete(self, name: str, entry: str) -> None:
        """Remove the entry; with ``If-Match`` only if that value is there."""
        expected = self._expected()
        await self._change(name, entry, lambda: Change("remove", entry, expected=expected))

    def _expected(self) -> str:
        return self.request.headers.get("If-Match", "").removeprefix("W/").strip('"')

    async def _change(self, name: str, entry: str, change: Callable[[], Change]) -> None:
        check_id("an entry", entry)
        author = self.author
        (outcome,) = await self.work(name, AccessType.WRITE, lambda store: store.apply(name, [change()], author))
        if outcome.reason == "absent":
            raise NotFoundError(f"the M set {name} has no entry {entry!r}")
        if outcome.reason == "changed" or (outcome.reason and outcome.entry == entry):
            raise HTTPError(412, "the entry is not what was expected; read it again")
        if outcome.reason:
            raise ConflictError(f"an equal value is in {name} already, under {outcome.entry}")
        self.set_status(204)


class MHistoryHandler(MHandler):
    """``GET /coflows/api/m/SET/ENTRY/history``."""

    async def get(self, name: str, entry: str) -> None:
        """List what happened to the entry, as far as the log goes back."""
        logged = await self.work(name, AccessType.READ, lambda store: store.history(name, entry))
        self.write_json(msgspec.json.encode(MHistory([event(one) for one in logged])))


class MLegacyHandler(MHandler):
    """The original's ``/m/data``, ``/m/rawdata`` and ``/m/save``, each with ``?type=SET``."""

    async def get(self, action: str) -> None:
        """Answer as the original does."""
        name = self.options_of().get("type", "")
        action = action.lower()
        items = await self.work(name, AccessType.READ, lambda store: _items(store, name, wanted=action != "save"))
        if action == "save":
            self.write_json(b'{"Result":"saved"}')
        elif action == "data":
            self.write_json(msgspec.json.encode([{"Key": key, "Value": value} for key, value in items]))
        else:
            self.write_json(msgspec.json.encode(raw_entries(name, items)))


def _items(store: MStore, name: str, *, wanted: bool) -> list[tuple[str, Any]]:
    return [(entry, decode(value)) for _, entry, value in store.load(name).entries] if wanted else []


def _entry(entry: Entry) -> MEntry:
    return MEntry(entry.id, msgspec.Raw(entry.value.encode()), entry.number)


def _body(body: bytes) -> Any:
    try:
        return decode(body)
    except msgspec.DecodeError as error:
        raise ArgumentsError(f"the body is no JSON: {error}", [FieldError("value", str(error))]) from None


def _json(text: str) -> Any:
    """Read a value in a URL: JSON if it is, else text."""
    try:
        return decode(text)
    except msgspec.DecodeError:
        return text


def _number(given: dict[str, str], name: str, default: int) -> int:
    text = given.get(name, "")
    if not text:
        return default
    try:
        return min(max(int(text), 0), 2**62 if name == "after" else MOST)
    except ValueError:
        raise ArgumentsError(f"{name} is no whole number", [FieldError(name, "is no whole number", text)]) from None
