"""Calls that a notebook starts and does not wait for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import RunningServer, Server
from tests.notebook.conftest import Notebook, install_kernel

SLOW = """

def Steps(n: int, seconds: float) -> int:
    import time

    from coflows_jupyter import progress

    for i in range(n):
        progress(i + 1, n, "pricing")
        time.sleep(seconds)
    return n
"""


@pytest.fixture
def server(running_server: RunningServer, sample: Path, isolated_environ: dict[str, str]) -> Server:
    """Return a server of the sample Workflow with a function that takes its time."""
    install_kernel(isolated_environ)
    with (sample / "Queries" / "pyapi.py").open("a") as query:
        query.write(SLOW)
    return running_server(sample / "coflows_config.json")


def test_start_gives_a_run(notebook: Notebook) -> None:
    """The run has the result, the state and the log; the result can be asked for again."""
    assert notebook.run("run = query.pyapi.Add.start(1, y=2)\nrun.result()").endswith("3")
    assert notebook.run("print(run.result(), run.state.outcome, run.state.door, repr(run.log))").endswith(
        "3 succeeded notebook ''"
    )
    assert "Add: succeeded" in notebook.run("run")


def test_a_wrong_argument_is_its_result(notebook: Notebook) -> None:
    """What the function does not take is raised where the result is asked for."""
    status, text = notebook.attempt("query.pyapi.Add.start('one', 2).result()")
    assert status == "error"
    assert "ArgumentsError" in text


INTERRUPT = """
import os, signal, threading
run = query.pyapi.Steps.start(1000, 0.05)
def interrupt():
    while run.state.progress is None:
        pass
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt).start()
run.result()
"""


def test_waiting_shows_a_bar_and_interrupting_it_cancels(notebook: Notebook) -> None:
    """The bar is an output that changes in its place and stays; an interrupt ends the run on the server, too."""
    shown: list[tuple[str, dict[str, str]]] = []

    def collect(message: dict[str, Any]) -> None:
        if message["msg_type"] in {"display_data", "update_display_data"}:
            shown.append((message["msg_type"], message["content"]["data"]))

    cell = "query.pyapi.Steps.start(8, 0.1).result()"
    notebook.client.execute_interactive(cell, timeout=30, output_hook=collect)
    kinds = [kind for kind, _ in shown]
    assert kinds[0] == "display_data"
    assert set(kinds[1:]) == {"update_display_data"}
    assert "pricing" in shown[0][1]["text/plain"]
    assert "<progress" in shown[0][1]["text/html"]
    assert "8/8, pricing, succeeded after" in shown[-1][1]["text/plain"]

    status, text = notebook.attempt(INTERRUPT)
    assert status == "error"
    assert "KeyboardInterrupt" in text
    assert notebook.run("run.state.outcome").strip("'") == "cancelled"
    assert "pyapi.Steps" in notebook.run("%coflows runs list --function Steps --outcome cancelled")
