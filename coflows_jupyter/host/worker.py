"""Runs calls: the part of a host that is the same in the server's process and in one of its own.

Frames come in through ``receive`` and go out through ``send``. Sync functions run on threads of the worker's own,
async functions on its event loop; a result is encoded where no event loop waits for it.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import contextvars
import inspect
import itertools
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

from coflows_jupyter.build.model import Build
from coflows_jupyter.errors import (
    CancelledError,
    CoflowsError,
    CrashedError,
    Diagnostic,
    FunctionError,
    NotFoundError,
)
from coflows_jupyter.host.frames import (
    PIECE,
    WINDOW,
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
    Request,
    SendReply,
    pieces,
)
from coflows_jupyter.host.protocol import Call, Loaded, Took
from coflows_jupyter.host.threads import Threads
from coflows_jupyter.queries.arguments import Binder
from coflows_jupyter.queries.catalog import Catalog, QueryEntry, make_entry
from coflows_jupyter.queries.results import Encoded, encode
from coflows_jupyter.runtimes import capture, progress
from coflows_jupyter.runtimes.context import CallContext, enter
from coflows_jupyter.runtimes.interrupt import CallCancelled, Interrupt
from coflows_jupyter.runtimes.protocol import Function
from coflows_jupyter.runtimes.python import PythonRuntime, exception_line, user_traceback

T = TypeVar("T")

THREADS = 32

_NOTHING = b""


class _Window:
    """How many bytes of a stream may be on their way; the writer waits, the reader's credits reopen it."""

    def __init__(self) -> None:
        self._free = WINDOW
        self._closed = False
        self._changed = threading.Condition()

    def take(self, size: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._free > 0 or self._closed)
            if self._closed:
                raise CallCancelled
            self._free -= size

    def give(self, size: int) -> None:
        with self._changed:
            self._free += size
            self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()


class _Run:
    """One call on its way through the worker."""

    def __init__(self, invoke: Invoke, send: SendReply) -> None:
        self.invoke = invoke
        self.interrupt = Interrupt()
        self.window: _Window | None = None
        self.data = bytearray()
        self._laps: list[float] = []
        self._send = send
        self._output: capture.OutputBuffer | None = None
        self._progress: progress.Latest | None = None
        self.waits_for: concurrent.futures.Future[Any] | None = None
        self._cancelled = False

    def context(self) -> contextvars.Context:
        """Return a fresh context in which this is the current call."""
        call = self.invoke
        context = contextvars.Context()
        deadline = time.monotonic() + call.timeout
        about = call.run_id, call.caller, call.query, call.function, deadline
        context.run(enter, CallContext(*about, self.write, self.report))
        return context

    def lap(self) -> None:
        """Note the time: before the arguments are made, before the function is called, after it, at the end."""
        self._laps.append(time.perf_counter())

    def encode(self, value: object) -> Encoded:
        """Encode what the function returned."""
        self.lap()
        encoded = encode(value, self.invoke.accept)
        self.lap()
        return encoded

    def took(self) -> Took:
        """Return where the time went."""
        return Took(*(end - start for start, end in itertools.pairwise(self._laps)))

    def write(self, stream: str, text: str) -> None:
        """Take what the call prints; most calls print nothing and so have no buffer."""
        if self._output is None:
            # Two threads may both get here: what the first one wrote stays in the buffer that it made, and is flushed.
            self._output = capture.OutputBuffer(self._emit)
        self._output.write(stream, text)

    def _emit(self, stream: str, text: str) -> None:
        self._send(Output(self.invoke.run_id, stream, text), _NOTHING)

    def report(self, done: float, total: float, text: str) -> None:
        """Take how far the call is."""
        if self._progress is None:
            self._progress = progress.Latest(self._emit_progress)
        self._progress.report(done, total, text)

    def _emit_progress(self, done: float, total: float, text: str) -> None:
        self._send(Progress(self.invoke.run_id, done, total, text), _NOTHING)

    def flush(self) -> None:
        if self._output is not None:
            self._output.flush()
        if self._progress is not None:
            self._progress.flush()

    def open_window(self) -> None:
        """Begin to stream."""
        self.window = _Window()
        if self._cancelled:
            self.window.close()

    def cancel(self) -> None:
        self._cancelled = True
        if self.window is not None:
            self.window.close()
        self.interrupt.cancel()
        if self.waits_for is not None:
            self.waits_for.cancel()

    def wait(self, coroutine: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop) -> concurrent.futures.Future[T]:
        """Start ``coroutine`` on ``loop``, in the current context, in such a way that ``cancel`` reaches it."""
        future = self.waits_for = asyncio.run_coroutine_threadsafe(coroutine, loop)
        if self._cancelled:
            future.cancel()
        return future


