"""The builder of .NET: one process that keeps the SDK's compilers warm and ends when nobody compiles any more.

What it does is in ``Builder.cs``, which the SDK's own compiler compiles when it is first needed, once for a computer. A
compiler that dies takes nothing with it: the request fails, and the next one starts another process.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import subprocess
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from functools import cache
from pathlib import Path

import msgspec

from coflows_jupyter.errors import BuildError, Severity
from coflows_jupyter.host.launch import environment as without_keys
from coflows_jupyter.runtimes.dotnet import Dotnet, environment

IDLE_SECONDS = 300.0
_PATIENCE_SECONDS = 120.0
_SOURCE = Path(__file__).with_name("Builder.cs")


class Source(msgspec.Struct, frozen=True):
    """A file to compile; the text counts, and the path is what findings and stack traces name."""

    path: str
    text: str


class Request(msgspec.Struct, frozen=True):
    """What to compile into one library.

    Args:
        language: ``csharp``, ``vb`` or ``fsharp``.
        name: the library's own name.
        output: path of the library; its symbols come to lie beside it.
        sources: in the order that counts for F#.
        references: paths of the libraries that they may use.
        id: matches the reply.
    """

    language: str
    name: str
    output: str
    sources: tuple[Source, ...]
    references: tuple[str, ...]
    id: int = 0


class Finding(msgspec.Struct, frozen=True):
    """What a compiler says; an empty ``file`` means all of them."""

    file: str
    line: int
    column: int
    severity: Severity
    code: str
    message: str


class Reply(msgspec.Struct, frozen=True):
    """How a request went."""

    id: int
    ok: bool
    findings: tuple[Finding, ...]


class Builder:
    """Sends requests to the process, which it starts when needed; any thread may use it.

    Args:
        dotnet: whose compilers to use.
        cache: a folder where the compiled builder is kept.
        idle: seconds without requests after which the process ends.
    """

    def __init__(self, dotnet: Dotnet, cache: Path, idle: float = IDLE_SECONDS) -> None:
        self._dotnet = dotnet
        self._cache = cache
        self._idle = idle
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._waiting: dict[int, Future[Reply]] = {}
        self._timer: threading.Timer | None = None

    @property
    def pid(self) -> int:
        """The process, 0 when there is none."""
        return self._process.pid if self._process is not None else 0

    def compile(self, request: Request) -> Reply:
        """Compile; waits for the outcome.

        Raises:
            BuildError: the builder could not be started, or ended meanwhile.
        """
        request = msgspec.structs.replace(request, id=next(self._numbers))
        future: Future[Reply] = Future()
        with self._lock:
            process = self._process or self._start()
            self._waiting[request.id] = future
            assert process.stdin is not None
            try:
                process.stdin.write(msgspec.json.encode(request) + b"\n")
                process.stdin.flush()
            except OSError:
                process.kill()  # its reader tells everybody who waits
        try:
            return future.result(_PATIENCE_SECONDS)
        except TimeoutError:
            process.kill()
            message = f"{request.name} was not compiled within {_PATIENCE_SECONDS:.0f} seconds"
            raise BuildError(message, hint="build again, or make the file simpler") from None
        finally:
            self._waiting.pop(request.id, None)
            self._rest()

    def close(self) -> None:
        """End the process."""
        with self._lock:
            process, self._process = self._process, None
            if process is not None:
                assert process.stdin is not None
                process.stdin.close()
                process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        program = self._program()
        process = self._process = subprocess.Popen(
            [self._dotnet.program, "exec", str(program), self._dotnet.sdk],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(without_keys()),
            start_new_session=True,  # Ctrl-C at the server's terminal is the server's to handle
        )
        threading.Thread(target=self._read, args=(process,), name="coflows-builder", daemon=True).start()
        return process

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            reply = msgspec.json.decode(line, type=Reply)
            future = self._waiting.get(reply.id)
            if future is not None:
                future.set_result(reply)
        with self._lock:
            code = process.wait()
            if self._process is process:
                self._process = None
                gone = BuildError(f"the .NET compiler ended with code {code}", hint="build again; its log says more")
                for future in self._waiting.values():
                    future.set_exception(gone)
                self._waiting.clear()

    def _rest(self) -> None:
        """End the process when nothing comes for a while."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = threading.Timer(self._idle, self._end_idle)
            self._timer.daemon = True
            self._timer.start()

    def _end_idle(self) -> None:
        if not self._waiting:
            self.close()

    def _program(self) -> Path:
        """Return the compiled builder, after compiling it where that was not done yet.

        Raises:
            BuildError: it can't be compiled.
        """
        text = _SOURCE.read_bytes()
        key = hashlib.sha256(b"\0".join((text, self._dotnet.sdk.encode(), self._dotnet.runtime.encode())))
        folder = self._cache / f"builder-{key.hexdigest()[:16]}"
        program = folder / "builder.dll"
        if not program.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            settings = {"framework": {"name": "Microsoft.NETCore.App", "version": f"{self._dotnet.major}.0.0"}}
            settings["configProperties"] = {"System.GC.Concurrent": False, "System.Runtime.TieredPGO": False}  # type: ignore[dict-item]
            (folder / "builder.runtimeconfig.json").write_bytes(msgspec.json.encode({"runtimeOptions": settings}))
            self._compile_itself(program)
        return program

    def _compile_itself(self, program: Path) -> None:
        roslyn = Path(self._dotnet.sdk, "Roslyn", "bincore")
        partial = program.with_name(f"builder.{os.getpid()}.partial")
        names = ("Microsoft.CodeAnalysis", "Microsoft.CodeAnalysis.CSharp", "Microsoft.CodeAnalysis.VisualBasic")
        libraries = [*self._dotnet.references, *(str(roslyn / f"{name}.dll") for name in names)]
        words = [f'-r:"{path}"' for path in libraries]
        response = program.with_name(f"builder.{os.getpid()}.rsp")
        options = ["-nologo", "-target:exe", "-optimize+", "-nullable:enable", "-langversion:latest"]
        response.write_text("\n".join([*options, f'-out:"{partial}"', *words, f'"{_SOURCE}"']))
        try:
            done = subprocess.run(
                [self._dotnet.program, "exec", str(roslyn / "csc.dll"), "-noconfig", f"@{response}"],
                capture_output=True,
                text=True,
                env=environment(without_keys()),
                check=False,
            )
            if done.returncode:
                raise BuildError(f"the builder does not compile with {self._dotnet.sdk}: {done.stdout.strip()[:500]}")
            partial.replace(program)
        finally:
            response.unlink(missing_ok=True)
            partial.unlink(missing_ok=True)


@cache
def builder(dotnet: Dotnet, folder: Path) -> Builder:
    """Return the builder that all Workflows of this process share."""
    return Builder(dotnet, folder)


def file_keys(paths: Sequence[str]) -> list[str]:
    """Return what tells one version of each file from another, without reading it."""
    keys = []
    for path in paths:
        about = os.stat(path)  # noqa: PTH116  (a hundred files, and a Path each would take as long as the call)
        keys.append(f"{path}\0{about.st_size}\0{about.st_mtime_ns}")
    return keys
