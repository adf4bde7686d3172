"""The ``CoFlows`` kernel: Python with the server's Workflow opened.

``query`` and the magics are there, Base can be imported in both styles, and the Workflow's Pips come before the
server's libraries. What it knows of the server is a key for CoFlows' own routes, never the SecretKey.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from IPython.core.interactiveshell import InteractiveShell

from coflows_jupyter import __version__
from coflows_jupyter.build.dependencies.pips import ready
from coflows_jupyter.errors import CoflowsError
from coflows_jupyter.notebook.client import Client
from coflows_jupyter.notebook.magics import load_ipython_extension
from coflows_jupyter.notebook.servers import find_server
from coflows_jupyter.notebook.workflow import find_workflow
from coflows_jupyter.runtimes.python import WorkflowFinder
from coflows_jupyter.workflow.package import read_package


class CoFlowsKernel(IPythonKernel):
    """An ordinary Python kernel that opens a Workflow before its first cell."""

    implementation = "coflows"
    implementation_version = __version__
    banner = f"CoFlows {__version__}: Python with the Workflow opened"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        shell = self.shell
        assert isinstance(shell, InteractiveShell)
        load_ipython_extension(shell)
        problem = open_workflow()
        if problem:
            _say_once(shell, problem)


def open_workflow() -> str:
    """Put the Workflow's folder, its Base and its Pips first on this process's import path.

    Returns:
        Why that could not be done, or what is missing; empty when all is well.
    """
    try:
        package = read_package(find_workflow(Client(find_server())).package_file)
        paths = ready(package)
    except CoflowsError as error:
        hint = f" ({error.hint})" if error.hint else ""
        return f"This is an ordinary Python kernel, without a Workflow: {error.message}{hint}."
    WorkflowFinder(package.folder, lambda path: _text_of(path, package.id)).install()
    sys.path[:0] = [str(package.folder), str(package.folder / "Base"), *(paths or ())]
    if paths is None:
        return f"The Pips of {package.name} are not installed yet; restart the kernel when the Workflow is built."
    return ""


def _text_of(path: str, workflow: str) -> str | None:
    """Read a source as it is now, with ``$WID$`` substituted as in hosts."""
    if not path.endswith(".py"):
        return None
    return Path(path).read_text(encoding="utf-8-sig").replace("$WID$", workflow)


def _say_once(shell: InteractiveShell, text: str) -> None:
    """Say it in the first cell that runs: before, nobody would see it."""

    def say(*_: object) -> None:
        shell.events.unregister("pre_run_cell", say)
        sys.stderr.write(f"{text}\n")

    shell.events.register("pre_run_cell", say)


class CoFlowsKernelApp(IPKernelApp):
    """Starts the kernel."""

    kernel_class = CoFlowsKernel


if __name__ == "__main__":
    CoFlowsKernelApp.launch_instance()
