"""CoFlows for Jupyter: folders of functions as Web APIs and agents, inside JupyterLab.

Importing this package is cheap on purpose: it brings no Jupyter, Tornado or data library along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from coflows_jupyter.mset.m import M as M
    from coflows_jupyter.response import Response as Response
    from coflows_jupyter.runtimes.agent import Agent as Agent
    from coflows_jupyter.runtimes.agent import Change as Change
    from coflows_jupyter.runtimes.agent import agent as agent
    from coflows_jupyter.runtimes.people import permission as permission
    from coflows_jupyter.runtimes.people import user as user
    from coflows_jupyter.runtimes.progress import progress as progress
    from coflows_jupyter.runtimes.vault import secret as secret

# What user code imports from here, by the module that has it.
_PUBLIC = {
    "Agent": "coflows_jupyter.runtimes.agent",
    "Change": "coflows_jupyter.runtimes.agent",
    "M": "coflows_jupyter.mset.m",
    "Response": "coflows_jupyter.response",
    "agent": "coflows_jupyter.runtimes.agent",
    "permission": "coflows_jupyter.runtimes.people",
    "progress": "coflows_jupyter.runtimes.progress",
    "secret": "coflows_jupyter.runtimes.vault",
    "user": "coflows_jupyter.runtimes.people",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is asked for."""
    if name in _PUBLIC:
        from importlib import import_module

        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Tell JupyterLab where the prebuilt sidebar is."""
    return [{"src": "labextension", "dest": "coflows-jupyter"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tell Jupyter Server which application to load."""
    from coflows_jupyter.server.extension import CoFlowsApp

    return [{"module": "coflows_jupyter", "app": CoFlowsApp}]


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Give a notebook `query` and `%coflows` (`%load_ext coflows_jupyter`)."""
    from coflows_jupyter.notebook.magics import load_ipython_extension as load

    load(shell)
