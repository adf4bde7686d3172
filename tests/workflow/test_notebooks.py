"""Notebooks as jobs: their parameters, their entries in package.json, and how long their copies are kept."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coflows_jupyter.errors import PackageError
from coflows_jupyter.runtimes.notebook import NotebookEntry, notebook_agent
from coflows_jupyter.workflow.copies import find_copy, new_copy, prune
from coflows_jupyter.workflow.notebooks import (
    Parameter,
    Scheduled,
    read_parameters,
    schedule_notebook,
    schedules_of,
    unschedule_notebook,
)
from coflows_jupyter.workflow.package import read_package
from coflows_jupyter.workflow.sources import read_sources

PACKAGE = """{
    // ours
    "ID": "wid",
    "Agents": [{"Name": "a.py", "Content": "Agents/a.py", "Exe": "pkg"}]
}
"""


def write_notebook(file: Path, *cells: tuple[str, str]) -> Path:
    """Write a notebook of cells, each a source and a tag."""
    file.parent.mkdir(parents=True, exist_ok=True)
    made: list[dict[str, Any]] = [
        {"cell_type": "code", "metadata": {"tags": [tag] if tag else []}, "source": source.splitlines(keepends=True)}
        | {"outputs": [], "execution_count": None}
        for source, tag in cells
    ]
    document = {"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    file.write_text(json.dumps(document))
    return file


@pytest.fixture
def package_file(tmp_path: Path) -> Path:
    """Return the package.json of a Workflow with a notebook Files/report.ipynb."""
    write_notebook(tmp_path / "Files" / "report.ipynb", ("day = 'today'", "parameters"), ("print(day)", ""))
    file = tmp_path / "package.json"
    file.write_text(PACKAGE)
    return file


def test_parameters_are_what_the_tagged_cell_assigns(tmp_path: Path) -> None:
    """Literals are told as JSON, all else as Python; other cells don't count."""
    source = 'day = "today"\nn: int = 3\nflag = not True\nitems = [1, None]\nn = 4\nx.y = 1'
    file = write_notebook(tmp_path / "n.ipynb", ("other = 1", ""), (source, "parameters"))
    assert read_parameters(file) == [
        Parameter("day", '"today"'),
        Parameter("n", "4"),
        Parameter("flag", "not True"),
        Parameter("items", "[1, null]"),
    ]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"cells": 1}'])
def test_what_is_no_notebook_is_refused(tmp_path: Path, text: str) -> None:
    """A file that Lab would not open says so instead of failing."""
    file = tmp_path / "n.ipynb"
    file.write_text(text)
    with pytest.raises(PackageError, match=r"n\.ipynb can't be read as a notebook"):
        read_parameters(file)


def test_a_notebook_is_scheduled_changed_and_unscheduled(package_file: Path) -> None:
    """The entry keeps what the original reads, comments stay, and what we don't know of the entry stays, too."""
    notebook = package_file.parent / "Files" / "report.ipynb"
    schedule_notebook(package_file, notebook, Scheduled("report", "0 0 9 ? * *", {"day": "$TICK$"}))
    text = package_file.read_text()
    assert "// ours" in text
    package_file.write_text(text.replace('"Schedule"', '"Policy": {"Retries": 2}, "Schedule"'))
    schedule_notebook(package_file, notebook, Scheduled("report", "0 0 10 ? * *"))
    package = read_package(package_file)
    assert schedules_of(package, notebook) == [Scheduled("report", "0 0 10 ? * *")]
    assert (package.agents[1].content, package.agents[1].policy.retries) == ("Files/report.ipynb", 2)
    unschedule_notebook(package_file, notebook, "report")
    unschedule_notebook(package_file, notebook, "a.py")
    assert [entry.id for entry in read_package(package_file).agents] == ["a.py"]


@pytest.mark.parametrize(
    ("file", "job", "why"),
    [
        ("Files/report.ipynb", Scheduled("a.py"), "already an Agent a.py"),
        ("Files/report.ipynb", Scheduled(""), "the name is empty"),
        ("Files/report.ipynb", Scheduled("r", "", {"a b": 1}), "'a b' is no name"),
        ("package.json", Scheduled("r"), "is no notebook"),
        ("../outside.ipynb", Scheduled("r"), "is outside"),
    ],
)
def test_what_can_not_be_scheduled_is_said(package_file: Path, file: str, job: Scheduled, why: str) -> None:
    """Nothing is written then."""
    write_notebook(package_file.parent.parent / "outside.ipynb")
    with pytest.raises(PackageError, match=why):
        schedule_notebook(package_file, Path(os.path.normpath(package_file.parent / file)), job)
    assert package_file.read_text() == PACKAGE


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), JSON))
def test_parameters_come_to_the_agent_as_they_were_written(parameters: dict[str, Any]) -> None:
    """What package.json says of a notebook survives its way to the host."""
    said = NotebookEntry("n", "", parameters)
    import msgspec

    assert msgspec.json.decode(msgspec.json.encode(said), type=NotebookEntry) == said


def test_a_notebook_becomes_an_agent(package_file: Path) -> None:
    """Name, ID, schedule and policy are the entry's; the file itself is no part of the Build."""
    folder = package_file.parent
    entry = {"Name": "Daily", "Content": "Files/report.ipynb", "ID": "daily", "Schedule": "0 0 9 ? * *"}
    entry |= {"Parameters": {"day": "$WID$"}, "Policy": {"Retries": 1, "Timeout": 5}}  # type: ignore[dict-item]
    package_file.write_text(json.dumps({"ID": "wid", "Agents": [entry]}))
    (unit,), found = read_sources(read_package(package_file))
    assert not found
    agent = notebook_agent(unit, folder).entry
    assert (agent.id, agent.name, agent.schedule) == ("daily", "Daily", "0 0 9 ? * *")
    assert agent.parameters == {"day": "wid"}
    assert (agent.policy.retries, agent.policy.timeout, agent.policy.overlap) == (1, 5, "skip")
    assert agent.notebook == str(folder / "Files" / "report.ipynb")


def test_copies_are_found_by_run_and_the_oldest_go(tmp_path: Path) -> None:
    """There are never more than were asked for, nor larger ones together."""
    for index in range(5):
        copy = new_copy(tmp_path, Path("my report.ipynb"), f"run{index}")
        copy.write_bytes(b"x" * 10)
        os.utime(copy, (index, index))
    assert find_copy(tmp_path, "run4", 1) == tmp_path / "Runs" / "my report-run4.ipynb"
    assert find_copy(tmp_path, "run4", 2) is None
    assert find_copy(tmp_path, "*", 1) is None
    prune(tmp_path / "Runs", 4)
    assert sorted(file.stem[-1] for file in (tmp_path / "Runs").iterdir()) == ["2", "3", "4"]
    prune(tmp_path / "Runs", 4, 25)
    assert sorted(file.stem[-1] for file in (tmp_path / "Runs").iterdir()) == ["3", "4"]
