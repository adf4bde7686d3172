"""Executes a notebook as a job, in a process of its own: told what to do by a line of JSON, it tells how it goes.

It ends when its input does, and takes the kernel with it: whoever started it is gone, or wants it to stop.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode

from coflows_jupyter.notebook.servers import SERVER_PID, running_servers
from coflows_jupyter.runtimes.notebook import Job, Told

KERNEL = "coflows"
TAG, INJECTED = "parameters", "injected-parameters"
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


class Tell:
    """Writes what happens as lines of JSON."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def __call__(self, told: Told) -> None:
        """Write one line; nobody may be there to read it."""
        with contextlib.suppress(BrokenPipeError):
            self._stream.write(msgspec.json.encode(told) + b"\n")
            self._stream.flush()


class _Client(NotebookClient):
    """Tells what cells print while they run."""

    tell: Tell

    def output(self, outs: list[NotebookNode], msg: dict[str, Any], display_id: str | None, cell_index: int) -> Any:
        """Take a message of the kernel."""
        if msg["msg_type"] == "stream":
            self.tell(Told(text=msg["content"]["text"]))
        return super().output(outs, msg, display_id, cell_index)


def with_parameters(notebook: NotebookNode, parameters: dict[str, Any]) -> NotebookNode:
    """Put values behind the cell tagged ``parameters``, or first where there is none, as papermill does.

    Args:
        notebook: is changed.
        parameters: by name; JSON values.
    """
    if not parameters:
        return notebook
    lines = [f"{name} = {value!r}" for name, value in parameters.items()]
    source = "\n".join(["# Parameters", *lines])
    cell = nbformat.v4.new_code_cell(source, metadata={"tags": [INJECTED]})  # type: ignore[no-untyped-call]
    if (notebook.nbformat, notebook.nbformat_minor) < (4, 5):
        del cell["id"]  # they came later
    notebook.cells = [cell for cell in notebook.cells if INJECTED not in cell.metadata.get("tags", [])]
    tagged = [index for index, cell in enumerate(notebook.cells) if TAG in cell.metadata.get("tags", [])]
    notebook.cells.insert(tagged[0] + 1 if tagged else 0, cell)
    return notebook


async def execute(job: Job, tell: Tell, gone: asyncio.Event) -> bool:
    """Execute a notebook and write its copy, whatever happens; say whether all cells succeeded.

    Args:
        job: what to execute.
        tell: takes what happens.
        gone: set when nobody wants the result any longer.
    """
    source = Path(job.notebook)
    try:
        notebook = nbformat.read(source, as_version=4)  # type: ignore[no-untyped-call]
    except (OSError, nbformat.reader.NotJSONError, nbformat.ValidationError) as error:
        tell(Told(error=f"{source.name} can't be read as a notebook: {error}".splitlines()[0]))
        return False
    notebook.metadata.setdefault("kernelspec", {"name": KERNEL, "display_name": "CoFlows", "language": "python"})
    with_parameters(notebook, job.parameters)
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    done = 0

    def executed(**_: Any) -> None:
        nonlocal done
        done += 1
        tell(Told(done=done, total=len(code)))

    client = _Client(
        notebook,
        timeout=None,
        kernel_name=_kernel(notebook),
        resources={"metadata": {"path": str(source.parent)}},
        shutdown_kernel="immediate",
        on_cell_executed=executed,
        coalesce_streams=True,
    )
    client.tell = tell
    tell(Told(done=0, total=len(code)))
    work = asyncio.ensure_future(client.async_execute())
    stop = asyncio.ensure_future(gone.wait())
    await asyncio.wait((work, stop), return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    work.cancel()
    try:
        await work
    except asyncio.CancelledError:
        return False
    except CellExecutionError as error:
        tell(_failure(notebook, error))
        return False
    except DeadKernelError:
        tell(Told(error=f"the kernel died in {_place(notebook)}"))
        return False
    finally:
        nbformat.write(notebook, job.copy)  # type: ignore[no-untyped-call]
    return True


def _kernel(notebook: NotebookNode) -> str:
    """Return our kernel for notebooks in Python, and for others the one that they ask for."""
    language = notebook.metadata.get("language_info", {}).get("name", "python")
    spec = notebook.metadata.get("kernelspec", {})
    return KERNEL if spec.get("language", language) == "python" else spec.get("name", KERNEL)


def _failure(notebook: NotebookNode, error: CellExecutionError) -> Told:
    what = f"{error.ename}: {error.evalue}".rstrip(": ").splitlines()[0]
    return Told(error=f"{_place(notebook)} failed: {what}", traceback=_ANSI.sub("", error.traceback))


def _place(notebook: NotebookNode) -> str:
    """Say which cell is the last that was begun, counted as Lab shows them, with its first line."""
    begun = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code" and "execution" in cell.metadata]
    index = begun[-1] if begun else 0
    first = next((line for line in notebook.cells[index].source.splitlines() if line.strip()), "")
    return f"cell {index + 1} ({first.strip()[:60]})"


def _see_workflow(servers: Sequence[int]) -> None:
    """Let the kernel find the one of these servers that runs."""
    for found in running_servers():
        if found.pid in servers:
            os.environ[SERVER_PID] = str(found.pid)


def main() -> int:
    """Do what the first line of the input says, until the input ends."""
    job = msgspec.json.decode(sys.stdin.buffer.readline(), type=Job)
    tell = Tell(os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)  # what a kernel writes itself is no line of ours
    _see_workflow(job.servers)

    async def run() -> bool:
        gone = asyncio.Event()
        loop = asyncio.get_running_loop()

        def watch() -> None:
            sys.stdin.buffer.read()
            with contextlib.suppress(RuntimeError):  # the loop ended first
                loop.call_soon_threadsafe(gone.set)

        threading.Thread(target=watch, daemon=True).start()
        return await execute(job, tell, gone)

    asyncio.run(run())
    return 0


if __name__ == "__main__":
    # The thread that watches the input may hold it, which Python's own way out would wait for.
    code = main()
    sys.stderr.flush()
    os._exit(code)
