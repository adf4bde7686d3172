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
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from coflows_jupyter.build.model import Build
from coflows_jupyter.compat.finder import Finder, install, remove
from coflows_jupyter.errors import (
    ArgumentsError,
    CancelledError,
    CoflowsError,
    Diagnostic,
    FunctionError,
    NotFoundError,
)
from coflows_jupyter.host.callbacks import callbacks
from coflows_jupyter.host.frames import (
    PIECE,
    Ask,
    Cancel,
    Chunk,
    Credit,
    Data,
    End,
    Head,
    Invoke,
    Request,
    SendReply,
    Tell,
    pieces,
)
from coflows_jupyter.host.protocol import Call, Loaded
from coflows_jupyter.host.running import Running
from coflows_jupyter.host.threads import Threads
from coflows_jupyter.mset.place import Place, at, enter
from coflows_jupyter.queries.arguments import Binder, Bound
from coflows_jupyter.queries.catalog import Catalog, make_entry
from coflows_jupyter.queries.results import Encoded
from coflows_jupyter.runtimes import capture, progress, vault
from coflows_jupyter.runtimes.agent import Agent
from coflows_jupyter.runtimes.interrupt import CallCancelled
from coflows_jupyter.runtimes.machines import Machines
from coflows_jupyter.runtimes.notebook import NotebookError, notebook_agent
from coflows_jupyter.runtimes.protocol import ForeignError, Function, Refusal
from coflows_jupyter.runtimes.python import PythonRuntime, exception_line, user_traceback
from coflows_jupyter.workflow.sources import COMPILED, JAVASCRIPT, JVM, NOTEBOOK, SourceUnit

if TYPE_CHECKING:
    # It brings QuickJS along, which most hosts never need.
    from coflows_jupyter.runtimes.javascript import JsRuntime

T = TypeVar("T")

THREADS = 32

_NOTHING = b""


