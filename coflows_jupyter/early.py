"""Lets a Workflow's first host load while the server itself is still starting.

Importing Jupyter and importing a user's data libraries take about as long as each other, and neither needs the other.
"""

from __future__ import annotations

from coflows_jupyter.build.assemble import assemble, working_directory
from coflows_jupyter.config import Config
from coflows_jupyter.errors import CoflowsError
from coflows_jupyter.host.launch import EarlyHost, launch_early


def start_early(config: Config) -> EarlyHost | None:
    """Start the host of the Workflow that ``config`` names; ``None`` when it has none, or can't be read.

    Must be called on the main thread. Whoever calls it hands the host to an ``Engine``, which reports what is wrong
    with a Workflow that can't be read.
    """
    if config.host.mode != "process":
        return None
    try:
        build = assemble(config.workflow).build
    except CoflowsError:
        return None
    return launch_early(build, working_directory(config.workflow.parent))
