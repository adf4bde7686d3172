"""`%%query` and `%query` in a real kernel: a cell becomes an endpoint and comes back."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from coflows_jupyter.errors import ArgumentsError, BuildError
from coflows_jupyter.notebook.promotion import MARK, demote, promote
from coflows_jupyter.queries.docs import parse_docs
from tests.conftest import Server
from tests.notebook.conftest import Notebook

CELL = '''\
import math


@staticmethod
def decorated(x):
    return x


def Area(radius: float, *, unit: str = "m<2>") -> float:
    """Area of a circle.

    Args:
        radius: from its middle & out
    """
    return _square(radius) * math.pi


### <api name="Open">
###     <description>Own words.</description>
###     <permissions><group id="Public" permission="view"/></permissions>
### </api>
async def Open():
    return 1


def _square(x):
    return x * x
'''


def test_what_is_written() -> None:
    """Every public function has a readable doc comment; what the cell says itself and the code stay as they are."""
    source = promote(CELL, "circle")
    docs = parse_docs(source, "circle.py", "python")
    assert docs.ok
    assert not docs.diagnostics
    assert list(docs.functions) == ["decorated", "Area", "Open"]
    area = docs.functions["Area"]
    assert (area.description, area.returns) == ("Area of a circle.", "float")
    assert area.params == {"radius": ("float", "from its middle & out"), "unit": ("str", "")}
    assert area.grants
    assert docs.functions["Open"].description == "Own words."
    assert docs.info.title == "circle"
    code = [[line for line in text.splitlines() if line and not line.startswith("#")] for text in (source, CELL)]
    assert code[0] == code[1]
    assert promote(demote(source, "circle").partition("\n")[2], "circle") == source


@pytest.mark.parametrize("cell", ["x = 1", "%matplotlib inline\ndef F(): pass", "def _hidden(): pass"])
def test_what_is_no_query(cell: str) -> None:
    """A cell without a public function, or with what only notebooks understand."""
    with pytest.raises(ArgumentsError):
        promote(cell, "q")


def test_unreadable_documentation() -> None:
    """It is refused, and would close the function if it were not."""
    with pytest.raises(BuildError):
        promote('### <api name="F">\n###   <permissions>\ndef F():\n    pass\n', "q")


def test_round_trip(flow_notebook: Notebook, server: Server, sample: Path) -> None:
    """The cell runs, is written, listed, built and called by its URL; it comes back and can be promoted again."""
    cell = f"%%query circle\n{CELL}"
    urls = flow_notebook.run(cell).split()
    area = next(url for url in urls if url.endswith("/Area"))
    assert area.startswith(server.url)
    assert server.http.get(area, params={"radius": 2}).json() == pytest.approx(12.566, abs=0.001)
    assert httpx.get(area, params={"radius": 2}, trust_env=False).status_code == 401
    assert flow_notebook.run("round(Area(2)), round(query.circle.Area(2))") == "(13, 13)"
    listed = json.loads((sample / "package.json").read_text())["Queries"][-1]
    assert listed == {"Name": "circle.py", "Content": "Queries/circle.py", "ID": "circle"}
    source = (sample / "Queries" / "circle.py").read_text()
    assert source.startswith(MARK)
    back = flow_notebook.next_input("%query circle")
    assert back == demote(source, "circle")
    flow_notebook.run(back.replace("math.pi", "3"))
    assert flow_notebook.run("query.circle.Area(2)") == "12.0"


def test_what_somebody_wrote_stays(flow_notebook: Notebook, sample: Path) -> None:
    """A file that %%query did not write is overwritten by --force only, and a cell that fails writes nothing."""
    before = (sample / "Queries" / "pyapi.py").read_text()
    status, text = flow_notebook.attempt("%%query pyapi\ndef F():\n    return 1\n")
    assert (status, "--force overwrites it" in text) == ("error", True)
    assert (sample / "Queries" / "pyapi.py").read_text() == before
    assert "pyapi/F" in flow_notebook.run("%%query pyapi --force\ndef F():\n    return 1\n")
    status, text = flow_notebook.attempt("%%query broken\ndef F():\n    return 1\n1 / 0\n")
    assert (status, "ZeroDivisionError" in text) == ("error", True)
    assert not (sample / "Queries" / "broken.py").exists()
    assert "did you mean pyapi?" in flow_notebook.attempt("%query pyap")[1]
    assert "%%query NAME" in flow_notebook.attempt("%query")[1]
