"""A host in a process of its own, behind one inherited socket pair."""

from __future__ import annotations

import asyncio
import logging
import signal
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, cast

from coflows_jupyter.build.model import Build
from coflows_jupyter.database.location import Location
from coflows_jupyter.errors import CoflowsError, CrashedError, NotReadyError
from coflows_jupyter.host.calls import CallTable, OnOutput, OnProgress, ignore_progress
from coflows_jupyter.host.early import EarlyHost
from coflows_jupyter.host.frames import (
    Ask,
    Body,
    Load,
    LoadDone,
    Ready,
    Request,
    Unpacker,
    Warm,
    decode_reply,
    pack,
)
from coflows_jupyter.host.launch import launch
from coflows_jupyter.host.protocol import Call, Loaded, Result
from coflows_jupyter.host.secrets import Counter, TellSecret, no_secret

State = Literal["starting", "spare", "loading", "serving", "draining", "ended"]

START_SECONDS = 60.0
LOAD_SECONDS = 120.0
CUT_OFF_SECONDS = 10.0

log = logging.getLogger(__name__)

# Linux ends a host with the thread that started it, so that thread must live as long as the server.
_starter = ThreadPoolExecutor(1, "coflows-starter")


class ProcessHost:
    """Starts a host process and talks to it.

    Args:
        name: what to call it in states and logs.
        on_output: told run ID, stream and text of what runs print.
        on_end: told once when the process has ended or must be replaced; the state says which.
        on_progress: told run ID, done, total and text of how far runs are.
        database: where M sets are; ``None`` when there is no database for them.
        secrets: tells the text of a secret by its name.
    """

    def __init__(
        self,
        name: str,
        on_output: OnOutput,
        on_end: Callable[[ProcessHost], None],
        on_progress: OnProgress = ignore_progress,
        database: Location | None = None,
        secrets: TellSecret = no_secret,
    ) -> None:
        self.name = name
        self._counter = Counter(secrets, self._send)
        self._database = database
        self.state: State = "starting"
        self.pid = 0
        self.modules: tuple[str, ...] = ()
        self.cause = ""
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self.calls = CallTable(self._send, self._stuck, on_output, on_progress)
        self._process: subprocess.Popen[bytes] | None = None
        self._transport: asyncio.Transport | None = None
        self._room: asyncio.Future[None] | None = None
        self._replies: asyncio.Queue[Ready | LoadDone | CoflowsError] = asyncio.Queue()
        self._early: Build | None = None
        self._ended = asyncio.Event()

    async def start(self, early: EarlyHost | None = None) -> None:
        """Start the process and wait until it answers.

        Args:
            early: one that was started already, and loads its Build.

        Raises:
            CrashedError: it ended instead.
        """
        if early is None:
            self._process, connection = await self._loop.run_in_executor(_starter, launch)
        else:
            self._process, connection, self._early = early.process, early.connection, early.build
        assert self._process is not None
        self.pid = self._process.pid
        connection.setblocking(False)
        await self._loop.create_unix_connection(lambda: _Connection(self), sock=connection)
        await self._answer(START_SECONDS, "start")
        if self.state == "starting":
            self.state = "spare"

    async def warm(self, modules: Sequence[str], build: Build | None = None) -> None:
        """Import modules ahead of time, and start what a Build like ``build`` runs on; what can't be is passed over."""
        like = (build.paths, build.net, build.jvm) if build is not None else ((), None, None)
        await self._request(Warm(tuple(modules), *like), START_SECONDS, "warm up")

    async def load(self, build: Build) -> Loaded:
        """Load ``build``; see ``Host.load``."""
        self.state = "loading"
        if self._early == build:
            done = await self._answer(LOAD_SECONDS, "load the Workflow")
        else:
            done = await self._request(Load(build, self._database), LOAD_SECONDS, "load the Workflow")
        assert isinstance(done, LoadDone)
        self.modules = done.modules
        self.state = "serving"
        return done.loaded

    async def call(self, call: Call) -> Result:
        """Run a call; see ``Host.call``."""
        if self.state != "serving":
            raise NotReadyError("the host is being replaced; try again in a moment")
        return await self.calls.call(call, lambda: self._room)

    async def cancel(self, run_id: str) -> None:
        """Ask a running call to stop."""
        self.calls.cancel(run_id)

    async def close(self, drain: float) -> None:
        """Take no new calls, give those in flight ``drain`` seconds, then end the process."""
        if self.state != "ended":
            self.state = "draining"
            if drain > 0:
                await self.calls.drain(drain)
            self.calls.fail_all(NotReadyError("the call was cut off because its host was replaced"))
        self.kill()
        await self._ended.wait()

    def kill(self) -> None:
        """End the process at once."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
        elif self._process is None:
            self._ended.set()

    # -- replies ---------------------------------------------------------------------------------------------------

    async def _request(self, frame: Request, seconds: float, what: str) -> Ready | LoadDone:
        self._send(frame, b"")
        return await self._answer(seconds, what)

    async def _answer(self, seconds: float, what: str) -> Ready | LoadDone:
        if self.state == "ended":
            raise CrashedError(self.cause)
        try:
            reply = await asyncio.wait_for(self._replies.get(), seconds)
        except TimeoutError:
            self.kill()
            raise CrashedError(f"the host did not {what} within {seconds:g} s") from None
        if isinstance(reply, CoflowsError):
            raise reply
        return reply

    def _send(self, frame: Request, body: Body) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join((pack(frame, len(body)), body)))

    def received(self, header: bytes | memoryview, body: bytes) -> None:
        """Take a frame from the socket."""
        frame = decode_reply(header)
        if isinstance(frame, Ready | LoadDone):
            self._replies.put_nowait(frame)
        elif isinstance(frame, Ask):
            self._counter.ask(frame)
        else:
            self.calls.receive(frame, body)

    def connected(self, transport: asyncio.Transport) -> None:
        """Remember the way to the host."""
        self._transport = transport

    def paused(self) -> None:
        """The socket is full: large arguments wait."""
        self._room = self._loop.create_future()

    def resumed(self) -> None:
        """The socket takes more."""
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        self._room = None

    # -- ends ------------------------------------------------------------------------------------------------------

    def lost(self) -> None:
        """The socket closed: the process has ended, or is about to."""
        self.resumed()
        self._ending = self._loop.create_task(self._bury())

    async def _bury(self) -> None:
        assert self._process is not None
        code = await asyncio.to_thread(self._wait, self._process)
        planned = self.state == "draining"
        self.state = "ended"
        self.cause = self.cause or f"the host process {self.pid} {_cause(code)}"
        error: CoflowsError = NotReadyError("the call was cut off") if planned else CrashedError(self.cause)
        self._replies.put_nowait(error)
        self.calls.fail_all(error)
        self._ended.set()
        if not planned:
            log.warning("%s: %s", self.name, self.cause)
            self._on_end(self)

    @staticmethod
    def _wait(process: subprocess.Popen[bytes]) -> int:
        try:
            return process.wait(2)
        except subprocess.TimeoutExpired:  # it closed its socket but lives on
            process.kill()
            return process.wait()

    def _stuck(self, run_id: str) -> None:
        """The third rung of the deadline ladder: replace the host, give the other calls some time, then kill."""
        if self.state == "serving":
            log.warning("%s: run %s does not stop; the host is replaced", self.name, run_id)
            self.state = "draining"
            self._on_end(self)
            self._closing = self._loop.create_task(self._cut_off())

    async def _cut_off(self) -> None:
        await self.calls.drain(CUT_OFF_SECONDS)
        await self.close(0)


class _Connection(asyncio.Protocol):
    """The socket's end in the server."""

    def __init__(self, host: ProcessHost) -> None:
        self._host = host
        self._unpacker = Unpacker()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._host.connected(cast(asyncio.Transport, transport))  # uvloop's are none by inheritance

    def data_received(self, data: bytes) -> None:
        for header, body in self._unpacker.feed(data):
            self._host.received(header, body)

    def pause_writing(self) -> None:
        self._host.paused()

    def resume_writing(self) -> None:
        self._host.resumed()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  (asyncio's signature)
        self._host.lost()


def _cause(code: int) -> str:
    if code >= 0:
        return f"ended itself with exit code {code} (os._exit or a fatal error in native code)"
    number = signal.Signals(-code)
    if number == signal.SIGKILL:
        return "was killed (SIGKILL); the system does that when memory runs out"
    what = {signal.SIGSEGV: "a segmentation fault", signal.SIGABRT: "an abort in native code"}.get(number)
    return f"ended by {what} ({number.name})" if what else f"was ended by {number.name}"
