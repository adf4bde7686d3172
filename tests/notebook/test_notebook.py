"""`%load_ext coflows_jupyter` in a kernel of a real server: the same call as through any other door."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import Server
from tests.notebook.conftest import Notebook

MORE = """

def Twice(x: int) -> int:
    return 2 * x


def Count(n: int):
    yield from range(n)


def Door() -> str:
    return current().caller.door


def Explode():
    raise ValueError("no luck")
"""


def test_calls_answer_like_functions(notebook: Notebook) -> None:
    """By position, by name, and both; values come back as Python's own."""
    assert notebook.run("query.pyapi.Add(1, 2)") == "3"
    assert notebook.run("query['pyapi']['Add'](1, y=2)") == "3"
    assert notebook.run("type(query.portfolio.holdings()).__name__") == "'list'"


def test_help_is_that_of_the_function(notebook: Notebook) -> None:
    """Tab completes Queries and functions; Shift-Tab shows signature and documentation."""
    assert "pyapi" in " ".join(notebook.complete("query.py"))
    assert any(match.endswith("Add") for match in notebook.complete("query.pyapi."))
    assert any("portfolio" in match for match in notebook.complete("query['"))
    shown = notebook.inspect("query.pyapi.Add")
    assert "Add(x: int, y: int)" in shown
    assert "Adds two numbers" in shown
    assert "first number" in shown


def test_errors_are_those_of_the_server(notebook: Notebook) -> None:
    """Wrong arguments name their fields, wrong names suggest the nearest."""
    status, text = notebook.attempt("query.pyapi.Add('one', 2)")
    assert status == "error"
    assert "ArgumentsError" in text
    assert "x: " in text
    assert notebook.attempt("query.pyapi.Ad(1, 2)")[0] == "error"
    assert "did you mean Add?" in notebook.attempt("query.pyapi.Ad(1, 2)")[1]
    assert "did you mean pyapi?" in notebook.attempt("query.pyap")[1]


def test_a_new_build_is_seen_at_once(notebook: Notebook, server: Server, sample: Path) -> None:
    """After a build on the server the notebook sees its functions, without loading anything again."""
    assert "Twice" not in notebook.run("dir(query.pyapi)")
    with (sample / "Queries" / "pyapi.py").open("a") as file:
        file.write(MORE)
    workflow = server.http.get("coflows/api/workflows").json()["workflows"][0]["id"]
    assert server.http.post(f"coflows/api/workflows/{workflow}/build").json()["ok"]
    assert notebook.run("query.pyapi.Twice(21)") == "42"
    assert notebook.run("query.pyapi.Door()") == "'notebook'"
    assert notebook.run("list(query.pyapi.Count(3))") == "[0, 1, 2]"
    assert "can't be sent" in notebook.attempt("query.pyapi.Twice(object())")[1]
    status, text = notebook.attempt("query.pyapi.Explode()")
    assert status == "error"
    assert "no luck" in text
    assert "pyapi.py" in text


def test_the_command_runs_on_the_servers_workflow(notebook: Notebook) -> None:
    """`%coflows` needs no configuration, streams its output, and a failure is one line."""
    assert notebook.run("%coflows local query pyapi Add 1 2 --quiet") == "3"
    status, text = notebook.attempt("%coflows local query pyapi Ad 1 2")
    assert status == "error"
    assert "coflows ended with exit code 2" in text
    assert "Traceback" not in text


def test_the_sample_notebook_runs(notebook: Notebook, sample: Path) -> None:
    """Every cell of the sample's notebook works, from top to bottom; its chart is a picture."""
    document = json.loads((sample / "Files" / "portfolio.ipynb").read_text())
    cells = ["".join(cell["source"]) for cell in document["cells"] if cell["cell_type"] == "code"]
    shown = {cell: notebook.run(cell) for cell in cells}
    (chart,) = (text for cell, text in shown.items() if "reports.chart" in cell)
    assert "IPython.core.display.Image" in chart
