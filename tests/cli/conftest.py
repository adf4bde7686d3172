"""Fixtures: the real command in a process of its own, and a small Workflow to run it on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

import pytest

QUERY = '''
"""A Query to call from the command line."""

import os
import sys
from collections.abc import Iterator


### <api name="Add">
###     <description>Adds two numbers.</description>
###     <returns>their sum</returns>
###     <param name="x" type="int">first number</param>
###     <param name="y" type="int">second number</param>
### </api>
def Add(x: int, y: int = 2) -> int:
    return x + y


def Say(text: str) -> str:
    return text


def Rows() -> list[dict[str, object]]:
    return [{"name": "[b]a[/b]", "value": 1.5}, {"name": "b", "value": None}]


def Loud() -> int:
    print("from print")
    print("from stderr", file=sys.stderr)
    os.system("echo from a child")
    return 1


def Numbers(n: int) -> Iterator[int]:
    yield from range(n)


def Text() -> bytes:
    return b"as it is"


def Fail() -> None:
    raise ValueError("no luck")


def Sleep() -> None:
    import time

    print("asleep", flush=True)
    time.sleep(60)
'''


class Coflows(Protocol):
    """Runs `coflows` with these words; see the fixture."""

    def __call__(
        self, *words: str | Path, cwd: Path | None = None, given: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run it."""


@pytest.fixture
def coflows(workflow: Path, isolated_environ: dict[str, str]) -> Coflows:
    """Return a function that runs the command in the Workflow's folder and returns what it printed."""

    def run(*words: str | Path, cwd: Path | None = None, given: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "coflows_jupyter", *words],
            cwd=cwd or workflow,
            env=isolated_environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            input=given,
        )

    return run


@pytest.fixture
def workflow(tmp_path: Path) -> Path:
    """Return the folder of a Workflow with one Query, `tools`."""
    folder = tmp_path / "flow"
    (folder / "Queries").mkdir(parents=True)
    (folder / "Queries" / "tools.py").write_text(QUERY)
    queries = [{"Name": "tools.py", "Content": "Queries/tools.py", "ID": "tools"}]
    package = {"ID": "5b0c1d6e-9a36-4a0c-8a7a-3c8f6a2f1d11", "Name": "Flow", "Queries": queries}
    (folder / "package.json").write_text(json.dumps(package, indent=4))
    config: dict[str, Any] = {"Workflow": "package.json", "Server": {"SecretKey": "0123456789abcdef" * 4}}
    (folder / "coflows_config.json").write_text(json.dumps(config, indent=4))
    return folder