class Worker:
    """Holds one Build's functions and runs calls on them.

    Args:
        send: takes a frame and its body, from any thread; it may block.
    """

    def __init__(self, send: SendReply) -> None:
        self._send = send
        self._functions: dict[tuple[str, str], tuple[Function, Binder]] = {}
        self._runs: dict[str, _Run] = {}
        self._threads = Threads(THREADS, "coflows-call")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_lock = threading.Lock()
        self._runtime: PythonRuntime | None = None
        capture.install()
        progress.install()

    # -- loading ---------------------------------------------------------------------------------------------------

    def load(self, build: Build) -> Loaded:
        """Load every unit of ``build``; a unit that fails leaves the others callable."""
        runtime = self._runtime = PythonRuntime(Path(build.folder), build.units, build.paths)
        diagnostics: list[Diagnostic] = []
        queries: dict[str, QueryEntry] = {}
        complete = True
        for unit in build.units:
            if unit.language != "python":
                message = f"{unit.language} sources are listed, but this version runs Python only"
                diagnostics.append(Diagnostic(unit.path, 0, 0, "warning", "no-runtime", message))
                continue
            found = runtime.compile(unit)
            functions: dict[str, Function] = {}
            if not found and unit.kind == "query":
                functions, found = runtime.load(unit)
            complete &= not any(d.severity == "error" for d in found)
            diagnostics += found
            if unit.kind == "query" and not found:
                entry, findings = make_entry(unit, [f.signature for f in functions.values()])
                diagnostics += findings
                queries[entry.id] = entry
                for name, function in functions.items():
                    signature = entry.functions[name].signature
                    self._functions[entry.id, name] = function, Binder(function.target, signature)
        return Loaded(Catalog(build.id, queries), tuple(dict.fromkeys(diagnostics)), complete)

    def close(self) -> None:
        """Cancel what runs and give the Workflow's modules back; only the embedded host needs it."""
        for run in list(self._runs.values()):
            run.cancel()
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._threads.close()
        if self._runtime is not None:
            self._runtime.close()

    # -- calls -----------------------------------------------------------------------------------------------------

    def receive(self, frame: Request, body: bytes) -> None:
        """Take a frame about a call; it returns at once."""
        if isinstance(frame, Invoke):
            run = self._runs[frame.run_id] = _Run(frame, self._send)
            self._take(run, body)
        elif isinstance(frame, Data | Credit | Cancel):
            found = self._runs.get(frame.run_id)
            if found is None:
                return
            if isinstance(frame, Data):
                self._take(found, body)
            elif isinstance(frame, Credit):
                if found.window is not None:
                    found.window.give(frame.size)
            else:
                found.cancel()

    def _take(self, run: _Run, body: bytes) -> None:
        if len(body) == run.invoke.size:
            self._start(run, run.invoke.call(body))
            return
        run.data += body
        if len(run.data) == run.invoke.size:
            self._threads.submit(lambda: self._start(run, run.invoke.call(bytes(run.data))))

    def _start(self, run: _Run, call: Call) -> None:
        found = self._functions.get((call.query, call.function))
        if found is None:
            self._fail(run, NotFoundError(f"{call.query} has no function {call.function}"))
            return
        function, binder = found
        context = run.context()
        if function.signature.is_async:
            context.run(self._run_async, run, call, function, binder)
            return

        def make() -> Encoded:
            run.lap()
            args, kwargs = binder.bind(call.form, call.data)
            run.lap()
            with user_code():
                value = function.target(*args, **kwargs)
                if inspect.iscoroutine(value):  # from a sync decorator around an async function
                    value = run.wait(value, self._event_loop()).result()
            return run.encode(value)

        self._threads.submit(lambda: context.run(self._conclude, run, make))

    def _run_async(self, run: _Run, call: Call, function: Function, binder: Binder) -> None:
        context = contextvars.copy_context()

        async def work() -> object:
            run.lap()
            args, kwargs = binder.bind(call.form, call.data)
            run.lap()
            with user_code():
                return await function.target(*args, **kwargs)

        def done(future: concurrent.futures.Future[object]) -> None:
            # Encoding may take long, so it happens on a thread and not where other async functions run.
            self._threads.submit(lambda: context.run(self._conclude, run, lambda: run.encode(future.result())))

        run.wait(work(), self._event_loop()).add_done_callback(done)

    def _conclude(self, run: _Run, make: Callable[[], Encoded]) -> None:
        """Make a run's result and send it; user code, and only user code, can be interrupted meanwhile."""
        try:
            encoded = run.interrupt.run(make)
            if isinstance(encoded.body, bytes | memoryview):
                self._send_bytes(run, encoded, encoded.body)
            else:
                self._send_stream(run, encoded, encoded.body)
        except BaseException as error:  # noqa: BLE001  (nothing that user code raises may end this thread)
            self._fail(run, _explain(error))
        else:
            self._runs.pop(run.invoke.run_id, None)

    def _send_bytes(self, run: _Run, encoded: Encoded, body: bytes | memoryview) -> None:
        run.flush()
        if len(body) <= PIECE:
            self._send(_head(run, encoded), body)
            return
        run.open_window()
        self._send(_head(run, encoded, streamed=True, length=len(body)), _NOTHING)
        for piece in pieces(body):
            self._send_chunk(run, piece)
        self._send(End(run.invoke.run_id), _NOTHING)

    def _send_stream(self, run: _Run, encoded: Encoded, body: Iterator[bytes] | AsyncIterator[bytes]) -> None:
        run.open_window()
        self._send(_head(run, encoded, streamed=True), _NOTHING)
        chunks = self._pull(run, body) if isinstance(body, AsyncIterator) else body

        def following() -> bytes | None:
            with user_code():
                return next(chunks, None)

        try:
            while (chunk := run.interrupt.run(following)) is not None:
                for piece in pieces(chunk):
                    self._send_chunk(run, piece)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
        run.flush()
        self._send(End(run.invoke.run_id), _NOTHING)

    def _send_chunk(self, run: _Run, piece: memoryview) -> None:
        assert run.window is not None
        run.window.take(len(piece))
        self._send(Chunk(run.invoke.run_id), piece)

    def _pull(self, run: _Run, chunks: AsyncIterator[bytes]) -> Iterator[bytes]:
        """Pull an async stream from a thread: its code runs on the event loop, as async functions do."""

        async def following() -> bytes | None:
            return await anext(chunks, None)

        loop = self._event_loop()
        try:
            while (chunk := run.wait(following(), loop).result()) is not None:
                yield chunk
        finally:
            if isinstance(chunks, AsyncGenerator):
                asyncio.run_coroutine_threadsafe(chunks.aclose(), loop)

    def _fail(self, run: _Run, error: CoflowsError) -> None:
        run.flush()
        self._runs.pop(run.invoke.run_id, None)
        self._send(Failure.of(run.invoke.run_id, error), _NOTHING)

    def _event_loop(self) -> asyncio.AbstractEventLoop:
        with self._loop_lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                thread = threading.Thread(target=self._loop.run_forever, name="coflows-async", daemon=True)
                contextvars.Context().run(thread.start)
            return self._loop


def _head(run: _Run, encoded: Encoded, *, streamed: bool = False, length: int | None = None) -> Head:
    return Head(run.invoke.run_id, encoded.status, encoded.content_type, encoded.headers, run.took(), streamed, length)


@contextlib.contextmanager
def user_code() -> Iterator[None]:
    """Turn whatever the user's code raises into a ``FunctionError``, even an error of ours."""
    try:
        yield
    except (CallCancelled, MemoryError, GeneratorExit, asyncio.CancelledError):
        raise
    except BaseException as error:  # noqa: BLE001  (whatever it is, it is the user's)
        raise _failed(error) from None


def _failed(error: BaseException) -> FunctionError:
    return FunctionError(exception_line(error), traceback=user_traceback(error))


def _explain(error: BaseException) -> CoflowsError:
    if isinstance(error, CallCancelled | asyncio.CancelledError | concurrent.futures.CancelledError):
        return CancelledError("the call was cancelled")
    if isinstance(error, MemoryError):
        return CrashedError("the function ran out of memory")
    return error if isinstance(error, CoflowsError) else _failed(error)
