"""Stops a call that runs Python code in another thread."""

from __future__ import annotations

import contextlib
import ctypes
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_set_async_exception = ctypes.pythonapi.PyThreadState_SetAsyncExc
_set_async_exception.argtypes = (ctypes.c_ulong, ctypes.py_object)

_NO_EXCEPTION = ctypes.py_object()  # a null pointer takes back an exception that was not raised yet


class CallCancelled(BaseException):
    """Raised inside user code whose call was cancelled or passed its deadline; no ``except Exception`` catches it."""


class Interrupt:
    """Runs a piece of work that another thread may interrupt at any bytecode.

    The exception is only ever raised inside ``run``: not before, not after, and never in a later piece of work of the
    same thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: int | None = None
        self._cancelled = False

    def run(self, work: Callable[[], T]) -> T:
        """Run ``work`` here.

        Raises:
            CallCancelled: ``cancel`` was called, before or meanwhile.
        """
        try:
            with self._lock:
                if self._cancelled:
                    raise CallCancelled
                self._thread = threading.get_ident()
            return work()
        finally:
            self._leave()

    def cancel(self) -> None:
        """Raise ``CallCancelled`` in the thread that is inside ``run``, or in the next one to enter it."""
        with self._lock:
            self._cancelled = True
            if self._thread is not None:
                _set_async_exception(self._thread, CallCancelled)

    def _leave(self) -> None:
        # The exception can still arrive while we are leaving, so leaving is repeated until it is done.
        done = False
        while not done:
            with contextlib.suppress(CallCancelled):
                with self._lock:
                    if self._cancelled and self._thread is not None:
                        _set_async_exception(self._thread, _NO_EXCEPTION)
                    self._thread = None
                done = True
