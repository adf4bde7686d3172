"""Tells whoever watches that something about Agents changed, not more often than anybody can look."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from coflows_jupyter.agents.model import AgentRun

TELL_SECONDS = 0.25
_FAILURES = {"failed": "failed", "timed_out": "took too long", "lost": "was lost"}


class News:
    """Collects changes and tells them all at once.

    Args:
        on_change: told at most once within ``TELL_SECONDS``, with a sentence about the last run that failed for good,
            empty where none did.
    """

    def __init__(self, on_change: Callable[[str], None]) -> None:
        self._on_change = on_change
        self._failure = ""
        self._timer: asyncio.TimerHandle | None = None

    def changed(self) -> None:
        """Take that an Agent was switched, or that a run began or waits."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(TELL_SECONDS, self._tell)

    def ended(self, run: AgentRun) -> None:
        """Take a run that is over."""
        if run.state in _FAILURES:
            self._failure = f"{run.agent_id} {_FAILURES[run.state]}{run.reason and f': {run.reason}'}"
        self.changed()

    def _tell(self) -> None:
        failure, self._failure, self._timer = self._failure, "", None
        self._on_change(failure)

    def close(self) -> None:
        """Tell nothing more."""
        if self._timer is not None:
            self._timer.cancel()
