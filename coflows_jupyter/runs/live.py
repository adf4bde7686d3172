"""A run that goes on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from datetime import UTC, datetime

import msgspec

from coflows_jupyter.host.protocol import Call
from coflows_jupyter.queries.catalog import FunctionEntry
from coflows_jupyter.runs.arguments import keep, read
from coflows_jupyter.runs.model import Outcome, Progress, RunModel

LOG_LIMIT = 64 * 1024
CUT = "\n… the rest was not kept\n"

_BACKLOG = 1024


class LogPiece(msgspec.Struct, frozen=True):
    """A piece of what a run printed or logged; ``stream`` is stdout, stderr or log."""

    stream: str
    text: str


Happening = LogPiece | Progress | None
"""What a follower is told: a piece of the log, progress, or that there is no more to tell."""


class Run:
    """A run from its call to its end; all of it happens on the event loop.

    Args:
        call: the call.
        workflow: the Workflow's ID.
        build: ID of the Build that runs.
        entry: the function, ``None`` when the Build has none of that name.

    Attributes:
        noted: whether a row says that it goes on.
    """

    __slots__ = (
        "_began", "_followers", "_pieces", "build", "call", "entry", "error", "log_size", "noted", "outcome",
        "progress", "result_bytes", "seconds", "started", "status", "workflow",
    )  # fmt: skip

    def __init__(self, call: Call, workflow: str, build: str, entry: FunctionEntry | None) -> None:
        self.call = call
        self.workflow = workflow
        self.build = build
        self.entry = entry
        self.started = time.time()
        self._began = time.perf_counter()
        self.seconds = -1.0
        self.outcome: Outcome = "running"
        self.status = 0
        self.error = ""
        self.result_bytes = 0
        self.progress: Progress | None = None
        self.log_size = 0
        self.noted = False
        self._pieces: list[LogPiece] | None = None
        self._followers: list[asyncio.Queue[Happening]] | None = None

    # -- what happens --------------------------------------------------------------------------------------------------

    def write(self, stream: str, text: str) -> None:
        """Take what the run printed; the beginning is kept, and everything is told to those who follow."""
        if self._pieces is None:
            self._pieces = []
        piece = LogPiece(stream, text)
        if self.log_size <= LOG_LIMIT:
            room = LOG_LIMIT - self.log_size
            kept = piece if len(text) <= room else LogPiece(stream, text[:room] + CUT)
            self._pieces.append(kept)
            self.log_size += len(text)
        self._tell(piece)

    def report(self, progress: Progress) -> None:
        """Take how far the run is."""
        self.progress = progress
        self._tell(progress)

    def conclude(self, outcome: Outcome, status: int, error: str = "") -> None:
        """Take the end."""
        self.seconds = time.perf_counter() - self._began
        self.outcome, self.status, self.error = outcome, status, error
        self._tell(None)
        self._followers = None

    def _tell(self, happening: Happening) -> None:
        for queue in self._followers or ():
            if queue.full():
                # Who does not keep up loses the oldest; the end is never lost.
                queue.get_nowait()
            queue.put_nowait(happening)

    async def follow(self) -> AsyncGenerator[LogPiece | Progress]:
        """Give what was logged so far and the last progress, then everything as it happens, until the end."""
        queue: asyncio.Queue[Happening] | None = None
        if self.outcome == "running":
            queue = asyncio.Queue(_BACKLOG)
            self._followers = [*(self._followers or ()), queue]
        for piece in list(self._pieces or ()):
            yield piece
        if self.progress is not None:
            yield self.progress
        try:
            while queue is not None and (happening := await queue.get()) is not None:
                yield happening
        finally:
            if self._followers and queue in self._followers:
                self._followers.remove(queue)

    # -- what is known -------------------------------------------------------------------------------------------------

    @property
    def log(self) -> str:
        """What was kept of the log."""
        return "".join(piece.text for piece in self._pieces or ())

    def arguments(self) -> tuple[str, str | None]:
        """Return form and text of the arguments as far as they may be kept."""
        if self.outcome in {"denied", "refused"}:
            # Nobody knows which of them are secrets, and strangers are not to fill the history.
            return self.call.form, None
        return keep(self.call.form, self.call.data, self.entry.signature.parameters if self.entry else ())

    def row(self, owner: str = "") -> tuple[object, ...]:
        """Return the run as its row, in the order of the table's columns.

        Args:
            owner: which process works on it, while it goes on.
        """
        call = self.call
        form, arguments = self.arguments()
        return (
            call.run_id,
            self.workflow,
            call.query,
            call.function,
            call.caller.door,
            call.caller.id,
            form,
            arguments,
            self._when(),
            self._seconds(),
            self.outcome,
            self.status,
            _clean(self.error),
            self.build,
            self.result_bytes,
            _clean(self.log) if self._pieces else "",
            "query",
            owner,
        )

    def model(self) -> RunModel:
        """Describe the run as it is now."""
        call = self.call
        form, arguments = self.arguments()
        return RunModel(
            id=call.run_id,
            workflow=self.workflow,
            query=call.query,
            function=call.function,
            door=call.caller.door,
            caller=call.caller.id,
            arguments=None if arguments is None else read(form, arguments.encode()),
            started=self._when(),
            seconds=self._seconds(),
            outcome=self.outcome,
            status=self.status,
            error=self.error,
            build=self.build,
            result_bytes=self.result_bytes,
            progress=self.progress,
        )

    @property
    def age(self) -> float:
        """Seconds since the call."""
        return time.perf_counter() - self._began

    def _seconds(self) -> float:
        return round(self.age if self.seconds < 0 else self.seconds, 6)

    def _when(self) -> str:
        return datetime.fromtimestamp(self.started, UTC).isoformat(timespec="milliseconds")


def _clean(text: str) -> str:
    # Half of a surrogate pair is no text that a database takes.
    return text.encode("utf-8", "replace").decode()
