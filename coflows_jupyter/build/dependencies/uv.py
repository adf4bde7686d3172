"""Runs ``uv``, which resolves and installs."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from coflows_jupyter.errors import CoflowsError, NotReadyError
from coflows_jupyter.host.launch import environment

# What uv writes before the reason itself.
_LABEL = re.compile(r"^error: |No solution found when resolving (?:\w+ )*dependencies[^:]*?(?=cause:)|cause: ")


class UvError(CoflowsError):
    """``uv`` could not do it; the message is its reason, on one line."""


class Uv:
    """Runs one ``uv`` at a time, and ends it when it is closed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._closed = False

    def run(self, arguments: Sequence[str | Path], *, folder: Path, text: str = "") -> None:
        """Run ``uv`` and wait for it.

        Args:
            arguments: its words.
            folder: where it runs: relative paths of requirements, and its configuration, start there.
            text: its standard input.

        Raises:
            UvError: it failed.
            NotReadyError: it was closed meanwhile.
        """
        from uv import find_uv_bin

        self.check()
        try:
            self._process = subprocess.Popen(
                [find_uv_bin(), "--quiet", "--color=never", "--no-progress", *arguments],
                cwd=folder,
                env=environment(),  # what is built from source is a stranger's program, as a host's is
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            raise UvError(f"uv can't be started: {error}") from error
        with self._process as process:
            _, errors = process.communicate(text)
        self.check()
        if process.returncode:
            raise UvError(_reason(errors) or f"uv ended with {process.returncode}")

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


def _reason(errors: str) -> str:
    """Return what ``uv`` says on one line, without labels."""
    return _LABEL.sub("", " ".join(errors.split()))
