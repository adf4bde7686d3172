"""Checks of Jupyter's side: the extension, the sidebar, and what servers that died left behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import msgspec
from jupyter_core.paths import jupyter_config_path, jupyter_path, jupyter_runtime_dir

import coflows_jupyter
from coflows_jupyter.doctor.finding import Finding, Patient, fine
from coflows_jupyter.notebook.servers import running_servers
from coflows_jupyter.server.runfile import RunFile

_SIDEBAR = "coflows-jupyter"
_ANSWER_SECONDS = 3.0


class _Status(msgspec.Struct):
    name: str
    state: str
    crashes: int = 0


class _Statuses(msgspec.Struct):
    workflows: list[_Status]


def extension(_patient: Patient) -> Iterator[Finding]:
    """Does a plain `jupyter lab` load us?"""
    command = "jupyter server extension enable coflows_jupyter"
    why = "`jupyter lab` shows no Workflow; `coflows server` does"
    for value in _settings("jupyter_server_config.d/*.json", "ServerApp", "jpserver_extensions"):
        if "coflows_jupyter" in value:
            enabled = value["coflows_jupyter"]
            yield fine("the extension is enabled") if enabled else Finding("warning", "it is disabled", why, command)
            return
    yield Finding("warning", "the extension is not registered", why, command)


def sidebar(patient: Patient) -> Iterator[Finding]:
    """Is the sidebar built, and not turned off?"""
    if patient.config is None or not patient.config.jupyter:
        return
    own = Path(coflows_jupyter.__file__).parent
    places = [own / "labextension", *(Path(path) / "labextensions" / _SIDEBAR for path in jupyter_path())]
    if not any((place / "package.json").is_file() for place in places):
        command = "pip install --force-reinstall --no-deps coflows_jupyter"
        yield Finding("error", "the sidebar is not installed", "Lab shows no CoFlows tab", command)
    for value in _settings("labconfig/page_config.json", "disabledExtensions"):
        if any(value.get(name) for name in value if name.partition(":")[0] == _SIDEBAR):
            command = f"jupyter labextension enable {_SIDEBAR}"
            yield Finding("warning", "the sidebar is disabled", "Lab shows no CoFlows tab", command)
            return


def _settings(pattern: str, *keys: str) -> Iterator[dict[str, Any]]:
    """Give a setting of Jupyter from every file that has it, the strongest first."""
    for folder in jupyter_config_path():
        for file in sorted(Path(folder).glob(pattern)):
            try:
                value = json.loads(file.read_bytes())
                for key in keys:
                    value = value[key]
            except (OSError, ValueError, KeyError, TypeError):
                continue
            if isinstance(value, dict):
                yield value


def run_files(_patient: Patient) -> Iterator[Finding]:
    """Did servers die without cleaning up?"""
    living = {server.pid for server in running_servers()}
    for file in sorted(Path(jupyter_runtime_dir()).glob("coflows-*.json")):
        try:
            run = msgspec.json.decode(file.read_bytes(), type=RunFile)
        except (OSError, msgspec.MsgspecError):
            # A server is starting or ending at this moment.
            continue
        if run.pid not in living:
            why = "it names a server that is gone, with its key"
            yield Finding("warning", f"{file} is left over", why, f"rm {file}", partial(file.unlink, missing_ok=True))


def hosts(patient: Patient) -> Iterator[Finding]:
    """Is the Workflow's running server well?"""
    if patient.config is None or patient.config.file is None:
        return
    for server in running_servers():
        if server.config != str(patient.config.file):
            continue
        try:
            answer = httpx.get(
                f"{server.url}coflows/api/workflows",
                headers={"x-api-key": server.key},
                timeout=_ANSWER_SECONDS,
                trust_env=False,
            )
            found = msgspec.json.decode(answer.raise_for_status().content, type=_Statuses)
        except (httpx.HTTPError, msgspec.MsgspecError):
            yield Finding("error", f"the server at {server.url} does not answer", "it is stuck", f"kill {server.pid}")
            continue
        for status in found.workflows:
            yield from _judge(status, server.url)


def _judge(status: _Status, url: str) -> Iterator[Finding]:
    if status.state == "failed":
        yield Finding("error", f"{status.name} does not build", "no call is answered", "coflows local build")
    elif status.crashes:
        times = f"{status.crashes} host{'s' * (status.crashes > 1)}"
        command = "coflows runs list --outcome crashed"
        yield Finding("warning", f"{times} of {status.name} crashed", "the calls on them failed", command)
    else:
        yield fine(f"{status.name} is {status.state} at {url}")
