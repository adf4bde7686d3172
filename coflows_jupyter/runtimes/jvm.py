"""The Java virtual machine: runs the classes that the builder made of a Build's Java sources.

One machine is started for a process, when a Build first needs it, and never stopped: the process ends by ``os._exit``.
Calls go through ``java/Bridge.java`` with JSON in and out, in memory that each thread shares with it, and without the
interpreter's lock while user code runs.
"""

from __future__ import annotations

import re
import signal
import threading
from pathlib import Path
from typing import Any

from coflows_jupyter.errors import Diagnostic
from coflows_jupyter.runtimes.context import current
from coflows_jupyter.runtimes.described import functions
from coflows_jupyter.runtimes.foreign import Calls, value_of
from coflows_jupyter.runtimes.jvmmodel import Jvm
from coflows_jupyter.runtimes.library import by_source
from coflows_jupyter.runtimes.protocol import ForeignError, Function
from coflows_jupyter.workflow.sources import SourceUnit

_SHARED = 64 * 1024  # bytes of memory that a thread shares with Java; larger values go by copies
_OPTIONS = (
    "-Xrs",  # signals stay Python's
    "-Xss4m",
    "-XX:+UseSerialGC",
    "-Xshare:auto",
    "-Dfile.encoding=UTF-8",
    "--enable-native-access=ALL-UNNAMED",
)
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGCHLD")


class Bridge:
    """The bridge in this process; made by ``bridge``."""

    def __init__(self) -> None:
        import jpype
        import jpype.nio

        self._jpype = jpype
        self._java = jpype.JClass("app.coflows.Bridge")
        self._call = self._java.call
        self._desks = threading.local()
        self._calls = Calls()
        self._host = self._make_host()  # kept, for Java calls it as long as the process lives
        self._java.start(self._host)

    def _make_host(self) -> Any:
        jpype, printed = self._jpype, self._calls.printed

        @jpype.JImplements("app.coflows.Host")
        class Host:
            @jpype.JOverride  # type: ignore[untyped-decorator]
            def print(self, call: Any, stream: Any, text: Any) -> None:
                printed(int(call), int(stream), str(text))

        return Host()

    def find(self, name: str) -> Any:
        """Return a class of what was provided."""
        return self._jpype.JClass(self._java.find(name))

    def provide(self, paths: list[str]) -> None:
        """Let all that is loaded later use these: jars, and folders of compiled classes."""
        self._java.provide(paths)

    def load(self, folder: str, file: str) -> list[dict[str, Any]]:
        """Load the classes of a folder and return the descriptions of the functions of ``file``.

        Raises:
            ForeignError: they can't be loaded.
        """
        self._desk()
        described: list[dict[str, Any]] = self._value(self._java.load(folder, file)).decoded()
        return described

    def call(self, function: int, data: bytes, *, cancellable: bool) -> Any:  # noqa: ARG002  (every call is)
        """Call a function with a JSON array of arguments."""
        desk = self._desk()
        number = self._begin()
        try:
            size = len(data)
            if size > _SHARED:
                return self._value(self._call(function, number, data))
            desk[:size] = data
            return self._value(self._call(function, number, size))
        finally:
            self._calls.end(number)

    def _begin(self) -> int:
        number = self._calls.begin()
        context = current()
        if context is not None:
            context.on_stop(lambda: self._java.cancel(number))
        return number

    def _desk(self) -> bytearray:
        """Return the memory that this thread shares with Java."""
        try:
            desk: bytearray = self._desks.memory
        except AttributeError:
            desk = self._desks.memory = bytearray(_SHARED)
            self._java.share(self._jpype.nio.convertToDirectBuffer(desk))
        return desk

    def _value(self, answer: int) -> Any:
        outcome, size = answer >> 32, answer & 0xFFFFFFFF
        body = bytes(self._desks.memory[:size]) if size <= _SHARED else bytes(self._java.fetch())
        return value_of(outcome, body, self)

    def following(self, stream: int) -> Any:
        """Return the next value of a stream, ``StopIteration`` itself at its end."""
        self._desk()
        number = self._begin()
        try:
            return self._value(self._java.next(stream, number))
        finally:
            self._calls.end(number)

    def close(self, stream: int) -> None:
        """End a stream."""
        self._java.close(stream)


_lock = threading.Lock()
_bridge: Bridge | None = None


def bridge(jvm: Jvm) -> Bridge:
    """Return the bridge of this process; the first call starts the machine.

    Raises:
        Exception: it can't be started; what comes out of the loader says why.
    """
    global _bridge  # noqa: PLW0603  (a process has one machine)
    with _lock:
        if _bridge is None:
            _boot(jvm)
            _bridge = Bridge()
        return _bridge


def java_class(name: str) -> Any:
    """Return a class of Base, of a library or of Java itself, as JPype shows it to Python.

    Raises:
        LookupError: Java does not run in this process, or there is no such class.
    """
    if _bridge is None:
        raise LookupError(f"there is no Java here to look for {name}: the Workflow has no source in it")
    try:
        return _bridge.find(name)
    except Exception as error:  # noqa: BLE001  (Java's own, which JPype makes when it starts)
        raise LookupError(f"there is no class {name}: {error}") from None


def _boot(jvm: Jvm) -> None:
    import jpype
    import jpype.config

    # The machine must not take over what was there before; and the process ends by itself.
    main = threading.current_thread() is threading.main_thread()
    names = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    saved = {number: signal.getsignal(number) for number in names} if main else {}
    jpype.config.destroy_jvm = False
    heap = (f"-Xmx{jvm.heap}",) if jvm.heap else ()
    jpype.startJVM(jvm.jdk.machine, *_OPTIONS, *heap, classpath=[jvm.bridge], convertStrings=True)
    for number, handler in saved.items():
        if handler is not None:
            signal.signal(number, handler)


class JvmRuntime:
    """Loads what the builder made of one Build's units.

    Args:
        jvm: the Build's classes.
    """

    def __init__(self, jvm: Jvm) -> None:
        self._bridge = bridge(jvm)
        base = [library.path for library in jvm.libraries if library.kind == "base"]
        self._bridge.provide([*jvm.jars, *base])
        self._libraries = by_source(jvm.libraries)

    def load(self, unit: SourceUnit) -> tuple[dict[str, Function], tuple[Diagnostic, ...]]:
        """Load a unit and return its public functions by name, or why it can't be loaded."""
        path = self._libraries.get(unit.path)
        if path is None:
            return {}, ()  # it did not compile, and that is said already
        try:
            described = self._bridge.load(path, Path(unit.path).stem)
        except ForeignError as error:
            return {}, (Diagnostic(unit.path, 0, 0, "error", "load", error.line, "see the server's log"),)
        for about in described:
            about["line"] = _line(about["name"], unit.text)
        return functions(described, unit, self._bridge.call), ()


def _line(name: str, text: str) -> int:
    """Return the line where a source declares a method, which compiled classes do not tell."""
    declared = re.compile(rf"\b(?:public|def)\b[^;={{}}]*\b{re.escape(name)}\s*[(\[:={{]")
    found = declared.search(text)
    return text.count("\n", 0, found.end()) + 1 if found else 0
