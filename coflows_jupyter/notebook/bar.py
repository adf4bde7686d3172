"""How far a run is, as a notebook shows it: a bar in its output, a line of text where there is no HTML."""

from __future__ import annotations

import time
from collections.abc import Callable
from html import escape
from types import TracebackType
from typing import Any, Self

from IPython.core.getipython import get_ipython
from IPython.display import display

UPDATE_SECONDS = 0.2
_WIDTH = 30


class Bar:
    """A bar that appears with the first progress and stays as it was at the end.

    In a notebook it is an output that changes in its place; anywhere else a line of the terminal.

    Args:
        name: what runs.
        clock: seconds that only grow.
    """

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._clock = clock
        self._began = clock()
        self._shown = 0.0
        self._done = self._total = 0.0
        self._text = ""
        self._end = ""
        self._handle: Any = None
        self._line: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        if kind is not None:
            self.end("interrupted" if issubclass(kind, KeyboardInterrupt) else "failed")

    def update(self, done: float, total: float, text: str) -> None:
        """Show how far the run is.

        Args:
            done: finished units.
            total: all units, 0 when nobody knows.
            text: what it is doing.
        """
        self._done, self._total, self._text = done, total, text
        now = self._clock()
        if self._line is None and self._handle is None:
            self._begin()
        elif now - self._shown < UPDATE_SECONDS:
            return
        self._shown = now
        self._draw()

    def end(self, outcome: str) -> None:
        """Show how the run ended, where there is a bar.

        Args:
            outcome: in a word.
        """
        if self._end:
            return
        self._end = outcome
        if self._line is not None:
            self._draw()
            self._line.stop()
        elif self._handle is not None:
            self._draw()

    def _begin(self) -> None:
        shell = get_ipython()
        if hasattr(shell, "kernel"):
            self._handle = display(self, display_id=True)  # type: ignore[no-untyped-call]
            return
        from rich.console import Console
        from rich.live import Live

        self._line = Live(console=Console(stderr=True), auto_refresh=False)
        self._line.start()

    def _draw(self) -> None:
        if self._handle is not None:
            self._handle.update(self)
        else:
            self._line.update(repr(self), refresh=True)

    @property
    def remaining(self) -> float | None:
        """Seconds until the end, as far as the run went so far; ``None`` when nobody knows."""
        if self._end or not 0 < self._done <= self._total:
            return None
        return (self._clock() - self._began) * (self._total - self._done) / self._done

    def _status(self) -> str:
        parts = [f"{self._done:g}/{self._total:g}" if self._total else f"{self._done:g}", self._text]
        parts.append(f"{_clock_face(self._clock() - self._began)} so far" if not self._end else self._end)
        if (seconds := self.remaining) is not None:
            parts.append(f"{_clock_face(seconds)} left")
        return ", ".join(filter(None, parts))

    def __repr__(self) -> str:
        """Return the bar as a line."""
        if not self._total:
            return f"{self._name}: {self._status()}"
        full = round(_WIDTH * min(1.0, max(0.0, self._done / self._total)))
        return f"{self._name} |{'█' * full}{'·' * (_WIDTH - full)}| {self._status()}"

    def _repr_html_(self) -> str:
        value = "" if not self._total else f' value="{self._done:g}"'
        return (
            f'<div style="display:flex;gap:1em;align-items:center"><code>{escape(self._name)}</code>'
            f'<progress aria-label="{escape(self._name)}" max="{self._total or 1:g}"{value}></progress>'
            f"<span>{escape(self._status())}</span></div>"
        )


def _clock_face(seconds: float) -> str:
    """Return a duration as ``m:ss`` or ``h:mm:ss``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
