"""Runs ``uv``, which resolves and installs Pips."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from coflows_jupyter.build.dependencies.tool import Tool
from coflows_jupyter.errors import CoflowsError
from coflows_jupyter.host.launch import environment

# What uv writes before the reason itself.
_LABEL = re.compile(r"^error: |No solution found when resolving (?:\w+ )*dependencies[^:]*?(?=cause:)|cause: ")


class UvError(CoflowsError):
    """``uv`` could not do it; the message is its reason, on one line."""


class Uv(Tool):
    """Runs one ``uv`` at a time, and ends it when it is closed."""

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

        command = [find_uv_bin(), "--quiet", "--color=never", "--no-progress", *arguments]
        # What is built from source is a stranger's program, as a host's is.
        environ = environment()
        try:
            with self.running(
                command, folder=folder, environ=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            ) as process:
                _, errors = process.communicate(text)
        except OSError as error:
            raise UvError(f"uv can't be started: {error}") from error
        if process.returncode:
            raise UvError(_reason(errors) or f"uv ended with {process.returncode}")


def _reason(errors: str) -> str:
    """Return what ``uv`` says on one line, without labels."""
    return _LABEL.sub("", " ".join(errors.split()))
