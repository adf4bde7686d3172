"""Tells listeners of changes, by reading the change log when the database has changed."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable

from coflows_jupyter.errors import CoflowsError
from coflows_jupyter.mset.model import Page

POLL_SECONDS = 0.02
"""How often the database is asked whether it has changed; with SQLite that takes a few microseconds."""

log = logging.getLogger(__name__)


class _Listener:
    def __init__(self, name: str, after: int, listener: Callable[[Page], None]) -> None:
        self.name = name
        self.after = after
        self.listener = listener


class Follower:
    """One thread that follows the log for all listeners; it lives while there are any.

    Args:
        read: reads changes of a set after a sequence number, see ``MStore.changes``.
        signal: see ``SetDatabase.signal``.
    """

    def __init__(self, read: Callable[[str, int], Page], signal: Callable[[], int | None]) -> None:
        self._read = read
        self._signal = signal
        self._listeners: dict[int, _Listener] = {}
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._stop: threading.Event | None = None

    def add(self, name: str, after: int, listener: Callable[[Page], None]) -> Callable[[], None]:
        """Tell ``listener`` of changes to a set from now on; return what ends that."""
        if after < 0:
            after = self._read(name, after).seq
        with self._lock:
            number = next(self._numbers)
            self._listeners[number] = _Listener(name, after, listener)
            if self._stop is None:
                self._stop = threading.Event()
                # A daemon: it must not keep a process alive in which somebody forgot to stop listening.
                threading.Thread(target=self._follow, args=(self._stop,), name="coflows-m", daemon=True).start()
        return lambda: self._remove(number)

    def _remove(self, number: int) -> None:
        with self._lock:
            self._listeners.pop(number, None)
            if not self._listeners:
                self._end()

    def close(self) -> None:
        """Tell nobody of anything any more."""
        with self._lock:
            self._listeners.clear()
            self._end()

    def _end(self) -> None:
        if self._stop is not None:
            self._stop.set()
            self._stop = None

    def _follow(self, stop: threading.Event) -> None:
        seen: int | None = None
        told: set[int] = set()
        while not stop.wait(POLL_SECONDS):
            try:
                signal = self._signal()
                listeners = dict(self._listeners)
                for number in listeners if signal is None or signal != seen else listeners.keys() - told:
                    self._tell(listeners[number])
                seen, told = signal, set(listeners)
            except CoflowsError as error:
                log.warning("M sets can't be followed: %s", error.message)
                stop.wait(1.0)
            except Exception:
                log.exception("M sets can't be followed")
                stop.wait(1.0)

    def _tell(self, listener: _Listener) -> None:
        while True:
            page = self._read(listener.name, listener.after)
            if page.seq == listener.after and not page.reset:
                return
            listener.after = page.seq
            try:
                listener.listener(page)
            except Exception:
                log.exception("a listener to the M set %s failed", listener.name)
