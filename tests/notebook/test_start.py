"""Calls that a notebook starts and does not wait for."""

from __future__ import annotations

from tests.notebook.conftest import Notebook


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
