"""Notebooks that run as Agents, with a real kernel in a real child process."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
import pytest

from coflows_jupyter.agents.model import AgentRun
from coflows_jupyter.agents.service import Agents
from coflows_jupyter.config import load_config
from coflows_jupyter.database.connection import open_database
from coflows_jupyter.engine import Engine
from coflows_jupyter.processes import lives
from coflows_jupyter.runs.registry import open_runs
from coflows_jupyter.workflow.copies import find_copy
from tests.workflow.test_notebooks import write_notebook

PATIENCE = 60
CELLS = (("x = 1\nday = 'none'", "parameters"), ("print('x is', x, day, flush=True)", ""))


@asynccontextmanager
async def opened(folder: Path, *cells: tuple[str, str], **entry: Any) -> AsyncIterator[Agents]:
    """Open a Workflow with one notebook as an Agent."""
    write_notebook(folder / "Files" / "report.ipynb", *cells)
    (folder / "Queries").mkdir()
    (folder / "Queries" / "q.py").write_text("def one():\n    return 1\n")
    agent = {"Name": "report", "Content": "Files/report.ipynb", "ID": "report"} | entry
    (folder / "package.json").write_text(json.dumps({"ID": "wid", "Agents": [agent]}))
    config = {"Workflow": "package.json", "Server": {"Host": "localhost", "SecretKey": secrets.token_hex(16)}}
    (folder / "coflows_config.json").write_text(json.dumps(config))
    loaded = load_config(folder, environ={})
    engine = Engine(loaded, mode="process", watch=False, runs=open_runs(loaded), agents=open_database(loaded))
    assert engine.agents is not None
    try:
        await engine.start()
        yield engine.agents
    finally:
        await engine.close()


async def over(agents: Agents) -> AgentRun:
    """Return the last run when it is over."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        runs = await agents.history("report")
        if runs and runs[0].state not in {"due", "running"}:
            return runs[0]
        await asyncio.sleep(0.05)
    raise AssertionError([run.state for run in await agents.history("report")])


def copy_of(folder: Path, run: AgentRun) -> nbformat.NotebookNode:
    """Return the executed copy of a run."""
    file = find_copy(folder, run.run_id, run.attempt)
    assert file is not None
    return nbformat.read(file, as_version=4)  # type: ignore[no-untyped-call, no-any-return]


def test_a_notebook_runs_with_parameters(tmp_path: Path) -> None:
    """Values come behind the tagged cell; the copy has the outputs, and the notebook stays as it was."""

    async def play() -> None:
        async with opened(tmp_path, *CELLS, Parameters={"x": 42, "day": "$TICK$"}) as agents:
            before = (tmp_path / "Files" / "report.ipynb").read_bytes()
            (model,) = await agents.overview()
            assert (model.callbacks, model.parameters) == (("job",), {"x": 42, "day": "$TICK$"})
            started = await agents.start_run("report")
            run = await over(agents)
            assert (run.run_id, run.state, run.reason) == (started.run_id, "succeeded", "")
            copy = copy_of(tmp_path, run)
            day = datetime.fromisoformat(json.loads(run.argument)[0]).isoformat()
            assert copy.cells[1].source == f"# Parameters\nx = 42\nday = {day!r}"
            assert copy.cells[2].outputs[0].text == f"x is 42 {day}\n"
            assert (tmp_path / "Files" / "report.ipynb").read_bytes() == before

    asyncio.run(play())


def test_a_failure_names_its_cell(tmp_path: Path) -> None:
    """The reason says which cell failed and how; the copy has its traceback, and later cells did not run."""

    async def play() -> None:
        async with opened(tmp_path, ("1", ""), ("y = 2\n1 / 0", ""), ("print('never')", "")) as agents:
            await agents.start_run("report")
            run = await over(agents)
            assert run.state == "failed"
            assert run.reason == "cell 2 (y = 2) failed: ZeroDivisionError: division by zero"
            cells = copy_of(tmp_path, run).cells
            assert cells[1].outputs[0].ename == "ZeroDivisionError"
            assert cells[2].outputs == []

    asyncio.run(play())


@pytest.mark.parametrize("how", ["timeout", "cancel"])
def test_a_run_that_is_stopped_takes_its_kernel_along(tmp_path: Path, how: str) -> None:
    """A timeout or a Cancel ends the kernel, whatever it does; the copy has what there was until then."""

    async def play() -> None:
        endless = (
            "import os, pathlib, time\npathlib.Path('pid').write_text(str(os.getpid()))\nwhile True: time.sleep(1)"
        )
        policy = {"Timeout": 8} if how == "timeout" else {}
        async with opened(tmp_path, ("print('begun')", ""), (endless, ""), Policy=policy) as agents:
            started = await agents.start_run("report")
            pid = tmp_path / "Files" / "pid"
            deadline = time.monotonic() + PATIENCE
            while not (pid.exists() and pid.read_text()):
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
            if how == "cancel":
                await agents.cancel(started.run_id, "by a test")
            run = await over(agents)
            assert run.state == {"timeout": "timed_out", "cancel": "cancelled"}[how]
            while lives(int(pid.read_text())):
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
            while find_copy(tmp_path, run.run_id, 1) is None:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
            assert copy_of(tmp_path, run).cells[0].outputs[0].text == "begun\n"

    asyncio.run(play())


def test_a_failure_is_tried_again(tmp_path: Path) -> None:
    """The policy is the Agent's: each attempt has a copy, and the run ends with the last."""

    async def play() -> None:
        source = (
            "import pathlib\nfirst = not pathlib.Path('seen').exists()\npathlib.Path('seen').touch()\nassert not first"
        )
        async with opened(tmp_path, (source, ""), Policy={"Retries": 1, "Backoff": 0}) as agents:
            await agents.start_run("report")
            run = await over(agents)
            assert (run.state, run.attempt) == ("succeeded", 2)
            assert find_copy(tmp_path, run.run_id, 1) != find_copy(tmp_path, run.run_id, 2)

    asyncio.run(play())
