"""The surface of the original's ``M``, in the original's words."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import msgspec

from coflows_jupyter.errors import DeniedError
from coflows_jupyter.jsonform import to_json
from coflows_jupyter.mset.model import Change, Event, Outcome, check_id, encode

Callback = Callable[[str, Any], Any] | str
"""What is told of an entry's ID and value, or its name."""

_TEXT = "System.String"

_NEUTRAL: dict[type, Any] = {
    str: "",
    bool: False,
    int: -(2**31),
    float: float("nan"),
    dt.datetime: dt.datetime.min,  # noqa: DTZ901 - the original's
}


class KeyValue(NamedTuple):
    """An entry as ``KeyValues`` gives it."""

    Key: str
    Value: Any


class Grouping(list[Any]):
    """The values of a group, in their order; ``Key`` is what they have in common."""

    def __init__(self, key: Any) -> None:
        super().__init__()
        self.Key = key


@dataclass(frozen=True)
class RawEntry:
    """An entry as the original stores it.

    Args:
        ID: the set's.
        Entry: the value as text.
        EntryID: the entry's.
        Type: the .NET type that the value would have.
        Assembly: where that type would be.
    """

    ID: str
    Entry: str
    EntryID: str
    Type: str
    Assembly: str


class Typed:
    """A function that may be told a type in brackets, as the original's generic ones: ``M.V[str](value, "name")``.

    Args:
        function: takes a keyword ``type``.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self.__doc__ = function.__doc__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs)

    def __getitem__(self, type: Any) -> Callable[..., Any]:
        # A type of .NET says which of Python's own stands for it.
        return functools.partial(self._function, type=getattr(type, "python", type))


def _field(value: Any, name: str, type: type | None = None) -> Any:
    """Return a field of an object or of its JSON text; what is not there or of another type is neutral.

    Args:
        value: an object, a mapping or JSON text of one.
        name: the field.
        type: what it must be; neutral values are ``""``, ``False``, -2147483648, NaN and ``datetime.min``.
    """
    value = _converted(value)
    found = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
    if type is dt.datetime and isinstance(found, str):
        try:
            found = dt.datetime.fromisoformat(found)
        except ValueError:
            found = None
    if type is float and isinstance(found, int) and not isinstance(found, bool):
        found = float(found)
    fits = type is None or (isinstance(found, type) and (type is bool or not isinstance(found, bool)))
    return found if fits else _NEUTRAL.get(type)  # type: ignore[arg-type]  # only what does not fit has a type


def _converted(value: Any, type: Any = None) -> Any:
    """Return JSON text as a value; with ``type`` as a value of that type."""
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value)
        except msgspec.DecodeError:
            return value
    return value if type is None else msgspec.convert(value, type)


class Original:
    """What code of the original calls. Where it may not write, it is told by ``None`` instead of an error."""

    StaticMemory: ClassVar[dict[str, Any]] = {}
    """A dictionary of this process, for user code."""

    _dic: ClassVar[dict[str, Callable[..., Any]]] = {}
    """Functions of this process by the names that ``Utils.SetFunction`` gave them."""

    id: str
    _callbacks: dict[tuple[str, str], Callable[[], None]]

    if TYPE_CHECKING:
        # What M has, in Python's words; this class only says it in the original's.
        def add(self, value: Any) -> str | None: ...
        def put(self, entry: str, value: Any) -> bool: ...
        def exchange(self, old: Any, new: Any) -> bool: ...
        def remove(self, value: Any) -> bool: ...
        def remove_id(self, entry: str) -> bool: ...
        def clear(self) -> None: ...
        def _apply(self, changes: list[Change]) -> list[Outcome]: ...
        def last_change(self) -> Event | None: ...
        def query(self, predicate: Callable[[Any], Any]) -> list[Any]: ...
        def items(self) -> list[tuple[str, Any]]: ...
        def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]: ...

    def Add(self, value: Any) -> str | None:
        """Add a value and return the ID of its entry; ``None`` when it is there, is ``None``, or may not be added."""
        if value is None:
            return None
        try:
            return self.add(value)
        except DeniedError:
            return None

    def AddID(self, key: str, value: Any, type: object = None, assembly: object = None, update: object = True) -> None:  # noqa: ARG002, FBT002
        """Add a value under an ID."""
        _unless_denied(lambda: self.put(key, value))

    def Exchange(self, old: Any, new: Any) -> None:
        """Put ``new`` in the place of ``old``, if that is there."""
        _unless_denied(lambda: self.exchange(old, new))

    def ExchangeID(
        self,
        key: str,
        value: Any,
        type: object = None,  # noqa: ARG002
        assembly: object = None,  # noqa: ARG002
        update: object = True,  # noqa: ARG002, FBT002
    ) -> None:
        """Put a value in the place of the one with this ID."""
        _unless_denied(lambda: self.put(key, value))

    def Remove(self, value: Any) -> None:
        """Remove a value."""
        _unless_denied(lambda: self.remove(value))

    def RemoveID(self, key: str, update: object = True) -> None:  # noqa: ARG002, FBT002
        """Remove the entry with this ID."""
        _unless_denied(lambda: self.remove_id(key))

    @property
    def ID(self) -> str:
        """The set's ID."""
        return self.id

    @property
    def Changes(self) -> list[Any]:
        """What is not saved yet: never anything."""
        return []

    @property
    def Timestamp(self) -> dt.datetime:
        """When the set was changed last, in UTC; the original told when this process used it last."""
        last = self.last_change()
        return dt.datetime.fromisoformat(last.at).replace(tzinfo=None) if last else dt.datetime.min  # noqa: DTZ901

    @staticmethod
    def Clear() -> None:
        """Do nothing: what this process has of sets in memory is what is stored."""

    def ClearMemory(self) -> None:
        """Do nothing, as ``Clear``."""

    def Save(self) -> Self:
        """Do nothing: what was changed is saved already."""
        return self

    def Delete(self, only_memory: bool = False) -> None:  # noqa: FBT001, FBT002
        """Remove every entry; with ``only_memory`` nothing happens."""
        if not only_memory:
            _unless_denied(self.clear)

    def Query(self, predicate: Callable[[Any], Any]) -> list[Any]:
        """Return the values for which ``predicate`` says so; nothing when they may not be read."""
        try:
            return self.query(predicate)
        except DeniedError:
            return []

    def KeyValues(self) -> list[KeyValue]:
        """Return every entry."""
        return [KeyValue(*item) for item in self.items()]

    def _groups(self, predicate: Callable[[Any], Any], key: Callable[[Any], Any]) -> list[Grouping]:
        """Return the values for which ``predicate`` says so, together with those of an equal ``key``."""
        groups: dict[bytes, Grouping] = {}
        for value in self.Query(predicate):
            found = key(value)
            # Keys are equal when their JSON is, as values are: objects and lists, too.
            groups.setdefault(to_json(found, ordered=True), Grouping(found)).append(value)
        return list(groups.values())

    def LoadRaw(self, entries: Iterable[RawEntry | Mapping[str, str]] | None) -> None:
        """Add entries as ``RawEntries`` gives them, of whatever set; what is there already stays."""
        changes = [_loaded(entry) for entry in entries or ()]
        if changes:
            _unless_denied(lambda: self._apply(changes))

    def RawEntries(self) -> list[RawEntry]:
        """Return every entry as the original stores it."""
        return raw_entries(self.id, self.items())

    def RegisterAdd(self, fid: str, function: Callback) -> None:
        """Call ``function(id, value)`` for every value added from now on.

        Args:
            fid: names the callback, once per set.
            function: a function, or the name that ``Utils.SetFunction`` gave to one.

        Raises:
            TypeError: it is neither.
        """
        self._register("add", fid, function)

    def RegisterExchange(self, fid: str, function: Callback) -> None:
        """Call ``function(id, value)`` for every value put in another's place; otherwise as ``RegisterAdd``."""
        self._register("exchange", fid, function)

    def RegisterRemove(self, fid: str, function: Callback) -> None:
        """Call ``function(id, value)`` for every value removed; otherwise as ``RegisterAdd``."""
        self._register("remove", fid, function)

    def _register(self, op: str, fid: str, function: Callback) -> None:
        found = self.function(function)

        def listen(change: Event) -> None:
            if change.op == op:
                found(change.entry, change.value)

        callbacks = self.__dict__.setdefault("_callbacks", {})
        stop = callbacks.pop((op, fid), None)
        if stop is not None:
            stop()
        callbacks[op, fid] = self.subscribe(listen)

    @classmethod
    def function(cls, name: Callback) -> Callable[..., Any]:
        """Return the function of a name of ``Utils.SetFunction``; a function stands for itself.

        Raises:
            TypeError: it is neither.
        """
        found = getattr(name, "function", None) or (cls._dic.get(name) if isinstance(name, str) else name)
        if not callable(found):
            raise TypeError(f"{name!r} is no function, and no name that Utils.SetFunction gave to one")
        return found

    V = Typed(_field)
    C = Typed(_converted)


def raw_entries(name: str, items: list[tuple[str, Any]]) -> list[RawEntry]:
    """Return entries as the original stores them."""
    return [_raw(name, entry, value) for entry, value in items]


def _raw(name: str, entry: str, value: Any) -> RawEntry:
    if isinstance(value, str):
        return RawEntry(name, value, entry, _TEXT, "mscorlib")
    return RawEntry(name, to_json(value).decode(), entry, "Newtonsoft.Json.Linq.JObject", "Newtonsoft.Json")


def _loaded(entry: RawEntry | Mapping[str, str]) -> Change:
    raw = entry if isinstance(entry, RawEntry) else RawEntry(**{"ID": "", "Type": "", "Assembly": "", **entry})
    value = raw.Entry if raw.Type == _TEXT else _converted(raw.Entry)
    return Change("add", check_id("an entry", raw.EntryID), encode(value))


def _unless_denied(work: Callable[[], object]) -> None:
    try:
        work()
    except DeniedError:
        return
