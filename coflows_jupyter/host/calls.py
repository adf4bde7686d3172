"""The server's side of every call in flight on one host: futures, streams, deadlines."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from coflows_jupyter.errors import BusyError, CancelledError, CoflowsError, HostError, TimedOutError
from coflows_jupyter.host.frames import (
    PIECE,
    Body,
    Cancel,
    Chunk,
    Credit,
    Data,
    End,
    Failure,
    Head,
    Invoke,
    Output,
    Progress,
    Reply,
    Request,
    pieces,
)
from coflows_jupyter.host.protocol import Call, Result

MOST_IN_FLIGHT = 160
STOP_SECONDS = 2.0

SendRequest = Callable[[Request, Body], None]
OnOutput = Callable[[str, str, str], None]
OnProgress = Callable[[str, float, float, str], None]


def ignore_progress(_run_id: str, _done: float, _total: float, _text: str) -> None:
    """Take progress that nobody wants to know."""


class Stream:
    """A result body that arrives while it is read; credits go out as the reader goes."""

    def __init__(self, entry: _Entry) -> None:
        self._entry = entry
        self._chunks: deque[bytes] = deque()
        self._arrived = asyncio.Event()
        self._error: BaseException | None = None
        self._ended = False

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> bytes:
        while not self._chunks:
            if self._error is not None:
                raise self._error
            if self._ended:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        chunk = self._chunks.popleft()
        if not self._ended:
            self._entry.took(len(chunk))
        return chunk

    async def aclose(self) -> None:
        """Stop reading; a run that is not over is cancelled."""
        if not self._ended and self._error is None:
            self._entry.cancel()

    def put(self, chunk: bytes) -> None:
        """Take a chunk that arrived."""
        self._chunks.append(chunk)
        self._arrived.set()

    def end(self, error: BaseException | None = None) -> None:
        """Take the end: all of it is there, or ``error`` broke it off."""
        self._ended = error is None
        self._error = error
        self._arrived.set()


class _Entry:
    """One call in flight, until the host says that it is over."""

    __slots__ = ("future", "run_id", "stream", "table", "timeout", "timer")

    def __init__(self, table: CallTable, call: Call) -> None:
        self.table = table
        self.run_id = call.run_id
        self.timeout = call.timeout
        self.future: asyncio.Future[Result] = table.loop.create_future()
        self.stream: Stream | None = None
        self.timer = table.loop.call_later(call.timeout, self._expire)

    def took(self, size: int) -> None:
        """The reader took ``size`` bytes; the host has its whole time-out again for the next ones."""
        self.table.send(Credit(self.run_id, size), b"")
        self._rearm(self.timeout, self._expire)

    def cancel(self) -> None:
        """Ask the host to stop the run; its deadline stays what it is."""
        self.table.send(Cancel(self.run_id), b"")

    def fail(self, error: BaseException) -> None:
        """Tell whoever waits for the call."""
        if not self.future.done():
            self.future.set_exception(error)
        elif self.stream is not None:
            self.stream.end(error)

    def _rearm(self, delay: float, then: Callable[[], None]) -> None:
        self.timer.cancel()
        self.timer = self.table.loop.call_later(delay, then)

    def _expire(self) -> None:
        self.fail(TimedOutError(f"the call did not finish within {self.timeout:g} s"))
        self.cancel()
        self._rearm(STOP_SECONDS, self._stuck)

    def _stuck(self) -> None:
        self.table.on_stuck(self.run_id)


class CallTable:
    """Calls in flight on one host.

    Args:
        send: takes a frame and its body for the host.
        on_stuck: told of a run that did not stop within ``STOP_SECONDS`` after its deadline.
        on_output: told run ID, stream and text of what runs print.
        on_progress: told run ID, done, total and text of how far runs are.
    """

    def __init__(
        self,
        send: SendRequest,
        on_stuck: Callable[[str], None],
        on_output: OnOutput,
        on_progress: OnProgress = ignore_progress,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.send = send
        self.on_stuck = on_stuck
        self._on_output = on_output
        self._on_progress = on_progress
        self._entries: dict[str, _Entry] = {}
        self._drained = asyncio.Event()
        self._drained.set()

    def __len__(self) -> int:
        return len(self._entries)

    async def call(self, call: Call, drain: Callable[[], asyncio.Future[None] | None] = lambda: None) -> Result:
        """Send a call and wait for its result, as ``Host.call``.

        Args:
            call: the call.
            drain: gives a future to wait for while the way to the host is full.
        """
        if len(self._entries) >= MOST_IN_FLIGHT:
            raise BusyError(f"{MOST_IN_FLIGHT} calls are running or waiting already; try again in a moment")
        entry = self._entries[call.run_id] = _Entry(self, call)
        self._drained.clear()
        try:
            if len(call.data) <= PIECE:
                self.send(Invoke.of(call), call.data)
            else:
                await self._send_large(call, drain)
            return await entry.future
        except asyncio.CancelledError:
            if call.run_id in self._entries:
                entry.cancel()
            raise

    async def _send_large(self, call: Call, drain: Callable[[], asyncio.Future[None] | None]) -> None:
        self.send(Invoke.of(call), b"")
        for piece in pieces(call.data):
            if (room := drain()) is not None:
                await room
            self.send(Data(call.run_id), piece)
            await asyncio.sleep(0)

    def cancel(self, run_id: str) -> None:
        """Cancel a run for its caller; unknown IDs are ignored."""
        entry = self._entries.get(run_id)
        if entry is not None:
            entry.fail(CancelledError("the call was cancelled"))
            entry.cancel()

    def receive(self, frame: Reply, body: bytes) -> None:
        """Take a frame of the host's about a run."""
        if isinstance(frame, Output):
            self._on_output(frame.run_id, frame.stream, frame.text)
            return
        if isinstance(frame, Progress):
            self._on_progress(frame.run_id, frame.done, frame.total, frame.text)
            return
        assert isinstance(frame, Head | Chunk | Failure | End)
        entry = self._entries.get(frame.run_id)
        if entry is not None:
            self._receive(entry, frame, body)

    def _receive(self, entry: _Entry, frame: Head | Chunk | Failure | End, body: bytes) -> None:
        if isinstance(frame, Head):
            if frame.streamed:
                self._open_stream(entry, frame)
                return
            if not entry.future.done():
                result = Result(frame.status, frame.content_type, body, frame.headers, took=frame.took)
                entry.future.set_result(result)
        elif isinstance(frame, Chunk):
            if entry.stream is not None:
                entry.stream.put(body)
            return
        elif isinstance(frame, Failure):
            entry.fail(frame.error())
        elif entry.stream is not None:
            entry.stream.end()
        self._over(entry)

    def _open_stream(self, entry: _Entry, head: Head) -> None:
        if not entry.future.done():
            stream = entry.stream = Stream(entry)
            result = Result(head.status, head.content_type, stream, head.headers, head.length, head.took)
            entry.future.set_result(result)

    def _over(self, entry: _Entry) -> None:
        entry.timer.cancel()
        del self._entries[entry.run_id]
        if not self._entries:
            self._drained.set()

    def fail_all(self, error: CoflowsError) -> None:
        """End every call with ``error``: the host is gone."""
        for entry in list(self._entries.values()):
            entry.fail(type(error)(error.message) if isinstance(error, HostError) else error)
            self._over(entry)

    @property
    def patience(self) -> float:
        """The longest time-out of the calls in flight, in seconds."""
        return max((entry.timeout for entry in self._entries.values()), default=0.0)

    async def drain(self, seconds: float) -> bool:
        """Wait until no call is in flight, ``seconds`` at most; return whether that is so."""
        try:
            await asyncio.wait_for(self._drained.wait(), seconds)
        except TimeoutError:
            return False
        return True
