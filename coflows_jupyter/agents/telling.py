"""Tells web hooks and other Agents of runs that failed, and of the first success afterwards."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from coflows_jupyter.agents.model import AgentRun, public
from coflows_jupyter.errors import CoflowsError, UnreachableError
from coflows_jupyter.runtimes.agent import AgentEntry

TRIES = 3
PATIENCE_SECONDS = 10.0
_PAUSE_SECONDS = 2.0
_AGENT = "agent:"
_FAILED = frozenset(("failed", "timed_out", "lost"))

log = logging.getLogger(__name__)


class Teller:
    """Tells whom an Agent names of what became of its runs.

    Args:
        send: gives an Agent a message.
        before: returns the run of the same Agent that was over before this one.
    """

    def __init__(
        self,
        send: Callable[[str, str], Awaitable[object]],
        before: Callable[[AgentRun], Awaitable[AgentRun | None]],
    ) -> None:
        self._send = send
        self._before = before
        self._tasks: set[asyncio.Task[None]] = set()

    def tell(self, entry: AgentEntry, run: AgentRun) -> None:
        """Tell of a run that is over, without waiting for it to be heard."""
        if (run.state in _FAILED and entry.on_failure) or (run.state == "succeeded" and entry.on_recovery):
            task = asyncio.get_running_loop().create_task(self._tell(entry, run))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Tell nobody any more."""
        for task in self._tasks:
            task.cancel()

    async def _tell(self, entry: AgentEntry, run: AgentRun) -> None:
        target = entry.on_failure
        try:
            if run.state == "succeeded":
                before = await self._before(run)
                if before is None or before.state not in _FAILED:
                    return
                target = entry.on_recovery
            if target.startswith(_AGENT):
                await self._send(target.removeprefix(_AGENT), json.dumps(public(run)))
            else:
                await post(target, public(run))
        except CoflowsError as error:
            log.warning("Agent %s: %s could not be told of run %s: %s", entry.id, target, run.run_id, error.message)


async def post(url: str, document: Mapping[str, Any]) -> None:
    """Send ``document`` as JSON; one that is not taken is sent again twice.

    Raises:
        UnreachableError: it was not taken.
    """
    import httpx

    reason = ""
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(_PAUSE_SECONDS * attempt)
            try:
                response = await client.post(url, json=document)
            except httpx.HTTPError as error:
                reason = str(error) or type(error).__name__
            else:
                if response.is_success:
                    return
                reason = f"it answered {response.status_code}"
    raise UnreachableError(f"the hook does not take it: {reason}")
