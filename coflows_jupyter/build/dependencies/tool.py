"""Programs that resolve and install, one at a time; closing ends the one that runs."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from coflows_jupyter.errors import NotReadyError

_PATIENCE_SECONDS = 0.5


class Tool:
    """Runs one program at a time, and ends it when it is closed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._closed = False

    @contextlib.contextmanager
    def running(
        self, command: Sequence[str | Path], *, folder: Path, environ: Mapping[str, str], stdout: int, stderr: int
    ) -> Iterator[subprocess.Popen[str]]:
        """Run a program; leaving waits for its end.

        Args:
            command: its words.
            folder: where it runs.
            environ: its whole environment.
            stdout: as for ``subprocess.Popen``.
            stderr: likewise.

        Raises:
            OSError: it can't be started.
            NotReadyError: this was closed.
        """
        self.check()
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=stderr,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        with self._process as process:
            yield process
        self.check()

    @contextlib.contextmanager
    def alone(self, file: Path) -> Iterator[None]:
        """Let one process at a time do the work below: who waited finds it done.

        Args:
            file: whose lock stands for the work.

        Raises:
            NotReadyError: this was closed while it waited.
        """
        from filelock import FileLock, Timeout  # it brings asyncio and SQLite along

        lock = FileLock(file)
        while not lock.is_locked:
            self.check()
            with contextlib.suppress(Timeout):
                lock.acquire(timeout=_PATIENCE_SECONDS)
        try:
            yield
        finally:
            lock.release()

    def check(self) -> None:
        """Do nothing unless it was closed.

        Raises:
            NotReadyError: it was.
        """
        if self._closed:
            raise NotReadyError("the Workflow is being closed")

    def close(self) -> None:
        """End what runs."""
        self._closed = True
        if self._process is not None:
            self._process.kill()
