"""The surface of the original's ``M``, in the original's words."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import msgspec

from coflows_jupyter.errors import DeniedError
from coflows_jupyter.mset.model import Event

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

    def RawEntries(self) -> list[dict[str, str]]:
        """Return every entry as the original stores it."""
        return raw_entries(self.id, self.items())

    def RegisterAdd(self, fid: str, function: Callable[[str, Any], Any]) -> None:
        """Call ``function(id, value)`` for every value added from now on; ``fid`` names it, once per set."""
        self._register("add", fid, function)

    def RegisterExchange(self, fid: str, function: Callable[[str, Any], Any]) -> None:
        """Call ``function(id, value)`` for every value put in another's place."""
        self._register("exchange", fid, function)

    def RegisterRemove(self, fid: str, function: Callable[[str, Any], Any]) -> None:
        """Call ``function(id, value)`` for every value removed."""
        self._register("remove", fid, function)

    def _register(self, op: str, fid: str, function: Callable[[str, Any], Any]) -> None:
        def listen(change: Event) -> None:
            if change.op == op:
                function(change.entry, change.value)

        callbacks = self.__dict__.setdefault("_callbacks", {})
        stop = callbacks.pop((op, fid), None)
        if stop is not None:
            stop()
        callbacks[op, fid] = self.subscribe(listen)

    V = Typed(_field)
    C = Typed(_converted)


def raw_entries(name: str, items: list[tuple[str, Any]]) -> list[dict[str, str]]:
    """Return entries as the original stores them: the value as text, and the .NET type that it would have."""
    return [_raw(name, entry, value) for entry, value in items]


def _raw(name: str, entry: str, value: Any) -> dict[str, str]:
    text = isinstance(value, str)
    kind, assembly = ("System.String", "mscorlib") if text else ("Newtonsoft.Json.Linq.JObject", "Newtonsoft.Json")
    written = value if text else msgspec.json.encode(value).decode()
    return {"ID": name, "Entry": written, "EntryID": entry, "Type": kind, "Assembly": assembly}


def _unless_denied(work: Callable[[], object]) -> None:
    try:
        work()
    except DeniedError:
        return
