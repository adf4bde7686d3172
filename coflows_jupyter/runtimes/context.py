"""The call that the current thread or task works for."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from coflows_jupyter.access.permissions import Caller

Output = Callable[[str, str], None]
Progress = Callable[[float, float, str], None]


def _ignore(_done: float, _total: float, _text: str) -> None:
    """Take progress that nobody wants to know."""


class CallContext:
    """What user code may know about the call it runs in.

    Attributes:
        run_id: names the run in answers and logs.
        caller: who called.
        query: the Query's ID.
        function: the function's name.
        deadline: ``time.monotonic()`` value at which the call is asked to stop.
        output: takes a stream's name (``stdout``, ``stderr`` or ``log``) and a piece of text.
        progress: takes how much is done, how much there is (0 when nobody knows), and what is being done.
        bar: the progress bar that is shown for the call, of those that its code has open.
        stopping: whether the call was asked to stop.
    """

    __slots__ = (
        "_stop",
        "bar",
        "caller",
        "deadline",
        "function",
        "output",
        "progress",
        "query",
        "run_id",
        "stopping",
    )

    def __init__(
        self,
        run_id: str,
        caller: Caller,
        query: str,
        function: str,
        deadline: float,
        output: Output,
        progress: Progress = _ignore,
    ) -> None:
        self.run_id = run_id
        self.caller = caller
        self.query = query
        self.function = function
        self.deadline = deadline
        self.output = output
        self.progress = progress
        self.bar: Any = None
        self.stopping = False
        self._stop: Callable[[], None] | None = None

    def on_stop(self, stop: Callable[[], None]) -> None:
        """Call ``stop`` when the call is asked to stop, at once if it was already."""
        self._stop = stop
        if self.stopping:
            stop()

    def stop(self) -> None:
        """Ask the call to stop; whatever runs it hears of it if it said how."""
        self.stopping = True
        if self._stop is not None:
            self._stop()


_current: ContextVar[CallContext | None] = ContextVar("coflows_call", default=None)


def current() -> CallContext | None:
    """Return the call that this thread or task works for, ``None`` outside of one."""
    return _current.get()


def enter(context: CallContext) -> None:
    """Make ``context`` the current one in this thread's or task's context."""
    _current.set(context)
