"""Runs a program of somebody else's to its end, as part of a long operation."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from coflows_jupyter.errors import DeployError

if TYPE_CHECKING:
    from coflows_jupyter.deploy.progress import Reporter

_LOOK_SECONDS = 0.2
_STOP_SECONDS = 5.0
_LAST_LINES = 5


def run(
    command: Sequence[str], reporter: Reporter, look: Callable[[str], bool] = lambda _: False, hint: str = ""
) -> None:
    """Run a program to its end and pass every line of its output on.

    Args:
        command: the program and its arguments.
        reporter: told of every line; the program and its children end when it says so.
        look: sees every line first, and tells whether it made progress of it.
        hint: what to do when the program fails.

    Raises:
        DeployError: it can't be started, or failed; the message has the last lines of its output.
        CancelledError: the reporter said so.
    """
    last: deque[str] = deque(maxlen=_LAST_LINES)
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise DeployError(f"{command[0]} can't be started: {error}") from None
    with process, _ended(process, reporter):
        assert process.stdout is not None
        for raw in process.stdout:
            line = raw.rstrip()
            last.append(line)
            if not look(line):
                reporter.log(line)
    reporter.check()
    if process.returncode:
        said = "\n".join(last)
        raise DeployError(f"`{command[0]} {command[1]}` ended with {process.returncode}:\n{said}", hint=hint)


@contextlib.contextmanager
def _ended(process: subprocess.Popen[str], reporter: Reporter) -> Iterator[None]:
    """Let nothing of a program be left when the block ends or the operation is to stop."""

    def watch() -> None:
        while process.poll() is None:
            if reporter.cancelled:
                _end(process)
                return
            time.sleep(_LOOK_SECONDS)

    threading.Thread(target=watch, name="cancel", daemon=True).start()
    try:
        yield
    except BaseException:
        _end(process)
        raise


def _end(process: subprocess.Popen[str]) -> None:
    if os.name == "nt":
        process.terminate()
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
