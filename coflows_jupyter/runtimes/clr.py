"""The .NET runtime: runs the libraries that the builder made of a Build's C#, F# and VB sources.

One runtime is started for a process, when a Build first needs it, and never stopped: the process ends by ``os._exit``.
Calls go through functions of the bridge (``bridge/Bridge.cs``) by their addresses, with JSON in and out, and without
the interpreter's lock while user code runs.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import signal
import struct
import tempfile
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import orjson

from coflows_jupyter.errors import Diagnostic
from coflows_jupyter.jsonform import to_json
from coflows_jupyter.runtimes.agent import Agent
from coflows_jupyter.runtimes.context import current
from coflows_jupyter.runtimes.dotnet import has_icu
from coflows_jupyter.runtimes.foreign import Calls, value_of
from coflows_jupyter.runtimes.library import by_source
from coflows_jupyter.runtimes.netmodel import Net, Packages
from coflows_jupyter.runtimes.protocol import ForeignError, Function
from coflows_jupyter.workflow.sources import SourceUnit

T = TypeVar("T")
Answer = Callable[[str, list[Any]], Any]

_HEADER = struct.Struct("<ii")
_GLANCE = 256  # bytes that an answer's memory always has

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGCHLD")


class Bridge:
    """The bridge in this process; made by ``bridge``."""

    def __init__(self, addresses: Iterable[int]) -> None:
        data, pointer = ctypes.c_char_p, ctypes.c_void_p
        number, size = ctypes.c_int64, ctypes.c_int
        signatures: tuple[tuple[Any, ...], ...] = (
            (None, pointer),
            (pointer, data, size),
            (pointer, data, size),
            (pointer, data, size),
            (pointer, number, number, data, size),
            (pointer, number, number),
            (None, number),
            (None, number),
        )
        made = [ctypes.CFUNCTYPE(*types)(address) for types, address in zip(signatures, addresses, strict=True)]
        start, self._provide, self._load, self._load_agent, self._call, self._next, self._close, self._cancel = made
        self._calls = Calls()
        # Kept, for the runtime calls it as long as the process lives.
        self._print = ctypes.CFUNCTYPE(None, number, size, pointer, size)(self._printed)
        start(ctypes.cast(self._print, pointer))

    def _printed(self, call: int, stream: int, text: int, size: int) -> None:
        self._calls.printed(call, stream, ctypes.string_at(text, size).decode(errors="replace"))

    def provide(self, packages: Packages) -> None:
        """Let libraries of others be found."""
        data = orjson.dumps([packages.managed, packages.natives])
        self._value(self._provide(data, len(data)))

    def load(self, path: str) -> list[dict[str, Any]]:
        """Load a library and return the descriptions of its functions.

        Raises:
            ForeignError: it can't be loaded.
        """
        data = os.fsencode(path)
        described: list[dict[str, Any]] = self._value(self._load(data, len(data))).decoded()
        return described

    def load_agent(self, path: str, exe: str) -> dict[str, Any]:
        """Load a library and return what its function ``exe`` declares.

        Raises:
            ForeignError: it can't be loaded, or declares nothing.
        """
        data = orjson.dumps([path, exe])
        declared: dict[str, Any] = self._value(self._load_agent(data, len(data))).decoded()
        return declared

    def answer_by(self, answer: Answer) -> None:
        """Let code of .NET ask ``answer``, which takes what is asked and the arguments, in the name of a call."""

        def asked(call: int, what: str, arguments: str) -> str:
            return to_json(self._calls.within(call, answer, what, orjson.loads(arguments))).decode()

        host, system = importlib.import_module("CoFlows.Host"), importlib.import_module("System")
        kinds = (system.Int64, system.String, system.String, system.String)
        host.Kernel.Asker = system.Func[kinds](asked)

    def call(self, function: int, data: bytes, *, cancellable: bool) -> Any:
        """Call a function with a JSON array of arguments."""
        number = self._calls.begin()
        if cancellable and (context := current()) is not None:
            context.on_stop(lambda: self._cancel(number))
        try:
            return self._value(self._call(function, number, data, len(data)))
        finally:
            self._calls.end(number)

    def _value(self, address: int) -> Any:
        """Read an answer, which lies in memory of this thread until its next call."""
        head = ctypes.string_at(address, _GLANCE)
        outcome, size = _HEADER.unpack_from(head)
        body = head[8 : 8 + size] if size <= _GLANCE - 8 else ctypes.string_at(address + 8, size)
        return value_of(outcome, body, self)

    def following(self, stream: int) -> Any:
        """Return the next value of a stream, ``StopIteration`` itself at its end."""
        number = self._calls.begin()
        try:
            return self._value(self._next(stream, number))
        finally:
            self._calls.end(number)

    def close(self, stream: int) -> None:
        """End a stream."""
        self._close(stream)


_lock = threading.Lock()
_bridge: Bridge | None = None


def bridge(net: Net) -> Bridge:
    """Return the bridge of this process; the first call starts .NET.

    Raises:
        Exception: it can't be started; what comes out of the loader says why.
    """
    global _bridge  # noqa: PLW0603  (a process has one runtime of .NET)
    with _lock:
        if _bridge is None:
            _bridge = Bridge(_boot(net))
        return _bridge


def _boot(net: Net) -> list[int]:
    import atexit

    import clr_loader
    import pythonnet

    # The runtime takes signals over; what was there before must stay in charge.
    main = threading.current_thread() is threading.main_thread()
    names = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    saved = {number: signal.getsignal(number) for number in names} if main else {}
    os.environ.setdefault("DOTNET_EnableDiagnostics", "0")
    with tempfile.NamedTemporaryFile("wb", suffix=".runtimeconfig.json", delete=False) as file:
        file.write(msgspec.json.encode(_settings(net)))
    try:
        pythonnet.load(clr_loader.get_coreclr(runtime_config=Path(file.name), dotnet_root=Path(net.dotnet.root)))
    finally:
        Path(file.name).unlink()
    atexit.unregister(pythonnet.unload)  # it takes a second, of a process that ends anyway
    for number, handler in saved.items():
        if handler is not None:
            signal.signal(number, handler)
    assembly = importlib.import_module("System.Reflection").Assembly
    loaded = assembly.LoadFrom(net.bridge)
    addresses = loaded.GetType("CoFlows.Host.Bridge").GetMethod("Addresses").Invoke(None, None)
    return [int(address) for address in str(addresses).split()]


def _settings(net: Net) -> dict[str, Any]:
    options: dict[str, Any] = {"framework": {"name": "Microsoft.NETCore.App", "version": f"{net.dotnet.major}.0.0"}}
    properties: dict[str, Any] = {}
    if net.heap:
        properties["System.GC.HeapHardLimit"] = net.heap
    if not has_icu():
        properties |= {
            "System.Globalization.Invariant": True,
            "System.Globalization.PredefinedCulturesOnly": False,
        }
    options["configProperties"] = properties
    return {"runtimeOptions": options}


class ClrRuntime:
    """Loads what the builder made of one Build's units.

    Args:
        net: the Build's libraries.
        answer: what code of .NET may ask.
    """

    def __init__(self, net: Net, answer: Answer) -> None:
        self._bridge = bridge(net)
        self._bridge.answer_by(answer)
        self._bridge.provide(net.packages)
        self._libraries = by_source(net.libraries)
        for library in net.libraries:
            if library.kind == "base":
                self._bridge.load(library.path)

    def load(self, unit: SourceUnit) -> tuple[dict[str, Function], tuple[Diagnostic, ...]]:
        """Load a unit and return its public functions by name, or why it can't be loaded."""
        from coflows_jupyter.runtimes.described import functions

        path = self._libraries.get(unit.path)
        if path is None:
            return {}, ()  # it did not compile, and that is said already
        try:
            described = self._bridge.load(path)
        except ForeignError as error:
            return {}, (Diagnostic(unit.path, 0, 0, "error", "load", error.line, "see the server's log"),)
        return functions(described, unit, self._bridge.call), ()

    def load_agents(self, unit: SourceUnit) -> tuple[list[Agent], tuple[Diagnostic, ...]]:
        """Load a unit and return the Agent that it declares, or why there is none."""
        path = self._libraries.get(unit.path)
        if path is None:
            return [], ()  # it did not compile, and that is said already
        try:
            said = self._bridge.load_agent(path, unit.exe)
        except ForeignError as error:
            return [], (Diagnostic(unit.path, 0, 0, "error", "agent", error.line, "see the server's log"),)

        def function(number: int) -> Callable[..., Any]:
            return lambda *args: self._bridge.call(number, to_json(args), cancellable=False)

        functions: dict[str, Any] = {callback: function(number) for callback, number in said["Functions"].items()}
        made = Agent(
            said["Name"] or said["Id"] or "",
            id=said["Id"] or "",
            description=said["Description"] or "",
            schedule=said["Schedule"],
            listens=said["Listens"],
            **functions,
        )
        return [made], ()