class Worker:
    """Holds one Build's functions and runs calls on them.

    Args:
        send: takes a frame and its body, from any thread; it may block.
    """

    def __init__(self, send: SendReply) -> None:
        self._send = send
        self._functions: dict[tuple[str, str], tuple[Function, Binder]] = {}
        self._runs: dict[str, Running] = {}
        self._threads = Threads(THREADS, "coflows-call")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_lock = threading.Lock()
        self._runtime: PythonRuntime | None = None
        self._machines = Machines()
        self._place: Place | None = None
        self._original: Finder | None = None
        self.vault = vault.Vault(lambda number, name: send(Ask(number, name), _NOTHING))
        capture.install()
        progress.install()

    # -- loading ---------------------------------------------------------------------------------------------------

    def load(self, build: Build, place: Place | None = None) -> Loaded:
        """Load every unit of ``build``; a unit that fails leaves the others callable.

        Args:
            build: what to load.
            place: whose M sets its code sees.
        """
        self._place = place
        with at(place), vault.at(self.vault):
            loaded = self._load(build)
        if not self.vault.masker:
            return loaded
        mask = self.vault.masker.mask
        found = (msgspec.structs.replace(d, message=mask(d.message), hint=mask(d.hint)) for d in loaded.diagnostics)
        return msgspec.structs.replace(loaded, diagnostics=tuple(found))

    def _load(self, build: Build) -> Loaded:
        self._original = install()
        runtime = self._runtime = PythonRuntime(Path(build.folder), build.units, build.paths)
        diagnostics: list[Diagnostic] = [*self._start_machines(build)]
        catalog = Catalog(build.id)
        complete = True
        for unit in build.units:
            if unit.language == NOTEBOOK:
                diagnostics += self._add_agents(unit, [notebook_agent(unit, Path(build.folder))], catalog)
                continue
            if unit.language in COMPILED or unit.language in JVM or unit.language == JAVASCRIPT:
                found = self._load_foreign(unit, build, catalog)
                complete &= not any(d.severity == "error" for d in found)
                diagnostics += found
                continue
            if unit.language != "python":
                message = f"{unit.language} sources are listed, but this version does not run them"
                diagnostics.append(Diagnostic(unit.path, 0, 0, "warning", "no-runtime", message))
                continue
            found = runtime.compile(unit)
            if not found and unit.kind == "query":
                functions, found = runtime.load(unit)
                diagnostics += () if found else self._add_query(unit, functions, catalog)
            elif not found and unit.kind == "agent":
                agents, found = runtime.load_agents(unit)
                found += self._add_agents(unit, agents, catalog)
            complete &= not any(d.severity == "error" for d in found)
            diagnostics += found
        return Loaded(catalog, tuple(dict.fromkeys(diagnostics)), complete)

    def _start_machines(self, build: Build) -> tuple[Diagnostic, ...]:
        if build.net is None and build.jvm is None:
            return ()
        from coflows_jupyter.compat.dotnet import answer

        return self._machines.start(build.net, build.jvm, answer)

    def _load_foreign(self, unit: SourceUnit, build: Build, catalog: Catalog) -> tuple[Diagnostic, ...]:
        runtime: Machines | JsRuntime = self._machines
        if unit.language == JAVASCRIPT:
            from coflows_jupyter.compat.javascript import answer
            from coflows_jupyter.runtimes.javascript import JsRuntime

            runtime = JsRuntime(build.units, answer)
        if unit.kind == "query":
            functions, found = runtime.load(unit)
            return found or (self._add_query(unit, functions, catalog) if functions else ())
        if unit.kind == "agent":
            agents, found = runtime.load_agents(unit)
            return (*found, *self._add_agents(unit, agents, catalog))
        return ()

    def _add_query(self, unit: SourceUnit, functions: dict[str, Function], catalog: Catalog) -> tuple[Diagnostic, ...]:
        entry, findings = make_entry(unit, [f.signature for f in functions.values()])
        catalog.queries[entry.id] = entry
        for name, function in functions.items():
            self._functions[entry.id, name] = function, Binder(function.target, entry.functions[name].signature)
        return findings

    def _add_agents(self, unit: SourceUnit, agents: list[Agent], catalog: Catalog) -> tuple[Diagnostic, ...]:
        found: tuple[Diagnostic, ...] = ()
        for agent in agents:
            entry = msgspec.structs.replace(agent.entry, path=unit.path)
            taken = catalog.agents.get(entry.id)
            if taken is not None:
                message = f"{Path(taken.path).name} declares an Agent {entry.id} already"
                found += (Diagnostic(unit.path, 0, 0, "error", "agent", message, "give one of them another ID"),)
                continue
            catalog.agents[entry.id] = entry
            self._functions |= {(entry.id, name): function for name, function in callbacks(agent).items()}
        return found

    def close(self) -> None:
        """Cancel what runs and give the Workflow's modules back; only the embedded host needs it."""
        for run in list(self._runs.values()):
            run.cancel()
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._threads.close()
        if self._runtime is not None:
            self._runtime.close()
        if self._original is not None:
            remove(self._original)

    # -- calls -----------------------------------------------------------------------------------------------------

    def receive(self, frame: Request, body: bytes) -> None:
        """Take a frame about a call; it returns at once."""
        if isinstance(frame, Invoke):
            run = self._runs[frame.run_id] = Running(frame, self._send, self.vault)
            self._take(run, body)
        elif isinstance(frame, Tell):
            self.vault.told(frame.number, body.decode(), frame.problem)
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

    def _take(self, run: Running, body: bytes) -> None:
        if len(body) == run.invoke.size:
            self._start(run, run.invoke.call(body))
            return
        run.data += body
        if len(run.data) == run.invoke.size:
            self._threads.submit(lambda: self._start(run, run.invoke.call(bytes(run.data))))

    def _start(self, run: Running, call: Call) -> None:
        found = self._functions.get((call.query, call.function))
        if found is None:
            self._fail(run, NotFoundError(f"{call.query} has no function {call.function}"))
            return
        function, binder = found
        context = run.context()
        context.run(enter, self._place)
        if function.signature.is_async:
            context.run(self._run_async, run, call, function, binder)
            return

        def make() -> Encoded:
            run.lap()
            args, kwargs = _bind(run, call, binder)
            run.lap()
            with user_code():
                value = function.target(*args, **kwargs)
                if inspect.iscoroutine(value):  # from a sync decorator around an async function
                    value = run.wait(value, self._event_loop()).result()
            return run.encode(value)

        self._threads.submit(lambda: context.run(self._conclude, run, make))

    def _run_async(self, run: Running, call: Call, function: Function, binder: Binder) -> None:
        context = contextvars.copy_context()

        async def work() -> object:
            run.lap()
            args, kwargs = _bind(run, call, binder)
            run.lap()
            with user_code():
                return await function.target(*args, **kwargs)

        def done(future: concurrent.futures.Future[object]) -> None:
            # Encoding may take long, so it happens on a thread and not where other async functions run.
            self._threads.submit(lambda: context.run(self._conclude, run, lambda: run.encode(future.result())))

        run.wait(work(), self._event_loop()).add_done_callback(done)

    def _conclude(self, run: Running, make: Callable[[], Encoded]) -> None:
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

    def _send_bytes(self, run: Running, encoded: Encoded, body: bytes | memoryview) -> None:
        run.flush()
        if len(body) <= PIECE:
            self._send(_head(run, encoded), body)
            return
        run.open_window()
        self._send(_head(run, encoded, streamed=True, length=len(body)), _NOTHING)
        for piece in pieces(body):
            self._send_chunk(run, piece)
        self._send(End(run.invoke.run_id), _NOTHING)

    def _send_stream(self, run: Running, encoded: Encoded, body: Iterator[bytes] | AsyncIterator[bytes]) -> None:
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

    def _send_chunk(self, run: Running, piece: memoryview) -> None:
        assert run.window is not None
        run.window.take(len(piece))
        self._send(Chunk(run.invoke.run_id), piece)

    def _pull(self, run: Running, chunks: AsyncIterator[bytes]) -> Iterator[bytes]:
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

    def _fail(self, run: Running, error: CoflowsError) -> None:
        run.flush()
        self._runs.pop(run.invoke.run_id, None)
        self._send(run.failure(error), _NOTHING)

    def _event_loop(self) -> asyncio.AbstractEventLoop:
        with self._loop_lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                thread = threading.Thread(target=self._loop.run_forever, name="coflows-async", daemon=True)
                contextvars.Context().run(thread.start)
            return self._loop


