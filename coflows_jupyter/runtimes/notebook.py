"""Agents whose job is a notebook; it is executed in a process of its own, so that a stop is always possible."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from coflows_jupyter.errors import FunctionError
from coflows_jupyter.runtimes.agent import Agent
from coflows_jupyter.runtimes.context import current
from coflows_jupyter.runtimes.progress import progress
from coflows_jupyter.workflow.copies import new_copy
from coflows_jupyter.workflow.sources import SourceUnit

# Which moment a run is for; in texts of parameters.
TICK = "$TICK$"
# How often a stopped run notices that nobody told it anything.
_LOOK_SECONDS = 0.1
_STOP_SECONDS = 5


class NotebookError(FunctionError):
    """A notebook was not executed to its end."""


class Job(msgspec.Struct):
    """What the child that executes a notebook is told, as one line of JSON.

    Args:
        notebook: absolute path.
        copy: absolute path of the executed copy.
        parameters: put into a cell behind the one tagged ``parameters``.
        servers: process IDs, one of which is the server whose Workflow the notebook sees.
    """

    notebook: str
    copy: str
    parameters: dict[str, Any]
    servers: tuple[int, ...]


class Told(msgspec.Struct, omit_defaults=True):
    """What the child says, one line of JSON each.

    Args:
        text: what the notebook printed.
        done: the number of cells that were executed.
        total: the number of cells to execute.
        error: why the notebook failed.
        traceback: of the failing cell.
    """

    text: str = ""
    done: int = -1
    total: int = 0
    error: str = ""
    traceback: str = ""


class NotebookEntry(msgspec.Struct, rename="pascal"):
    """What package.json says of a notebook in ``Agents``, as the text of its ``SourceUnit``."""

    name: str
    schedule: str = ""
    parameters: dict[str, Any] = {}
    policy: dict[str, Any] = {}


def notebook_agent(unit: SourceUnit, workflow: Path) -> Agent:
    """Make the Agent of a notebook.

    Args:
        unit: its entry.
        workflow: the Workflow's folder.
    """
    entry = msgspec.json.decode(unit.text, type=NotebookEntry)
    notebook = Path(unit.path)

    def job(timestamp: datetime) -> str:
        """Execute the notebook; return where its copy is, from the Workflow's folder."""
        call = current()
        assert call is not None
        copy = new_copy(workflow, notebook, call.run_id)
        tick = timestamp.isoformat()
        parameters = {
            name: value.replace(TICK, tick) if isinstance(value, str) else value
            for name, value in entry.parameters.items()
        }
        # An embedded host is in its server, any other is a child of it.
        execute(Job(str(notebook), str(copy), parameters, (os.getpid(), os.getppid())))
        return copy.relative_to(workflow).as_posix()

    about = f"Executes {notebook.relative_to(workflow).as_posix()}."
    agent = Agent(entry.name, id=unit.name, description=about, schedule=entry.schedule or None, job=job, **entry.policy)
    agent.entry = msgspec.structs.replace(agent.entry, notebook=str(notebook), parameters=entry.parameters)
    return agent


def execute(job: Job) -> None:
    """Execute a notebook in a child; what it prints is printed here.

    Raises:
        NotebookError: a cell failed, or the child ended.
    """
    with _child(job) as told:
        for event in told:
            if event.error:
                raise NotebookError(event.error, traceback=event.traceback)
            if event.done >= 0:
                progress(event.done, event.total, f"cell {min(event.done + 1, event.total)}")
            if event.text:
                sys.stdout.write(event.text)


@contextmanager
def _child(job: Job) -> Iterator[Iterator[Told]]:
    """Run the child; give what it says; stop it and its kernel when that is left early."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "coflows_jupyter.notebook.job"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def read(stream: Any = process.stdout) -> None:
        for line in stream:
            lines.put(line)
        lines.put(b"")

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        process.stdin.write(msgspec.json.encode(job) + b"\n")
        process.stdin.flush()
        yield _events(lines, process)
    finally:
        # The end of its input tells the child to stop its kernel and itself.
        process.stdin.close()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join()
        process.stdout.close()


def _events(lines: queue.SimpleQueue[bytes], process: subprocess.Popen[bytes]) -> Iterator[Told]:
    while True:
        try:
            # Short waits: a stop can't reach a thread that waits for long.
            line = lines.get(timeout=_LOOK_SECONDS)
        except queue.Empty:
            continue
        if not line:
            break
        yield msgspec.json.decode(line, type=Told)
    if process.wait() != 0:
        raise NotebookError(f"the process that executed the notebook ended with {process.returncode}")
