"""The Workflow that a notebook belongs to, as it is on this computer's disk."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from coflows_jupyter.config import load_config
from coflows_jupyter.errors import NotFoundError
from coflows_jupyter.notebook.client import Client, WorkflowInfo
from coflows_jupyter.workflow.package import FILE_NAME


class LocalWorkflow(NamedTuple):
    """A Workflow of the server whose files are here.

    Args:
        info: as the server describes it.
        package_file: its package.json.
    """

    info: WorkflowInfo
    package_file: Path


def find_workflow(client: Client, folder: Path | None = None) -> LocalWorkflow:
    """Return the server's Workflow whose folder ``folder`` is in, else its first.

    Args:
        client: of the server.
        folder: the notebook's, by default the working directory.

    Raises:
        NotFoundError: the server has none, or its files are not here.
        UnreachableError: there is no server.
        ConfigError: its configuration can't be used.
    """
    folder = folder or Path.cwd()
    workflows = client.workflows()
    if not workflows:
        raise NotFoundError("the server has no Workflow open")
    info = next((info for info in workflows if info.folder and folder.is_relative_to(info.folder)), workflows[0])
    package_file = load_config(info.config).workflow if info.config else Path(info.folder, FILE_NAME)
    if not package_file.is_file():
        raise NotFoundError(f"the files of {info.id} are not on this computer")
    return LocalWorkflow(info, package_file)
