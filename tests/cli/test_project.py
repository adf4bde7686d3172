"""`coflows new`, `add` and `validate`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coflows_jupyter.runtimes.dotnet import here
from tests.cli.conftest import Coflows
from tests.conftest import ROOT

FEED = ROOT.parent / "shared" / "dotnet" / "feed"


def test_a_new_workflow_is_valid_and_grows(coflows: Coflows, tmp_path: Path) -> None:
    """What `new` makes passes `validate`, also after adding files; every path is in the JSON document."""
    folder = tmp_path / "fresh"
    done = coflows("new", folder)
    assert done.returncode == 0, done.stderr
    assert f"coflows server {folder}" in done.stdout
    made = json.loads(coflows("add", "query", "prices", "--json", cwd=folder).stdout)
    assert made == {"file": str(folder / "Queries" / "prices.py")}
    assert coflows("add", "base", "tools", cwd=folder).returncode == 0
    assert (folder / "Base" / "tools.py").is_file()
    checked = coflows("validate", cwd=folder)
    assert (checked.returncode, checked.stdout) == (0, "Success!!!\n")


def test_new_as_json(coflows: Coflows, tmp_path: Path) -> None:
    """The document says where the Workflow is."""
    assert json.loads(coflows("--json", "new", "here", cwd=tmp_path).stdout) == {"workflow": str(tmp_path / "here")}


def test_nothing_is_overwritten(coflows: Coflows, workflow: Path) -> None:
    """A folder that holds a Workflow, or a name that is taken, is a usage error."""
    before = (workflow / "package.json").read_text()
    assert coflows("new", workflow).returncode == 2
    assert coflows("add", "query", "tools").returncode == 2
    assert (workflow / "package.json").read_text() == before


def test_validate_tells_wrong_sources_from_wrong_files(coflows: Coflows, workflow: Path) -> None:
    """1 when the Workflow's code is wrong, 2 when its configuration or package is."""
    (workflow / "Queries" / "tools.py").write_text("def Add(:\n")
    done = coflows("validate")
    assert done.returncode == 1
    assert done.stdout.startswith("Queries/tools.py:1:")
    (workflow / "package.json").write_text("[]")
    done = coflows("validate", workflow, "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["ok"] is False


def test_add_notebook(coflows: Coflows, workflow: Path) -> None:
    """A notebook is listed with schedule and parameters, once per ID; a schedule that is none changes nothing."""
    (workflow / "Files").mkdir(exist_ok=True)
    (workflow / "Files" / "report.ipynb").write_text('{"cells": []}')
    before = (workflow / "package.json").read_text()
    assert coflows("add", "notebook", "Files/report.ipynb", "--schedule", "often").returncode == 2
    assert (workflow / "package.json").read_text() == before
    for x in (1, 2):
        given = ("--schedule", "0 0 9 ? * *", "--parameter", f"x={x}", "--parameter", "day=today")
        assert coflows("add", "notebook", "Files/report.ipynb", *given, cwd=workflow).returncode == 0
    entry = json.loads((workflow / "package.json").read_text())["Agents"][-1]
    assert entry == {
        "Name": "report",
        "Content": "Files/report.ipynb",
        "ID": "report",
        "Schedule": "0 0 9 ? * *",
        "Parameters": {"x": 2, "day": "today"},
    }


def test_add_pip(coflows: Coflows, workflow: Path) -> None:
    """It is installed and listed, once; one that does not exist leaves package.json as it is."""
    assert json.loads(coflows("add", "pip", "toolz==0.12.0", "--json").stdout) == {"pip": "toolz==0.12.0"}
    package = (workflow / "package.json").read_text()
    assert json.loads(package)["Pips"] == [{"ID": "toolz==0.12.0"}]
    assert (workflow / "coflows.lock").is_file()
    done = coflows("add", "pip", "Toolz")
    assert done.returncode == 2
    assert "already in Pips" in done.stderr
    done = coflows("add", "pip", "six==0.0.99")
    assert done.returncode == 1
    assert "there is no version of six==0.0.99" in done.stderr
    assert (workflow / "package.json").read_text() == package


def test_add_nuget(coflows: Coflows, workflow: Path) -> None:
    """It is restored from the configuration's feeds and listed, once; one that does not exist changes nothing."""
    if isinstance(found := here(), str) or not FEED.is_dir():
        pytest.skip(str(found) if isinstance(found, str) else f"needs {FEED}")
    config = workflow / "coflows_config.json"
    config.write_text(config.read_text().replace("{", f'{{"NuGet": {{"Feeds": [{json.dumps(str(FEED))}]}},', 1))
    done = coflows("add", "nuget", "NodaTime", "--json")
    assert json.loads(done.stdout) == {"nuget": "NodaTime", "version": "3.3.4"}
    package = (workflow / "package.json").read_text()
    assert json.loads(package)["NuGets"] == [{"ID": "NodaTime", "Version": "3.3.4"}]
    assert "# NodaTime 3.3.4 sha512:" in (workflow / "coflows.lock").read_text()
    done = coflows("add", "nuget", "nodatime", "3.0.0")
    assert done.returncode == 2
    assert "already in NuGets" in done.stderr
    done = coflows("add", "nuget", "No.Such.Package")
    assert done.returncode == 1
    assert "Unable to find package No.Such.Package" in done.stderr
    assert (workflow / "package.json").read_text() == package
