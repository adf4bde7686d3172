"""Results of calls that respond later: files, for some time and up to a size."""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
from collections.abc import AsyncIterator, Coroutine
from contextlib import aclosing
from pathlib import Path
from typing import Any

import msgspec

from coflows_jupyter.errors import CoflowsError, NotReadyError
from coflows_jupyter.host.protocol import Result
from coflows_jupyter.runs.live import Run
from coflows_jupyter.runs.model import RunModel

KEEP_SECONDS = 3600.0
MOST_KEPT = 1000
MOST_BYTES = 1024 * 1024 * 1024

_PIECE = 256 * 1024

log = logging.getLogger(__name__)


class Later:
    """A call that responds later.

    Attributes:
        run: while it goes on.
        task: done when the result is there, or the error.
        model: what is known of it at its end.
        log: what it printed, at its end.
        error: why there is no result.
        size: bytes of the result.
    """

    def __init__(self, run: Run, path: Path) -> None:
        self.run: Run | None = run
        self.task: asyncio.Task[None] | None = None
        self.model: RunModel | None = None
        self.log = ""
        self.error: CoflowsError | None = None
        self.size = 0
        self._path = path
        self._head: tuple[int, str, tuple[tuple[str, str], ...]] = (200, "", ())

    async def store(self, result: Result, most: int) -> None:
        """Write a result into the file.

        Raises:
            CoflowsError: it has more than ``most`` bytes.
        """
        self._head = result.status, result.content_type, result.headers
        with self._path.open("wb") as file:
            if isinstance(result.body, bytes):
                await asyncio.to_thread(file.write, result.body)
                self.size = len(result.body)
                return
            async with aclosing(result.body) as chunks:  # type: ignore[type-var]  # all bodies can be closed
                async for chunk in chunks:
                    self.size += len(chunk)
                    if self.size > most:
                        raise CoflowsError(f"the result has more than {most} bytes, too many to keep")
                    await asyncio.to_thread(file.write, chunk)

    def outcome(self) -> Result:
        """Return the result; its body is read from the file as it is taken.

        Raises:
            CoflowsError: what ended the call instead.
        """
        if self.error is not None:
            raise self.error
        status, content_type, headers = self._head
        return Result(status, content_type, self._read(), headers, self.size)

    async def _read(self) -> AsyncIterator[bytes]:
        with self._path.open("rb") as file:
            while chunk := await asyncio.to_thread(file.read, _PIECE):
                yield chunk

    def drop(self) -> None:
        """Delete the file."""
        self._path.unlink(missing_ok=True)


class Results:
    """Calls that respond later, and what they gave back, until ``KEEP_SECONDS`` after their end.

    Args:
        most_bytes: size of all results together; the oldest make room.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._folder: Path | None = None
        self._entries: dict[str, Later] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def start(self, run: Run, work: Coroutine[Any, Any, Result]) -> None:
        """Do the work of a run in the background, and keep its result."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="coflows-results-"))
        later = self._entries[run.call.run_id] = Later(run, self._folder / run.call.run_id)
        later.task = asyncio.get_running_loop().create_task(self._work(later, run, work))

    def get(self, run_id: str) -> Later | None:
        """Return a call that responds later, or did."""
        return self._entries.get(run_id)

    async def _work(self, later: Later, run: Run, work: Coroutine[Any, Any, Result]) -> None:
        try:
            await later.store(await work, self._most)
        except CoflowsError as error:
            later.error = error
        except asyncio.CancelledError:
            later.error = NotReadyError("the server stopped")
            raise
        except Exception:
            log.exception("the result of run %s could not be kept", run.call.run_id)
            later.error = CoflowsError("the result could not be kept; the server's log has the details")
        finally:
            self._ended(later, run)

    def _ended(self, later: Later, run: Run) -> None:
        if later.error is not None:
            later.drop()
            later.size = 0
        # The run itself holds its arguments, which may be large.
        later.model = msgspec.structs.replace(run.model(), kept=later.error is None)
        later.log, later.run = run.log, None
        run_id = run.call.run_id
        self._timers[run_id] = asyncio.get_running_loop().call_later(KEEP_SECONDS, self._drop, run_id)
        sizes = {name: self._entries[name].size for name in self._timers}
        while len(sizes) > MOST_KEPT or sum(sizes.values()) > self._most:
            oldest = next(iter(sizes))
            del sizes[oldest]
            self._drop(oldest)

    def _drop(self, run_id: str) -> None:
        self._timers.pop(run_id).cancel()
        self._entries.pop(run_id).drop()

    async def close(self) -> None:
        """Forget everything."""
        tasks = [later.task for later in self._entries.values() if later.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for run_id in list(self._timers):
            self._drop(run_id)
        if self._folder is not None:
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
