"""``%load_ext coflows_jupyter``: ``query``, ``%coflows`` and ``%%query`` in a notebook."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
import threading
from typing import IO, TextIO

from IPython.core.error import UsageError
from IPython.core.guarded_eval import EVALUATION_POLICIES, SelectivePolicy
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_magic, magics_class

from coflows_jupyter.compat.finder import install
from coflows_jupyter.compat.people import settle
from coflows_jupyter.errors import CoflowsError
from coflows_jupyter.mset.m import M
from coflows_jupyter.notebook.cells import QueryMagics
from coflows_jupyter.notebook.client import Client
from coflows_jupyter.notebook.netcells import NetMagics
from coflows_jupyter.notebook.query import Directory, Queries, Query
from coflows_jupyter.notebook.secrets import ServersSecrets
from coflows_jupyter.notebook.servers import find_server
from coflows_jupyter.notebook.sets import settle_notebook
from coflows_jupyter.runtimes import vault

STOP_SECONDS = 3.0


@magics_class
class CoflowsMagics(Magics):
    """The ``coflows`` command inside a notebook.

    Args:
        shell: the notebook's.
        directory: what the kernel's server offers.
    """

    def __init__(self, shell: InteractiveShell, directory: Directory) -> None:
        super().__init__(shell)
        self._directory = directory

    @line_magic
    def coflows(self, line: str) -> None:
        """Run ``coflows`` with these words, on the Workflow of this kernel's server.

        It runs beside the kernel, so nothing that it does can hurt the notebook.
        """
        code = run_beside([sys.executable, "-P", "-m", "coflows_jupyter", *self._config(), *shlex.split(line)])
        if code:
            raise UsageError(f"coflows ended with exit code {code}")

    def _config(self) -> list[str]:
        """Name the configuration: a notebook's own folder seldom is that of the Workflow."""
        try:
            files = [workflow.config for workflow in self._directory.client.workflows() if workflow.config]
        except CoflowsError:
            return []
        return ["--config", files[0]] if files else []


def run_beside(command: list[str]) -> int:
    """Run a process whose output appears in the cell as it comes; interrupting the cell interrupts it.

    Returns:
        Its exit code.
    """
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        errors = threading.Thread(target=_copy, args=(process.stderr, sys.stderr))
        errors.start()
        try:
            _copy(process.stdout, sys.stdout)
            return process.wait()
        except KeyboardInterrupt:
            _stop(process)
            raise
        finally:
            errors.join()


def _copy(source: IO[str], target: TextIO) -> None:
    target.writelines(source)


def _stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Put ``query``, ``M`` and the magics into ``shell``, and let its code import the original's modules."""
    directory = Directory()
    install()
    settle(lambda: Client(find_server()).me())
    shell.user_ns["query"] = Queries(directory)
    shell.user_ns["M"] = M
    settle_notebook(lambda: Client(find_server()))
    vault.settle(ServersSecrets(lambda: Client(find_server())))
    shell.register_magics(CoflowsMagics(shell, directory), QueryMagics(shell, directory), NetMagics(shell))
    # Without this, Tab does not look into objects that answer for attributes by themselves.
    policy = EVALUATION_POLICIES["limited"]
    assert isinstance(policy, SelectivePolicy)
    policy.allowed_getattr.update({Queries, Query})
