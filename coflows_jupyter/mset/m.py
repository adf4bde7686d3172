"""``M``: a persistent set of JSON values, as user code has it."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from coflows_jupyter.access.permissions import AccessType
from coflows_jupyter.errors import ArgumentsError, DeniedError, FieldError
from coflows_jupyter.mset.conditions import Condition, meets, parse
from coflows_jupyter.mset.copy import Copy, copied
from coflows_jupyter.mset.model import Change, Event, Outcome, Page, check_id, decode, encode, event, new_id
from coflows_jupyter.mset.original import Original
from coflows_jupyter.mset.place import Place, here

if TYPE_CHECKING:
    from pandas import DataFrame

_WAIT_SECONDS = 0.2


class M(Original):
    """A set of JSON values under GUIDs, which everybody who may sees and changes at once.

    Equal values are kept once. A change is durable when the method returns. ``M.Base("prices")`` gives the set of
    that ID; it begins to exist with its first entry.

    Values are what results of functions are: whatever has a JSON form goes in, and plain JSON comes out (dates as
    ISO 8601 text, tuples as lists). What comes out is yours: changing it does not change the set.
    """

    def __init__(self, place: Place, name: str) -> None:
        self.id = check_id("an M set", name)
        self._place = place
        self._store = place.store
        self._copy = Copy(self._store, name)

    @staticmethod
    def Base(id: str, type: object = None) -> M:  # noqa: A002, ARG004, N802 - the original's names
        """Return the set with this ID; ``type`` is the original's and means nothing here."""
        return here().base(id)

    def __repr__(self) -> str:
        return f"<M {self.id}: {len(self)} entries>"

    def _may(self, level: AccessType) -> None:
        if self._place.level(self.id) < level:
            raise DeniedError(f"this needs {level.name.title()} on the M set {self.id}")

    def _apply(self, changes: list[Change], *, atomic: bool = False) -> list[Outcome]:
        self._may(AccessType.WRITE)
        return self._store.apply(self.id, changes, self._place.author(), atomic=atomic)

    def _do(self, change: Change) -> Outcome:
        return self._apply([change])[0]

    # -- changing ------------------------------------------------------------------------------------------------------

    def add(self, value: Any) -> str | None:
        """Add a value and return the ID of its entry; ``None`` when an equal one is there already."""
        outcome = self._do(Change("add", text=encode(value)))
        return outcome.entry if outcome.done else None

    def add_many(self, values: Iterable[Any]) -> list[str | None]:
        """Add values in one transaction; returns for each what ``add`` would."""
        outcomes = self._apply([Change("add", text=encode(value)) for value in values])
        return [outcome.entry if outcome.done else None for outcome in outcomes]

    def put(self, entry: str, value: Any) -> bool:
        """Put a value under an ID, whether there is one or not; false when an equal value has another ID."""
        return self._do(Change("put", check_id("an entry", entry), encode(value))).done

    def exchange(self, old: Any, new: Any) -> bool:
        """Put ``new`` in the place of ``old``, which keeps its ID; false when it is not there or ``new`` is already."""
        return self._do(Change("exchange", "", encode(new), encode(old).tag)).done

    def compare_and_set(self, entry: str, expected: Any, value: Any) -> bool:
        """Put a value under an ID if ``expected`` is there; false when anything else is."""
        return self._do(Change("exchange", check_id("an entry", entry), encode(value), encode(expected).tag)).done

    def remove(self, value: Any) -> bool:
        """Remove a value; false when it is not there."""
        return self._do(Change("remove", "", expected=encode(value).tag)).done

    def remove_id(self, entry: str) -> bool:
        """Remove the entry with this ID; false when there is none."""
        return self._do(Change("remove", check_id("an entry", entry))).done

    def clear(self) -> None:
        """Remove every entry."""
        self._do(Change("clear"))

    def transaction(self) -> Transaction:
        """Collect changes that are made all or not at all: ``with m.transaction() as t: t.add(…); t.remove(…)``."""
        return Transaction(self._apply)

    def __setitem__(self, entry: str, value: Any) -> None:
        if not self.put(entry, value):
            raise ArgumentsError(f"an equal value is in {self.id} already, under another ID")

    def __delitem__(self, entry: str) -> None:
        if not self.remove_id(entry):
            raise KeyError(entry)

    def __add__(self, value: Any) -> Self:
        self.add(value)
        return self

    def __sub__(self, value: Any) -> Self:
        self.remove(value)
        return self

    # -- reading -------------------------------------------------------------------------------------------------------

    def items(self, **conditions: Any) -> list[tuple[str, Any]]:
        """Return IDs and values, the oldest first; with conditions as ``where``."""
        self._may(AccessType.READ)
        wanted = parse(conditions)
        if wanted and self._is_quicker_there(wanted):
            found = self._store.select(self.id, wanted)
            return [(entry, decode(value)) for _, entry, value in found]
        return [
            (entry, copied(value)) for entry, value in self._copy.now().items() if not wanted or meets(value, wanted)
        ]

    def _is_quicker_there(self, conditions: tuple[Condition, ...]) -> bool:
        return not self._copy.loaded or self._store.indexed(self.id, conditions)

    def where(self, **conditions: Any) -> list[Any]:
        """Return the values whose fields meet all conditions: ``m.where(price__gte=1, name__in=["a", "b"])``.

        ``field=``, or ``field__`` and one of eq, ne, gt, gte, lt, lte, in, contains, startswith; ``a__b=`` is the field
        ``b`` of the object ``a``. A field that is not there counts as ``None``.
        """
        return [value for _, value in self.items(**conditions)]

    def query(self, predicate: Callable[[Any], Any]) -> list[Any]:
        """Return the values for which ``predicate`` says so; it must not change them."""
        self._may(AccessType.READ)
        return [copied(value) for value in self._copy.values() if predicate(value)]

    def index(self, field: str) -> None:
        """Make ``where`` on a field quick in large sets, for good; ``outer__inner`` is a field inside of an object."""
        self._may(AccessType.WRITE)
        self._store.index(self.id, tuple(field.split("__")))

    def get(self, entry: str, default: Any = None) -> Any:
        """Return the value with this ID."""
        self._may(AccessType.READ)
        value = self._store.get(self.id, entry)
        return default if value is None else decode(value)

    def find(self, value: Any) -> str | None:
        """Return the ID of a value, ``None`` when it is not there."""
        self._may(AccessType.READ)
        return self._store.find(self.id, encode(value).tag) or None

    def __getitem__(self, key: str | Callable[[Any], Any] | tuple[Callable[[Any], Any], Callable[[Any], Any]]) -> Any:
        if isinstance(key, tuple):
            return self._groups(*key)
        if callable(key):
            return self.query(key)
        value = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __contains__(self, value: object) -> bool:
        return self.find(value) is not None

    def __iter__(self) -> Iterator[Any]:
        return (value for _, value in self.items())

    def __len__(self) -> int:
        self._may(AccessType.READ)
        return self._store.count(self.id)

    def __bool__(self) -> bool:
        """Be true, as any object: an empty set is there, too."""
        return True

    def to_frame(self, **conditions: Any) -> DataFrame:
        """Return a pandas frame: a row per entry under its ID, a column per field; other values are in ``value``."""
        from pandas import DataFrame, Index

        items = self.items(**conditions)
        rows = [value if isinstance(value, dict) else {"value": value} for _, value in items]
        return DataFrame(rows, index=Index([entry for entry, _ in items], name="entry", dtype=object))

    # -- time ----------------------------------------------------------------------------------------------------------

    def history(self, entry: str) -> list[Event]:
        """Return what happened to an entry, as far as the log goes back."""
        self._may(AccessType.READ)
        return [event(logged) for logged in self._store.history(self.id, entry)]

    def at(self, time: datetime | str) -> dict[str, Any]:
        """Return the set as it was: values by ID.

        Args:
            time: a moment; ISO 8601 if it is text, and UTC if it does not say.

        Raises:
            NotFoundError: the log does not go back so far.
        """
        self._may(AccessType.READ)
        found = self._store.at(self.id, moment(time))
        return {entry: decode(value) for entry, value in found}

    def changes(self, after: int = 0) -> list[Event]:
        """Return what happened after the change ``after``, as far as the log goes back."""
        self._may(AccessType.READ)
        found: list[Event] = []
        while (page := self._store.changes(self.id, after)).seq != after:
            after = page.seq
            found += map(event, page.changes)
        return found

    def last_change(self) -> Event | None:
        """Return what happened last, ``None`` when nothing is known to have happened."""
        self._may(AccessType.READ)
        last = self._store.changes(self.id, -1).seq
        found = self._store.changes(self.id, last - 1).changes if last else []
        return event(found[0]) if found else None

    def watch(self, after: int = -1) -> Iterator[Event]:
        """Give changes as they happen, for as long as somebody asks; ``after`` as in ``changes``, by default from now.

        ``clear`` comes also when the log no longer has what was asked for: read the set anew.
        """
        self._may(AccessType.READ)
        arrived: queue.SimpleQueue[Page] = queue.SimpleQueue()
        stop = self._store.subscribe(self.id, after, arrived.put)
        return _follow(arrived, stop)

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call ``listener`` for every change from now on, on a thread of ours; return what ends that."""
        self._may(AccessType.READ)

        def tell(page: Page) -> None:
            for change in _events(page):
                listener(change)

        return self._store.subscribe(self.id, -1, tell)


def moment(time: datetime | str) -> str:
    """Return a time as stores take it.

    Raises:
        ArgumentsError: it can't be read.
    """
    try:
        found = datetime.fromisoformat(time) if isinstance(time, str) else time
    except ValueError:
        message = "is a time like 2026-11-24T18:00 (ISO 8601)"
        raise ArgumentsError(f"{time!r} {message}", [FieldError("at", message, str(time))]) from None
    found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    return found.isoformat(timespec="microseconds")


def _events(page: Page) -> Iterator[Event]:
    if page.reset:
        yield Event(page.seq, "clear", "", None, "", "", "")
    yield from map(event, page.changes)


def _follow(arrived: queue.SimpleQueue[Page], stop: Callable[[], None]) -> Iterator[Event]:
    try:
        while True:
            try:
                # A thread that waits forever can't be interrupted, neither by Ctrl-C nor at a deadline.
                page = arrived.get(timeout=_WAIT_SECONDS)
            except queue.Empty:
                continue
            yield from _events(page)
    finally:
        stop()


class Transaction:
    """Changes that are made all or not at all, when the ``with`` block ends without an error.

    Leaving the block raises ``ConflictError`` when one of them can't be made; then none is.
    """

    def __init__(self, apply: Callable[..., list[Outcome]]) -> None:
        self._apply = apply
        self._changes: list[Change] = []

    def add(self, value: Any) -> str:
        """Add a value and return the ID that it will have."""
        entry = new_id()
        self._changes.append(Change("add", entry, encode(value)))
        return entry

    def put(self, entry: str, value: Any) -> None:
        """Put a value under an ID, whether there is one or not."""
        self._changes.append(Change("put", check_id("an entry", entry), encode(value)))

    def exchange(self, old: Any, new: Any) -> None:
        """Put ``new`` in the place of ``old``."""
        self._changes.append(Change("exchange", "", encode(new), encode(old).tag))

    def remove(self, value: Any) -> None:
        """Remove a value."""
        self._changes.append(Change("remove", "", expected=encode(value).tag))

    def remove_id(self, entry: str) -> None:
        """Remove the entry with this ID."""
        self._changes.append(Change("remove", check_id("an entry", entry)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if kind is None and self._changes:
            self._apply(self._changes, atomic=True)
