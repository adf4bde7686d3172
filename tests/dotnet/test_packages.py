"""Sources in C#, F# and Python use NuGets and Bins of their Workflow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coflows_jupyter.build.compilers.dotnet import builder
from coflows_jupyter.build.compilers.requests import Request, Source
from coflows_jupyter.build.dependencies.bins import is_managed
from coflows_jupyter.runtimes.dotnet import Dotnet, here
from tests.conftest import ROOT
from tests.flows import Flow

FEED = ROOT.parent / "shared" / "dotnet" / "feed"
SQL_CS = """
    using Microsoft.Data.Sqlite;
    using Newtonsoft.Json;

    public static class Sql
    {
        public static string Ask(string question)
        {
            using var connection = new SqliteConnection("Data Source=:memory:");
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = question;
            return JsonConvert.SerializeObject(new { answer = command.ExecuteScalar() });
        }
    }
"""
COUNT_FS = """
    module Count

    let keys (text: string) = Newtonsoft.Json.Linq.JObject.Parse(text).Count
"""
PY = """
    import clr
    clr.AddReference("Newtonsoft.Json")

    def seven() -> str:
        from Newtonsoft.Json import JsonConvert
        return JsonConvert.ToString(7)

    def plain() -> int:
        return 1
"""
MINE_CS = """
    public static class UseMine
    {
        public static int Answer() => Mine.Lib.Answer();
    }
"""


def edit(file: Path, **values: Any) -> None:
    """Change keys of a JSON file."""
    file.write_text(json.dumps(json.loads(file.read_text()) | values, indent=1))


def nugets(flow: Flow, *packages: tuple[str, str]) -> None:
    """List NuGets, which come from the feed."""
    edit(flow.folder / "package.json", NuGets=[{"ID": name, "Version": version} for name, version in packages])
    edit(flow.folder / "coflows_config.json", NuGet={"Feeds": [str(FEED)]})


@pytest.fixture
def flow(tmp_path: Path) -> Iterator[Flow]:
    """Return a Workflow that is not open yet."""
    if not FEED.is_dir():
        pytest.skip(f"needs {FEED}")
    flow = Flow(tmp_path, Queries__sql__cs=SQL_CS, Queries__count__fs=COUNT_FS, Queries__py__py=PY)
    yield flow
    flow.close()


def test_nugets(flow: Flow) -> None:
    """A package with machine code and one in two languages work; a list that can't be had changes nothing."""
    nugets(flow, ("Microsoft.Data.Sqlite", "10.0.15"), ("Newtonsoft.Json", "13.0.3"))
    report = flow.open()
    assert report.ok, report.diagnostics
    assert json.loads(json.loads(flow.answer("sql", "Ask", ["select 6 * 7"]))) == {"answer": 42}
    assert flow.answer("count", "keys", ['{"a": 1, "b": 2}']) == b"2"
    assert flow.answer("py", "seven") == b'"7"'
    nugets(flow, ("No.Such.Package", "1.0"))
    broken = flow.build()
    (found,) = broken.diagnostics
    assert found.file == str(flow.folder / "package.json")
    assert "No.Such.Package" in found.message
    assert broken.build == report.build
    assert flow.answer("count", "keys", ["{}"]) == b"0"


def test_without_nugets_python_goes_on(flow: Flow) -> None:
    """What can't be had stops the sources for .NET only, also at the first start."""
    nugets(flow, ("No.Such.Package", "1.0"))
    report = flow.open()
    assert [(d.file, d.severity) for d in report.diagnostics] == [(str(flow.folder / "package.json"), "error")]
    assert flow.answer("py", "plain") == b"1"


def library(folder: Path, answer: int) -> Path:
    """Compile a library that knows an answer."""
    dotnet = here()
    assert isinstance(dotnet, Dotnet)
    source = Source(
        "Mine.cs", f"namespace Mine {{ public static class Lib {{ public static int Answer() => {answer}; }} }}"
    )
    made = folder / "Mine.dll"
    folder.mkdir(exist_ok=True)
    reply = builder(dotnet, folder).compile(Request("csharp", "Mine", str(made), (source,), dotnet.references))
    assert reply.ok, reply.findings
    return made


def test_bins(tmp_path: Path) -> None:
    """A library in Bins is used; one that is saved over it makes a new Build, and its users miss one that is gone."""
    (tmp_path / "flow").mkdir()
    flow = Flow(tmp_path / "flow", Queries__mine__cs=MINE_CS)
    made = library(tmp_path / "flow" / "Bins", 1)
    assert is_managed(made)
    assert not is_managed(Path(__file__))
    try:
        report = flow.open()
        assert report.ok, report.diagnostics
        assert flow.answer("mine", "Answer") == b"1"
        library(made.parent, 2)
        assert flow.build().build != report.build
        assert flow.answer("mine", "Answer") == b"2"
        made.unlink()
        (found,) = flow.build().diagnostics
        assert "'Mine' does not exist" in found.message
        assert flow.answer("mine", "Answer") == b"2"
    finally:
        flow.close()
