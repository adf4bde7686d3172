"""A set in memory, kept up to date by the change log."""

from __future__ import annotations

import gc
import threading
from typing import Any

from coflows_jupyter.mset.model import Page, decode
from coflows_jupyter.mset.store import MStore


class Copy:
    """All values of a set by entry ID, the oldest first.

    Args:
        store: where the set is.
        name: its ID.
    """

    def __init__(self, store: MStore, name: str) -> None:
        self._store = store
        self._name = name
        self._lock = threading.Lock()
        self._values: dict[str, Any] | None = None
        self._seq = 0
        self._version: object = None

    @property
    def loaded(self) -> bool:
        """Whether the set is in memory."""
        return self._values is not None

    def now(self) -> dict[str, Any]:
        """Return values by ID as they are now. The values are shared: whoever gives them away copies them."""
        with self._lock:
            return self._current().copy()

    def values(self) -> list[Any]:
        """Return the values as they are now; as with ``now``, they are shared."""
        with self._lock:
            return list(self._current().values())

    def _current(self) -> dict[str, Any]:
        # Before what it stands for is read: a change in between is read again, never missed.
        version = self._store.version(self._name)
        if self._values is None:
            return self._load(version)
        if version is not None and version == self._version:
            return self._values
        values = self._values
        while True:
            page = self._store.changes(self._name, self._seq)
            if page.reset:
                return self._load(version)
            _apply(values, page)
            if page.seq == self._seq:
                break
            self._seq = page.seq
        self._version = version
        return values

    def _load(self, version: object) -> dict[str, Any]:
        contents = self._store.load(self._name)
        collecting = gc.isenabled()
        # A million new objects would be searched for garbage again and again, and there is none.
        gc.disable()
        try:
            values = {entry: decode(value) for _, entry, value in contents.entries}
        finally:
            if collecting:
                gc.enable()
        self._values, self._seq, self._version = values, contents.seq, version
        return values


def _apply(values: dict[str, Any], page: Page) -> None:
    for _, op, entry, value, *_ in page.changes:
        if op == "clear":
            values.clear()
        elif op == "remove":
            values.pop(entry, None)
        else:
            values[entry] = decode(value)


def copied(value: Any) -> Any:
    """Return a JSON value that shares nothing changeable with ``value``."""
    if isinstance(value, dict):
        return {name: copied(item) for name, item in value.items()}
    if isinstance(value, list):
        return [copied(item) for item in value]
    return value
