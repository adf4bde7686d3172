"""A builder: one process that keeps compilers warm and ends when nobody compiles any more.

A compiler that dies takes nothing with it: the request fails, and the next one starts another process.
"""

from __future__ import annotations

import itertools
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future

import msgspec

from coflows_jupyter.build.compilers.requests import Reply, Request
from coflows_jupyter.errors import BuildError

IDLE_SECONDS = 300.0
_PATIENCE_SECONDS = 120.0


class Builder:
    """Sends requests to the process, which it starts when needed; any thread may use it.

    Args:
        name: of the compilers, for people.
        command: returns the process's command line, after making what it needs.
        environ: the process's environment.
        idle: seconds without requests after which the process ends.
    """

    def __init__(
        self,
        name: str,
        command: Callable[[], Sequence[str]],
        environ: Mapping[str, str],
        idle: float = IDLE_SECONDS,
    ) -> None:
        self._name = name
        self._command = command
        self._environ = environ
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
        process = self._process = subprocess.Popen(
            list(self._command()),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(self._environ),
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
                gone = BuildError(f"the {self._name} compiler ended with code {code}", hint="build again")
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
