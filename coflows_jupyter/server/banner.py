"""What a server says when it is up: where to go, and a call to try."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, urlencode

from coflows_jupyter.config import FILE_NAMES, Config
from coflows_jupyter.engine import Engine
from coflows_jupyter.queries.catalog import FunctionEntry
from coflows_jupyter.runtimes.protocol import Parameter

# Kept from the start: for Lab's terminals this process puts its own folder on PATH, which the reader's shell lacks.
_READERS_PATH = os.environ.get("PATH")
_EXAMPLES = {"integer": "1", "number": "1.5", "boolean": "true", "string": "a"}


def command() -> str:
    """Return how the reader's shell finds the ``coflows`` of this installation."""
    own = Path(sys.executable).with_name("coflows")
    if shutil.which("coflows", path=_READERS_PATH) == str(own):
        return "coflows"
    return shlex.quote(_short(own))


def key_command(config: Config) -> str:
    """Return the command that prints the key of a server with this config."""
    words = [command(), "key", "show"]
    if config.file is not None and config.file not in [Path.cwd() / name for name in FILE_NAMES]:
        words.append(shlex.quote(_short(config.file)))
    return " ".join(words)


def curl(url: str, engine: Engine) -> str:
    """Return a command line that calls a function of the Workflow; empty when it has none.

    Args:
        url: base URL of the server, with a slash at the end.
        engine: a Workflow that serves.
    """
    calls = [
        (sum(p.required for p in entry.signature.parameters), query.id, entry)
        for query in engine.catalog.queries.values()
        for entry in query.functions.values()
        if not entry.closed and all(_example(p) for p in entry.signature.parameters if p.required)
    ]
    if not calls:
        return ""
    # One that takes something shows more than one that takes nothing.
    _, query, entry = min(calls, key=lambda call: (call[0] == 0, call[0]))
    path = "/".join(quote(part, safe="") for part in (engine.id, query, entry.signature.name))
    arguments = _arguments(entry)
    address = f"{url}flow/query/{path}" + (f"?{arguments}" if arguments else "")
    return f'curl -H "x-api-key: $({key_command(engine.config)})" {shlex.quote(address)}'


def _arguments(entry: FunctionEntry) -> str:
    required: Iterable[Parameter] = (p for p in entry.signature.parameters if p.required)
    return urlencode([(parameter.name, _example(parameter)) for parameter in required])


def _example(parameter: Parameter) -> str:
    """Return an argument that fits, empty when there is no telling."""
    if parameter.kind.startswith("var_"):
        return ""
    examples = parameter.schema.get("examples") or parameter.schema.get("enum")
    if examples:
        return str(examples[0])
    return _EXAMPLES.get(parameter.schema.get("type", "string"), "")


def _short(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
