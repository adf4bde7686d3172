"""Small Workflows to send around."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from coflows_jupyter.config import Config, load_config

AZURE = {"AuthFile": "mnt/Files/azure.txt", "Dns": "coflows", "Region": "uksouth"}


def workflow(folder: Path, files: Mapping[str, str | bytes] = {}, **config: object) -> tuple[Path, Config]:
    """Write a Workflow with these further files; return its package.json and its configuration."""
    written = {"package.json": json.dumps({"ID": "w", "Name": "W"}), "coflows_config.json": json.dumps(config), **files}
    for name, content in written.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder / "package.json", load_config(folder / "coflows_config.json", environ={})