def _bind(run: Running, call: Call, binder: Binder) -> Bound:
    """Bind a call's arguments; from now on its secrets are masked in all that it says."""
    if not binder.has_secrets:
        return binder.bind(call.form, call.data)
    try:
        bound = binder.bind(call.form, call.data)
    except ArgumentsError as error:
        concealed, shown = binder.conceal(error)
        run.hide(shown)
        raise concealed from None
    run.hide(binder.secrets(bound))
    return bound


def _head(run: Running, encoded: Encoded, *, streamed: bool = False, length: int | None = None) -> Head:
    return Head(run.invoke.run_id, encoded.status, encoded.content_type, encoded.headers, run.took(), streamed, length)


@contextlib.contextmanager
def user_code() -> Iterator[None]:
    """Turn whatever the user's code raises into a ``FunctionError``, even an error of ours."""
    try:
        yield
    except (CallCancelled, GeneratorExit, asyncio.CancelledError, Refusal):
        raise
    except BaseException as error:  # noqa: BLE001  (whatever it is, it is the user's)
        raise _failed(error) from None


def _failed(error: BaseException) -> FunctionError:
    if isinstance(error, NotebookError):
        return FunctionError(error.message, traceback=error.traceback)  # of its cell, in its kernel
    if isinstance(error, ForeignError):
        return FunctionError(error.line, traceback=error.traceback)
    message = exception_line(error)
    if isinstance(error, MemoryError) and not error.args:
        message += ": the function asked for more than there is"  # Python itself says nothing
    return FunctionError(message, traceback=user_traceback(error))


def _explain(error: BaseException) -> CoflowsError:
    if isinstance(error, CallCancelled | asyncio.CancelledError | concurrent.futures.CancelledError):
        return CancelledError("the call was cancelled")
    if isinstance(error, Refusal):
        return error.error
    return error if isinstance(error, CoflowsError) else _failed(error)
