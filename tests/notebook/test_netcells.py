"""Cells in C#, Visual Basic and F#, in a real kernel; skipped where there is no SDK."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from coflows_jupyter.runtimes.dotnet import find, here
from tests.conftest import RunningServer
from tests.notebook.conftest import Notebook, install_kernel, opened_notebook


def test_without_an_sdk(running_server: RunningServer, sample: Path, isolated_environ: dict[str, str]) -> None:
    """A cell says what is missing and how to get it, and Python goes on."""
    if not isinstance(find({"PATH": ""}), str):
        pytest.skip("has .NET where installers put it")
    install_kernel(isolated_environ)
    path = os.pathsep.join(
        folder for folder in isolated_environ["PATH"].split(os.pathsep) if not Path(folder, "dotnet").exists()
    )
    server = running_server(sample / "coflows_config.json", environ={"DOTNET_ROOT": "", "PATH": path})
    with opened_notebook(server, isolated_environ, "coflows") as notebook:
        status, said = notebook.attempt("%%cs\n1 + 1")
        assert status == "error"
        assert "there is no .NET SDK on this computer (install a .NET SDK" in said
        assert notebook.run("1 + 1") == "2"


def test_cells(flow_notebook: Notebook) -> None:
    """Names live on in their language and in Python, by reference; values are shown; mistakes have their line."""
    if isinstance(found := here(), str):
        pytest.skip(found)
    run = flow_notebook.run

    def attempt(cell: str) -> tuple[str, str]:
        status, said = flow_notebook.attempt(cell)
        return status, re.sub(r"\x1b\[[0-9;]*m", "", said)

    run("rate = 0.5; words = ['a', 'b']; from pathlib import Path")

    run("%%cs\nvar x = 20;\nint Twice(int n) => 2 * n;\npublic record Bond(string Name, double Rate);")
    assert run('%%cs\nvar bond = new Bond(Path.GetFileName("a/b"), rate * 2); Twice(x) + 2') == "42"
    assert run("x, Twice(4), bond.Name, bond.Rate") == "(20, 8, 'b', 1.0)"
    assert run("%%cs\nConsole.WriteLine(words[1]); x += 1; await Task.Delay(1); bond") == (
        "b\nBond { Name = b, Rate = 1 }"
    )
    assert run("bond") == "Bond { Name = b, Rate = 1 }"
    assert "Rate" in "".join(flow_notebook.complete("bond.Ra"))
    assert run("x") == "21"
    run("x = 5; words.append('c')")
    assert run("%%cs\nx + (int)words.__len__()") == "8"

    status, said = attempt('%%cs\n\nint y = "text";')
    assert status == "error"
    assert "]:3:9: error CS0029: Cannot implicitly convert type 'string' to 'int'" in said
    status, said = attempt('%%cs\n\nthrow new InvalidOperationException("no");')
    assert status == "error"
    assert "InvalidOperationException: no" in said
    assert "]:line 3" in said
    assert run("%%cs\nx") == "5"

    run("%%fs\nlet add a b = a + b\nlet squares = [ for n in 1 .. 3 -> n * n ]\ntype Shape = { Side: float }")
    assert run("add(2, 3), sum(squares)") == "(5, 14)"
    run("%%cs\nvar names = new List<string> { bond.Name };")
    assert run("%%fs\nadd x 1 + names.[0].Length") == "7"
    assert run('%%fs\nprintfn "%s" "hello"\n{ Side = rate }').splitlines() == ["hello", "{ Side = 0.5 }"]
    status, said = attempt("%%fs\n\nadd 1 nothing")
    assert status == "error"
    assert "]:3:7: error FS0039" in said

    run(
        "%%vb\nImports System.Globalization\nDim total As Integer = x + 1\nDim made As New List(Of String)()\n"
        "Function Half(n As Integer) As Double\n    Return n / 2\nEnd Function\n"
        "For i = 1 To 2\n    made.Add(CStr(i))\nNext"
    )
    assert run("total, Half(3), list(made)") == "(6, 1.5, ['1', '2'])"
    assert run("%%vb\ntotal += made.Count\n? Half(total)") == "4.0"
    status, said = attempt("%%vb\n\nDim n As Integer = nothingLikeThis")
    assert status == "error"
    assert "]:3:20: error BC30451" in said
    assert run("%%cs\ntotal") == "8"
